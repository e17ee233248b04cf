"""How far the destruction of a project is: two persons decide it, then it has begun, then it is certified."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enclave.errors import PolicyError

NEEDED = 2
"""How many persons decide."""

STANDS = timedelta(days=7)
"""How long one person's decision waits for the other's."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's decision that a project is to be destroyed."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Destruction:
    """What the log says of a project's destruction; `begun` is the intent, which nobody takes back."""

    project: str
    approvals: tuple[Approval, ...] = ()
    begun: datetime | None = None
    approved_by: tuple[str, ...] = ()
    datasets: tuple[str, ...] = field(default=())
    deliveries: bool = False
    """Whether the deliveries go too, since no other project needs them."""
    certificate: str = ""
    """SHA-256 of the certificate, once all is done."""

    def standing(self, moment: datetime) -> tuple[str, ...]:
        """Return who has decided and is still waited for, each person once."""
        return tuple(dict.fromkeys(one.person for one in self.approvals if moment - one.at <= STANDS))

    def require_none(self) -> None:
        """Raise PolicyError PROJECT_DESTROYED once it has begun."""
        if self.begun is not None:
            raise PolicyError(
                "PROJECT_DESTROYED",
                f"the destruction of {self.project} was decided by two persons and has begun; nothing of it is opened",
            )
