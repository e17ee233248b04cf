"""What the gateway needs from the rooms below, as Protocols. Adapters are plugged in by enclave/wiring.py alone."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from enclave.gateway.binding import Package
from enclave.gateway.log_entry import LogDraft
from enclave.gateway.permissions import Person
from enclave.gateway.records import (
    HistoryEntry,
    Intent,
    Proposal,
    PublicFiles,
    ReleaseDraft,
    SignedManifest,
    Verdict,
)
from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Remark, Vote


class Clock(Protocol):
    """Gives the time, with a time zone."""

    def __call__(self) -> datetime:
        """Return now."""
        ...


class Ids(Protocol):
    """Gives new ids, never the same twice: lower case letters, digits, '.', '_', '-'."""

    def request_id(self, project: str) -> str:
        """Return an id for a new request."""
        ...

    def release_id(self, request: Request) -> str:
        """Return an id for a new release; it becomes the name of the release's folder."""
        ...


class People(Protocol):
    """Knows who is who. Both raise PermissionDenied (UNKNOWN_ACCOUNT, UNKNOWN_PERSON)."""

    def person(self, person_id: str) -> Person:
        """Return the person as enrolled now."""
        ...

    def by_account(self, account: str) -> Person:
        """Return whose account this is."""
        ...


class LogWriter(Protocol):
    """Writes to the audit log: for rooms that have nothing else to store."""

    def record(self, draft: LogDraft) -> None:
        """Append one entry, durably, in a transaction of its own."""
        ...


class View(Protocol):
    """A consistent view of the book."""

    def request(self, request_id: str) -> Request:
        """Return the request as it stands; RequestError UNKNOWN_REQUEST."""
        ...

    def requests(self, state: RequestState | None = None) -> tuple[Request, ...]:
        """Return all requests, or those in one state, oldest first."""
        ...

    def votes(self, request_id: str) -> tuple[Vote, ...]:
        """Return every vote ever cast on the request, oldest first."""
        ...

    def remarks(self, request_id: str) -> tuple[Remark, ...]:
        """Return every remark made on the request, oldest first."""
        ...

    def history(self) -> tuple[HistoryEntry, ...]:
        """Return every release ever decided, oldest first."""
        ...

    def history_head(self) -> str:
        """Return the head of the last history entry, or NO_HEAD."""
        ...

    def log_head(self) -> str:
        """Return the head of the audit log, or NO_HEAD."""
        ...

    def intents(self, request_id: str) -> tuple[Intent, ...]:
        """Return the request's intents, oldest first, open or done."""
        ...

    def open_intents(self) -> tuple[Intent, ...]:
        """Return every decided release that is not known to be published."""
        ...


class Transaction(View, Protocol):
    """One transaction of the book: all of it happens, log entries included, or nothing."""

    def create(self, request: Request, draft: LogDraft) -> None:
        """Store a new request."""
        ...

    def move(self, request: Request, draft: LogDraft) -> None:
        """Store the request's next state, turn and binding."""
        ...

    def add_vote(self, vote: Vote, moved: Request, draft: LogDraft) -> None:
        """Store a vote for ever, and the state that it leads to."""
        ...

    def add_remark(self, remark: Remark) -> None:
        """Store a remark for ever."""
        ...

    def add_release(self, intent: Intent, entry: HistoryEntry) -> None:
        """Store the intent and the history entry of a release; the request's move follows in this transaction."""
        ...

    def finish_intent(self, release_id: str, draft: LogDraft) -> None:
        """Note that the release is published."""
        ...


class Book(LogWriter, Protocol):
    """The store of requests, votes, intents and history, with the audit log in it."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin at once as the only writer; commit durably at the end, roll back on any error."""
        ...

    def view(self) -> AbstractContextManager[View]:
        """Look at the book as it is at one moment, without stopping writers."""
        ...

    def release_lock(self) -> AbstractContextManager[None]:
        """Hold the one lock under which releases are attacked, committed and published."""
        ...


class Attack(Protocol):
    """The attacker on everything that would be public together."""

    def attack(self, request: Request, package: Package, history: tuple[HistoryEntry, ...]) -> Verdict:
        """Say whether the package is safe together with all earlier releases."""
        ...


class Reprotect(Protocol):
    """Finds a new pattern when the old one is no longer safe."""

    def reprotect(self, request: Request, history: tuple[HistoryEntry, ...]) -> Proposal:
        """Protect the request's tables against the history as it is now, seal the package, return its binding."""
        ...


class Packages(Protocol):
    """Sealed packages by content."""

    def read(self, digest: str) -> Package:
        """Return the package with this digest; IntegrityError when it is missing or changed."""
        ...


class Signer(Protocol):
    """Writes and signs manifests."""

    def sign(self, draft: ReleaseDraft) -> SignedManifest:
        """Return manifest and signature. Called inside the release's transaction: compute only, read nothing."""
        ...


class Publisher(Protocol):
    """Puts a release into the world."""

    def publish(self, stage: Stage, release_id: str, files: PublicFiles) -> None:
        """Make the folder of the release, whole and durable. The same again changes nothing."""
        ...
