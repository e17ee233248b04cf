"""A house: everything opened on one root folder, and closed again. Command line and demonstration start here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from enclave.errors import PermissionDenied, PolicyError, SetupError
from enclave.gateway.binding import Package
from enclave.gateway.canonical import is_name
from enclave.gateway.log_entry import SYSTEM, LogAction, LogDraft
from enclave.gateway.permissions import Person, Role
from enclave.gateway.ports import Clock
from enclave.gateway.records import HistoryEntry
from enclave.gateway.request import Request, Stage
from enclave.gateway.service import Gateway
from enclave.ledger.audit_log import write_anchor
from enclave.ledger.book import Book
from enclave.ledger.register import Register
from enclave.ledger.signing import SigningKey
from enclave.sandbox.notices import Once
from enclave.vault.protection import Opener
from enclave.vault.store import Vault
from enclave.wiring.destruction.destroyer import Destroyer
from enclave.wiring.keys.door import Door
from enclave.wiring.keys.key_holder import Protect, master_key
from enclave.wiring.keys.memory import forbid_dumps
from enclave.wiring.ports import JointAttack, ManifestSigner, NewPattern, Outboxes, RandomIds, now
from enclave.wiring.reference import Reference
from enclave.wiring.retention import Retention
from enclave.wiring.sealed import SealedPackages, SealedTruth
from enclave.wiring.second_look import SecondLook
from enclave.wiring.settings import POLICIES, Settings

LOCK_WAIT_S = 30.0
CLOSED_PAUSE_S = 60.0


@dataclass(frozen=True)
class House:
    """An open house. Its vault may be locked: then whatever needs the vault raises SetupError VAULT_LOCKED."""

    settings: Settings
    reference: Reference
    book: Book
    register: Register
    vault: Vault
    packages: SealedPackages
    truth: SealedTruth
    look: SecondLook
    gateway: Gateway
    release_key: SigningKey
    door: Door
    retention: Retention
    destroyer: Destroyer
    closed: Once = field(default_factory=lambda: Once(CLOSED_PAUSE_S))
    """Who met the locked vault lately: notebooks ask again every few seconds."""

    @property
    def locked(self) -> bool:
        """Whether the vault is locked, and with it every project."""
        return self.door.locked

    def unlock(self, opener: Opener, account: str = "") -> None:
        """Unlock the vault, publish what a crash left decided but not published, and finish destructions.

        PermissionDenied UNLOCK_REFUSED for what does not open it; then, or if anything else fails, it stays locked.
        """
        self.door.unlock(opener, account)
        try:
            with self.book.view() as view:
                left_open = view.open_intents()
            if left_open:
                self.gateway.recover()
            self.destroyer.finish_all()
        except BaseException:
            self.lock(account)
            raise

    def lock(self, account: str = "") -> None:
        """Lock the vault: forget the key."""
        self.door.lock(account)

    def log(self, actor: str, action: LogAction, subject: str, **details: str) -> None:
        """Write one entry to the audit log."""
        self.book.record(LogDraft(actor, action, subject, details))

    def allow(self, account: str, operation: str, check: Callable[[Person], None]) -> Person:
        """Return whose account this is if `check` lets the person do it; else log the refusal and raise it."""
        try:
            person = self.register.by_account(account)
            check(person)
        except PermissionDenied as refusal:
            self._note_refused(account, operation, refusal.code)
            raise
        return person

    def require_unlocked(self, account: str, operation: str) -> None:
        """Raise SetupError VAULT_LOCKED while the vault is locked; whom it met at what is logged, once a minute."""
        try:
            self.vault.require_unlocked()
        except SetupError as refusal:
            if self.closed.is_news(account, operation):
                self._note_refused(account, operation, refusal.code)
            raise

    def require_open(self, account: str, operation: str, project: str) -> None:
        """Raise PolicyError RETENTION_PASSED where the project's term is over; whom it met is logged, once a minute."""
        try:
            self.retention.require_open(project)
        except PolicyError as refusal:
            if self.closed.is_news(account, operation, project):
                self._note_refused(account, operation, refusal.code)
            raise

    def _note_refused(self, account: str, operation: str, code: str) -> None:
        details = {"operation": operation, "code": code} | ({"account": account} if is_name(account) else {})
        self.book.record(LogDraft(SYSTEM, LogAction.REFUSED, operation, details))

    def anchor(self) -> None:
        """Keep the head of the audit log where the auditor looks for it."""
        head = self.book.log_head()
        if head is not None:
            write_anchor(self.settings.anchor, head)


