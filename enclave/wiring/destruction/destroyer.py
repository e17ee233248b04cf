"""Destroys a project once two persons have decided it: intent, keys, files, certificate.

The intent is an entry of the audit log; from then on nothing of the project is opened, whatever happens. The keys go in
one step (see vault/keys.py), which needs what protects the new master key. What comes after it, any opening of the
vault finishes.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import RequestError, SetupError, UserError
from enclave.gateway.canonical import sha256
from enclave.gateway.destruction import NEEDED, Destruction
from enclave.gateway.log_entry import SYSTEM, Details, LogAction, LogDraft
from enclave.gateway.permissions import Person
from enclave.ledger import log_reading
from enclave.ledger.book import Book
from enclave.ledger.retention_log import DELIVERIES_STAY, DELIVERIES_TOO
from enclave.ledger.signing import SigningKey
from enclave.ledger.verify_certificate import examine
from enclave.linkage.taken import PROJECT as INTAKE
from enclave.vault import files
from enclave.vault.master_file import Renewal
from enclave.vault.store import Vault
from enclave.wiring.destruction.certificate import certificate_path, certified, keep
from enclave.wiring.destruction.plan import Plan, described, folders_of, plan_of
from enclave.wiring.retention import Retention
from enclave.wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Destroyer:
    """Destroys projects of one open house."""

    settings: Settings
    book: Book
    vault: Vault
    retention: Retention
    release_key: SigningKey
    generation: Callable[[], int]

    def plan(self, project: str) -> Plan:
        """Return what would go and what would stay; an error where there is no such project."""
        self.retention.policy_of(project)
        with self.book.view() as view:
            return plan_of(self.settings, view, project)

    def decided_by(self, project: str) -> tuple[str, ...]:
        """Return who has decided that a project is destroyed, and is waited for."""
        return self.retention.destruction(project).standing(self.retention.moment())

    def decide(self, project: str, person: Person, account: str) -> None:
        """Record that a person, who may, decides that a project is destroyed."""
        self.retention.term(project)
        self._record(person.id, LogAction.DESTRUCTION_APPROVED, project, {"account": account})

    def begin(self, project: str) -> Destruction:
        """Write the intent if two persons have decided, once; return it. RequestError while one is missing."""
        with self.book.release_lock():
            known = self.retention.destruction(project)
            if known.begun is None:
                by = self.decided_by(project)
                if len(by) < NEEDED:
                    raise RequestError("SECOND_PERSON", f"a second person must decide that {project} is destroyed")
                plan = self.plan(project)
                details: Details = {
                    "approved_by": by[:NEEDED],
                    "datasets": plan.datasets,
                    "deliveries": DELIVERIES_TOO if plan.deliveries else DELIVERIES_STAY,
                }
                self._record(SYSTEM, LogAction.DESTRUCTION_BEGUN, project, details)
            return self.retention.destruction(project)

    def needs_new_key(self, project: str) -> bool:
        """Say whether the keys of a project are still there; the vault must be unlocked."""
        return project in self.vault.projects()

    def carry_out(self, project: str, new: Renewal | None, *, keys_gone: Callable[[], None]) -> Path:
        """Finish a destruction that has begun; return the certificate.

        `new` protects the new master key; SetupError where it is missing and needed. `keys_gone` hears when nothing
        opens the project any more.
        """
        with self.book.release_lock():
            destruction = self.retention.destruction(project)
            if destruction.begun is None:
                raise RequestError("NOT_BEGUN", f"nobody has decided that {project} is destroyed; decide it first")
            if self.needs_new_key(project):
                if new is None:
                    raise SetupError("NEW_KEY", "a destruction needs a new key of the key holder; say which")
                emptied = (INTAKE,) if destruction.deliveries else ()
                self.vault.destroy_project(project, emptied=emptied, new=new)
                self._step(project, "keys destroyed")
            keys_gone()
            return self._finish(destruction)

    def problems(self, public_pem: bytes) -> Iterator[str]:
        """Yield what is wrong with the certificates of destroyed projects, one sentence each."""
        for project in sorted(self.retention.destroyed()):
            path = certificate_path(self.settings, project)
            data = path.read_bytes() if path.is_file() else b""
            if sha256(data) != self.retention.destruction(project).certificate or examine(data, public_pem)[0]:
                yield f"the certificate of {project} is missing or was changed; put back its copy"

    def note_old_key(self, project: str, line: str) -> None:
        """Log which key file is replaced, by a digest of its secret, so that a later run knows it for sure."""
        details = {"operation": "old key named", "old_key": _digest(line)}
        self._record(SYSTEM, LogAction.DESTRUCTION_STEP, project, details)

    def was_old_key(self, project: str, line: str) -> bool:
        """Say whether this is the key file that was replaced."""
        with self.book.connection(reading=True) as connection:
            entries = log_reading.about(connection, project)
        return any(entry.details.get("old_key") == _digest(line) for entry in entries)

    def finish_all(self) -> None:
        """Finish what was interrupted after the keys were gone; what still has keys waits for its new key."""
        for destruction in self.retention.begun():
            if not self.needs_new_key(destruction.project):
                with (
                    suppress(UserError),
                    self.book.release_lock(),
                ):  # somebody is at it, or the next `enclave destroy` says why not
                    self._finish(destruction)

    def _finish(self, destruction: Destruction) -> Path:
        """Remove what lies outside the vault, then certify; done again, it does the same."""
        project, path = destruction.project, certificate_path(self.settings, destruction.project)
        if self.retention.destruction(project).certificate:
            return path
        left = self._remove(project)
        self._step(project, "files removed")
        head = self.book.log_head()
        assert head is not None
        with self.book.view() as view:
            plan = plan_of(self.settings, view, project)
        certificate = certified(
            self.settings,
            destruction,
            self.retention.policy_of(project),
            self.retention.term(project),
            completed=self.retention.moment(),
            destroyed=(*_destroyed(destruction), *(_OPEN_HOMES if left else ())),
            stays=tuple(_stays(plan, destruction)),
            generation=self.generation(),
            head=head,
        )
        digest = sha256(keep(path, certificate, self.release_key))
        self._record(SYSTEM, LogAction.DESTROYED, project, {"certificate": digest})
        return path

    def _remove(self, project: str) -> bool:
        """Remove reports, own files, scratch and homes; return whether homes are left to root's launcher."""
        with self.book.view() as view:
            folders = folders_of(self.settings, view, project)
        left = False
        for folder in folders:
            if folder.lstat().st_uid != self.settings.root.stat().st_uid:
                left = True
            else:
                files.remove(folder)
        return left

    def _step(self, project: str, operation: str) -> None:
        self._record(SYSTEM, LogAction.DESTRUCTION_STEP, project, {"operation": operation})

    def _record(self, actor: str, action: LogAction, project: str, details: Details) -> None:
        self.book.record(LogDraft(actor, action, project, details))


_OPEN_HOMES = ("homes: their keys are gone; the launcher removes the images",)


def _digest(line: str) -> str:
    return sha256(b"enclave old key file " + line.strip().encode())


def _destroyed(destruction: Destruction) -> tuple[str, ...]:
    """Say what was destroyed, as the intent named it."""
    deliveries = ("deliveries and their quarantine",) if destruction.deliveries else ()
    outside = ("reports for stewards", "own files", "scratch", "homes")
    return ("key of the project", *map(described, destruction.datasets), *deliveries, *outside)


def _stays(plan: Plan, destruction: Destruction) -> tuple[str, ...]:
    deliveries = () if destruction.deliveries or not plan.others else (f"deliveries, for {', '.join(plan.others)}",)
    return ("audit log, requests and votes", *(f"release {name}" for name in plan.releases), *deliveries)
