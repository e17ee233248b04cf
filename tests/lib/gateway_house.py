"""A small house around the real gateway and the real book: made-up people, packages in a folder, a tiny real attacker.

Imports are few and light: the crash rig starts it hundreds of times.
"""

import atexit
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import permutations
from pathlib import Path

from enclave.errors import IntegrityError
from enclave.gateway.binding import Binding, Package
from enclave.gateway.canonical import canonical, sha256, utc_text
from enclave.gateway.permissions import Person, Role
from enclave.gateway.ports import Attack
from enclave.gateway.records import HistoryEntry, Proposal, PublicFiles, ReleaseDraft, SignedManifest, Verdict
from enclave.gateway.request import Request, Stage
from enclave.gateway.review import Decision
from enclave.gateway.service import Gateway
from enclave.ledger.book import Book
from enclave.ledger.fsck import fsck
from enclave.ledger.outbox import publish
from enclave.ledger.register import Register
from enclave.ledger.signing import SigningKey

PROJECT = "project-a"
POPULATION = "clients-2016"
TRAINED = date(2030, 1, 1)
THRESHOLD = 5

PEOPLE = (
    Person("ann", frozenset({"ann"}), frozenset({Role.ANALYST}), frozenset({PROJECT})),
    Person("bob", frozenset({"bob"}), frozenset({Role.ANALYST}), frozenset({PROJECT})),
    Person("cora", frozenset({"cora"}), frozenset({Role.CBSS_STAFF}), frozenset({PROJECT})),
    Person("kim", frozenset({"kim", "kim.home"}), frozenset({Role.OUTPUT_CHECKER}), trained_until=TRAINED),
    Person("lou", frozenset({"lou"}), frozenset({Role.OUTPUT_CHECKER}), trained_until=TRAINED),
    Person("max", frozenset({"max"}), frozenset({Role.OUTPUT_CHECKER}), trained_until=TRAINED),
    Person("mia", frozenset({"mia"}), frozenset({Role.OUTPUT_CHECKER}), frozenset({PROJECT}), trained_until=TRAINED),
    Person(
        "nora",
        frozenset({"nora"}),
        frozenset({Role.OUTPUT_CHECKER}),
        conflicts=frozenset({PROJECT}),
        trained_until=TRAINED,
    ),
    Person("olaf", frozenset({"olaf"}), frozenset({Role.OUTPUT_CHECKER}), trained_until=date(2026, 1, 1)),
    Person(
        "ana",
        frozenset({"ana", "ana.checks"}),
        frozenset({Role.ANALYST, Role.OUTPUT_CHECKER}),
        frozenset({PROJECT}),
        trained_until=TRAINED,
    ),
    Person("otto", frozenset({"otto"}), frozenset({Role.OPERATOR})),
    Person("stef", frozenset({"stef"}), frozenset({Role.STEWARD})),
    Person("aude", frozenset({"aude"}), frozenset({Role.AUDITOR})),
)


@dataclass
class TickingClock:
    """Gives a second more each time, from a fixed moment on."""

    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class PlainIds:
    """Numbers requests, and names a release after its request and turn."""

    made: int = 0

    def request_id(self, project: str) -> str:
        self.made += 1
        return f"{project}-r{self.made}"

    def release_id(self, request: Request) -> str:
        return f"{request.id}-t{request.turn}"


@dataclass
class PackageFolder:
    """Packages by content, each in a file."""

    folder: Path

    def seal(self, package: Package) -> str:
        files = {path: data.hex() for path, data in package.files.items()}
        (self.folder / package.digest).write_bytes(canonical({"body": package.body.hex(), "files": files}))
        return package.digest

    def read(self, digest: str) -> Package:
        path = self.folder / digest
        if not path.is_file():
            raise IntegrityError("PACKAGE_MISSING", "this package is not in the folder")
        found = json.loads(path.read_bytes())
        files = {name: bytes.fromhex(data) for name, data in found["files"].items()}
        return Package(files, bytes.fromhex(found["body"]))


@dataclass
class ManifestSigner:
    """Completes the package's body with what is known at release, and signs it."""

    key: SigningKey

    def sign(self, draft: ReleaseDraft) -> SignedManifest:
        body = json.loads(draft.package.body) | {
            "release": draft.release,
            "created": utc_text(draft.created),
            "approvals": len(draft.approvals),
            "previous_log_head": draft.log_head,
            "files": draft.package.hashes,
        }
        manifest = canonical(body)
        return SignedManifest(manifest, self.key.sign(manifest))


@dataclass
class Outboxes:
    """Publishes into one folder per stage, with the real outbox."""

    folders: dict[Stage, Path]

    def publish(self, stage: Stage, release_id: str, files: PublicFiles) -> None:
        publish(self.folders[stage], release_id, files)


