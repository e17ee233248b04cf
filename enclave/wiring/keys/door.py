"""The door of an open house: unlocks and locks its vault, writes both to the log, and slows guessing down."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from enclave.errors import EnclaveError, PermissionDenied
from enclave.gateway.canonical import is_name
from enclave.gateway.log_entry import SYSTEM, LogAction, LogDraft
from enclave.vault.master_file import MasterKeyFile
from enclave.vault.protection import Opener
from enclave.vault.store import Vault
from enclave.wiring.keys.memory import forbid_dumps

FREE_FAILURES = 5
"""Wrong attempts in a row that are answered at once."""
PAUSE_S = 60.0
"""How long after each further one nothing is tried, and nothing logged."""


@dataclass(frozen=True, slots=True)
class DoorStatus:
    """What anybody who keeps the house may know of the door; no secret."""

    locked: bool
    since: datetime | None
    protection: str
    generation: int

    def described(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self) | {"since": self.since.isoformat() if self.since else None}

    @classmethod
    def from_description(cls, said: Mapping[str, Any]) -> "DoorStatus":
        """Read it back."""
        since = datetime.fromisoformat(said["since"]) if said["since"] else None
        return cls(said["locked"], since, said["protection"], said["generation"])


class Door:
    """Opens and closes the vault of one process."""

    def __init__(
        self,
        vault: Vault,
        master: MasterKeyFile,
        record: Callable[[LogDraft], None],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault, self._master, self._record, self._clock = vault, master, record, clock
        self._attempts = Attempts(monotonic)
        self._since: datetime | None = None

    @property
    def locked(self) -> bool:
        """Whether the vault is locked."""
        return self._vault.locked

    def unlock(self, opener: Opener, account: str) -> None:
        """Unlock the vault. A refusal is logged by its code, and raised; after several, PermissionDenied UNLOCK_WAIT.

        `account` is who brought the key, as the system knows it.
        """
        self._attempts.require_turn()
        forbid_dumps()
        try:
            self._vault.unlock(opener, told=lambda: self._log_unlocked(account))
        except EnclaveError as refusal:
            self._attempts.failed()
            self._log(LogAction.UNLOCK_REFUSED, account, code=refusal.code)
            raise
        self._attempts.succeeded()
        self._since = self._clock()

    def lock(self, account: str) -> None:
        """Lock the vault; do nothing where it is locked."""
        if not self.locked:
            self._vault.lock()
            self._since = None
            self._log(LogAction.VAULT_LOCKED, account)

    def status(self) -> DoorStatus:
        """Return how the door stands."""
        since = None if self.locked else self._since
        return DoorStatus(self.locked, since, self._master.protection.words, self._master.generation)

    def _log_unlocked(self, account: str) -> None:
        self._log(LogAction.VAULT_UNLOCKED, account, protection=self._master.protection.kind.value)

    def _log(self, action: LogAction, account: str, **details: str) -> None:
        who = {"account": account} if is_name(account) else {}
        self._record(LogDraft(SYSTEM, action, "vault", who | details))


class Attempts:
    """Counts wrong attempts in a row."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._last = 0.0

    def require_turn(self) -> None:
        """Refuse an attempt that comes too soon after too many wrong ones."""
        if self._failures >= FREE_FAILURES and self._monotonic() - self._last < PAUSE_S:
            raise PermissionDenied("UNLOCK_WAIT", "too many wrong attempts; wait a minute, then try again")

    def failed(self) -> None:
        """Count a wrong one."""
        self._failures += 1
        self._last = self._monotonic()

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = 0