def make_house(root: Path, *, synthetic: bool, protect: Protect, policies: Path = POLICIES) -> None:
    """Make a house in an empty folder: folders, keys, vault and book. SetupError where something is in the way.

    `protect` says how the master key is protected, and puts a new key file or new shares where they belong.
    """
    if root.exists() and any(root.iterdir()):
        raise SetupError("ROOT_NOT_EMPTY", f"'{root}' is not empty; choose another folder for the house")
    settings = Settings.new(root, policies, synthetic=synthetic)
    forbid_dumps()
    protection, opener = protect(settings)
    folders = (settings.book, settings.signing, settings.master_key.parent, settings.anchor.parent)
    for folder in (root, *folders, settings.reports, settings.scratch, settings.vault):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for outbox in settings.outboxes.values():
        outbox.mkdir(mode=0o755, parents=True)
    release, log = (SigningKey.create(settings.signing / name) for name in ("release.key", "log.key"))
    settings.release_public_key.write_bytes(release.public_pem)
    settings.log_public_key.write_bytes(log.public_pem)
    master = master_key(settings)
    master.create(protection, opener)
    Vault.create(settings.vault, master)
    Book.create(settings.book, log, clock=now, lock_wait_s=LOCK_WAIT_S).close()
    settings.write()
    with open_house(root) as house:
        house.log(
            SYSTEM, LogAction.KEY_CREATED, "master", operation="master key created", protection=protection.kind.value
        )
        for name in ("release", "log"):
            house.log(SYSTEM, LogAction.KEY_CREATED, name, operation=f"{name} key created")
        house.log(SYSTEM, LogAction.POLICY_LOADED, "house.yaml", policy=house.reference.house.sha256)


@contextmanager
def open_house(root: Path, unlock: Opener | None = None, account: str = "", *, clock: Clock = now) -> Iterator[House]:
    """Open a house, and keep the head of its log on leaving. With `unlock`, its vault is unlocked, else locked.

    Unlocking finishes what a crash left open. `account` is who brought what unlocks it, as the system knows them.
    """
    settings = Settings.read(root)
    release, log = (SigningKey.load(settings.signing / name) for name in ("release.key", "log.key"))
    book = Book.open(settings.book, log, clock=clock, lock_wait_s=LOCK_WAIT_S)
    try:
        house = _house(settings, book, release, clock)
        try:
            if unlock is not None:
                house.unlock(unlock, account)
            yield house
        finally:
            house.anchor()
    finally:
        book.close()


def _house(settings: Settings, book: Book, release: SigningKey, clock: Clock) -> House:
    def note_key_use(event: str, project: str, dataset: str) -> None:
        action = LogAction.KEY_DESTROYED if "destroyed" in event else LogAction.KEY_USED
        subject = f"{project}/{dataset}" if dataset else project or "house"
        details = {"operation": event} | ({"project": project} if project else {})
        book.record(LogDraft(SYSTEM, action, subject, details))

    master = master_key(settings)
    reference = Reference.load(settings.policies)
    retention = Retention(book, reference, clock)
    vault = Vault(settings.vault, master, on_key_use=note_key_use, require_open=retention.require_open)
    packages, truth, register = SealedPackages(vault), SealedTruth(vault), Register(book)
    inside = settings.outboxes[Stage.INSIDE]
    look = SecondLook(reference, packages, truth, inside, release.public_pem, settings.synthetic)

    def judge(request: Request, package: Package, earlier: tuple[HistoryEntry, ...]) -> bool:
        retention.require_open(request.project)  # a release works with the data, and comes too late with them
        return look.is_safe(request, package, earlier)

    gateway = Gateway(
        book=book,
        people=register,
        clock=clock,
        ids=RandomIds(),
        attack=JointAttack(judge),
        reprotect=NewPattern(look.protect_again),
        publisher=Outboxes(settings.outboxes),
        packages=packages,
        signer=ManifestSigner(release),
    )
    destroyer = Destroyer(settings, book, vault, retention, release, lambda: master.generation)
    door = Door(vault, master, book.record, clock)
    return House(
        settings, reference, book, register, vault, packages, truth, look, gateway, release, door, retention, destroyer
    )


def made_up_people(project: str, trained_until: date) -> tuple[Person, ...]:
    """Return the made-up users of the demonstration: each log-in is the name."""

    def person(name: str, role: Role, *, member: bool = False, trained: bool = False) -> Person:
        projects = frozenset({project}) if member else frozenset[str]()
        return Person(
            name, frozenset({name}), frozenset({role}), projects, trained_until=trained_until if trained else None
        )

    return (
        person("staff.one", Role.CBSS_STAFF, member=True),
        person("analyst.one", Role.ANALYST, member=True),
        person("checker.one", Role.OUTPUT_CHECKER, trained=True),
        person("checker.two", Role.OUTPUT_CHECKER, trained=True),
        person("steward.one", Role.STEWARD),
        person("operator.one", Role.OPERATOR),
        person("auditor.one", Role.AUDITOR),
    )