def table_package(counts: dict[str, int | None], *, note: str = "") -> Package:
    """Return a package that shows counts of groups, each a selection such as "a+b"; None is hidden."""
    rows = "".join(f"{group},{'' if count is None else count}\n" for group, count in sorted(counts.items()))
    return Package({"tables/groups.csv": rows.encode(), "README.txt": b"made up\n"}, canonical({"note": note}))


@dataclass
class DifferencingAttack:
    """A real attacker on tiny tables: subtracts published groups from one another, over all releases."""

    packages: PackageFolder
    attacked: int = 0

    def attack(self, request: Request, package: Package, history: tuple[HistoryEntry, ...]) -> Verdict:
        self.attacked += 1
        shown = _shown(package)
        for entry in history:
            if entry.population == request.population:
                shown |= _shown(self.packages.read(entry.package))
        small = any(count < THRESHOLD for count in shown.values())
        pairs = permutations(shown.items(), 2)
        return Verdict(not small and not any(a < b and m - n < THRESHOLD for (a, n), (b, m) in pairs))


def _shown(package: Package) -> dict[frozenset[str], int]:
    lines = (line.split(",") for line in package.files["tables/groups.csv"].decode().splitlines())
    return {frozenset(group.split("+")): int(count) for group, count in lines if count}


@dataclass
class HideAll:
    """The fallback: the same groups, all hidden."""

    packages: PackageFolder

    def reprotect(self, request: Request, history: tuple[HistoryEntry, ...]) -> Proposal:
        lines = self.packages.read(request.binding.tables).files["tables/groups.csv"].decode().splitlines()
        hidden = table_package({line.split(",")[0]: None for line in lines}, note=f"after {len(history)}")
        return Proposal(binding_of(self.packages.seal(hidden), pattern="hide all"))


def binding_of(tables: str, *, pattern: str = "as proposed") -> Binding:
    """Return a binding for a sealed package."""
    return Binding(tables, sha256(pattern.encode()), sha256(b"policy"), sha256(b"snapshot"))


@dataclass
class House:
    """Everything open on one root folder."""

    root: Path
    book: Book
    register: Register
    packages: PackageFolder
    outboxes: Outboxes
    release_key: SigningKey
    gateway: Gateway
    clock: TickingClock
    groups: dict[str, int | None] = field(default_factory=lambda: {"a": 10, "b": 20, "a+b": 30})

    def prepared(self, counts: dict[str, int | None] | None = None, *, account: str = "ann") -> Request:
        """Return a submitted request of stage 2 for these groups."""
        tables = self.packages.seal(table_package(counts or self.groups))
        request = self.gateway.create(
            account,
            project=PROJECT,
            stage=Stage.OUTSIDE,
            population=POPULATION,
            title="groups",
            purpose="a made-up question",
            binding=binding_of(tables),
        )
        return self.gateway.submit(request.id, account)

    def approved(self, counts: dict[str, int | None] | None = None) -> Request:
        """Return a request approved by two checkers."""
        request = self.prepared(counts)
        self.gateway.vote(request.id, "kim", Decision.APPROVE)
        return self.gateway.vote(request.id, "lou", Decision.APPROVE)

    def fsck(self) -> list[str]:
        return fsck(self.book, self.outboxes.folders, self.release_key.public_pem)

    def close(self) -> None:
        self.book.close()


def open_house(root: Path, *, attack: Attack | None = None, lock_wait_s: float = 10.0) -> House:
    """Open the house on `root`, as after a restart."""
    clock, log_key, release_key = (
        TickingClock(),
        SigningKey.load(root / "log.key"),
        SigningKey.load(root / "release.key"),
    )
    book = Book.open(root, log_key, clock=clock, lock_wait_s=lock_wait_s)
    register, packages = Register(book), PackageFolder(root / "packages")
    outboxes = Outboxes({stage: root / stage.value for stage in Stage})
    with book.view() as view:
        ids = PlainIds(len(view.requests()))
    gateway = Gateway(
        book=book,
        people=register,
        clock=clock,
        ids=ids,
        attack=attack or DifferencingAttack(packages),
        reprotect=HideAll(packages),
        publisher=outboxes,
        packages=packages,
        signer=ManifestSigner(release_key),
    )
    return House(root, book, register, packages, outboxes, release_key, gateway, clock)


def new_house(root: Path, *, attack: Attack | None = None, lock_wait_s: float = 10.0) -> House:
    """Open a new house on `root`, with keys and people: a copy of one that is made once in a process."""
    shutil.copytree(_template(), root)
    return open_house(root, attack=attack, lock_wait_s=lock_wait_s)


@cache
def _template() -> Path:
    root = Path(tempfile.mkdtemp(prefix="house-"))
    atexit.register(shutil.rmtree, root)
    for name in ("packages", *(stage.value for stage in Stage)):
        (root / name).mkdir()
    for name in ("log.key", "release.key"):
        SigningKey.create(root / name)
    Book.create(root, SigningKey.load(root / "log.key"), clock=TickingClock(), lock_wait_s=0).close()
    house = open_house(root)
    house.register.enrol(PEOPLE, "stef")
    house.close()
    return root
