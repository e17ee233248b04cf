"""Until when the data of a project may be used: days in Brussels, warnings ahead, and decisions that keep them longer.

The day on which a term ends is the day on which data may last exist. From its first moment a project is closed for
everybody who works in it; what is left to do is to destroy. Only a decision that was taken on an earlier day moves it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from enclave.errors import PolicyError, RequestError
from enclave.gateway.canonical import is_name
from enclave.gateway.log_entry import is_ruling

BRUSSELS: Final = ZoneInfo("Europe/Brussels")


def day_of(moment: datetime) -> date:
    """Return the day in Brussels on which this moment lies, whatever zone it is told in."""
    return moment.astimezone(BRUSSELS).date()


def latest(*moments: datetime | None) -> datetime:
    """Return the latest of these moments: a clock that was set back is behind what the log has seen."""
    return max(moment for moment in moments if moment is not None)


@dataclass(frozen=True, slots=True)
class Extension:
    """A decision by which data may be kept longer: its number, its day, who decided, and the new last day."""

    ruling: str
    dated: date
    authority: str
    until: date

    def __post_init__(self) -> None:
        if not is_ruling(self.ruling) or not is_name(self.authority):
            raise RequestError(
                "EXTENSION_FORM",
                "a decision has a number such as 18/042, and whoever took it a short name such as security-committee "
                "(small letters, digits, '.', '_', '-'); write them like this",
            )

    def counts_against(self, until: date) -> bool:
        """Say whether it moves a term that ends on `until`: decided on an earlier day, for a later one."""
        return self.dated < until < self.until


@dataclass(frozen=True, slots=True)
class Term:
    """When the use of a project's data ends, after all decisions that count."""

    project: str
    until: date
    extensions: tuple[Extension, ...] = ()

    def days_left(self, today: date) -> int:
        """Return how many days of use are left; 0 or less: it is closed."""
        return (self.until - today).days

    def is_over(self, today: date) -> bool:
        """Say whether the project is closed for those who work in it."""
        return self.days_left(today) <= 0

    def warning(self, today: date, days: Iterable[int]) -> int | None:
        """Return the closest of the house's warnings that is due, such as 30; None before the first, 0 at the end."""
        if self.is_over(today):
            return 0
        return min((ahead for ahead in days if self.days_left(today) <= ahead), default=None)

    def require_open(self, today: date) -> None:
        """Raise PolicyError RETENTION_PASSED from the first moment of the last day on."""
        if self.is_over(today):
            raise PolicyError(
                "RETENTION_PASSED",
                f"the data of {self.project} may be kept until {self.until}, so the project is closed. What is left is "
                "`enclave destroy`; only a decision of an earlier day keeps it longer (`enclave operator extend`)",
            )

    def extended(self, extension: Extension, today: date) -> "Term":
        """Return the term that this decision gives; RequestError with the reason where it does not count."""
        if extension.dated > today:
            raise RequestError("EXTENSION_AHEAD", f"a decision of {extension.dated} was not taken yet; correct its day")
        if extension.dated >= self.until:
            raise RequestError(
                "EXTENSION_TOO_LATE",
                f"the data of {self.project} may be kept until {self.until}, and a decision of {extension.dated} does "
                "not lie before that day; it came too late, and the data must be destroyed",
            )
        if extension.until <= self.until:
            raise RequestError(
                "EXTENSION_SHORTENS", f"the term ends on {self.until} already; an extension names a later day"
            )
        return Term(self.project, extension.until, (*self.extensions, extension))
