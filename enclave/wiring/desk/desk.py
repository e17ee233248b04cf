"""The desk at which people work: what pages and interface may show to whom, and where they hand things in.

Callers are accounts. Rights come from the register at each call, never from anywhere else. Whatever is refused is
logged by the house or the gateway; whatever opens reasons, releases or the log leaves an entry with the person's name.
"""

import io
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from enclave.errors import IntegrityError, RequestError
from enclave.gateway import permissions
from enclave.gateway.canonical import sha256
from enclave.gateway.log_entry import LogAction
from enclave.gateway.permissions import Person
from enclave.gateway.records import HistoryEntry, Status
from enclave.gateway.request import TRANSITIONS, Action, Request, RequestState, Stage
from enclave.gateway.review import Vote
from enclave.ledger import log_reading
from enclave.ledger.audit_log import read_anchor
from enclave.ledger.log_reading import LogEntry, LogFilter
from enclave.ledger.manifest import MANIFEST
from enclave.ledger.read_release import Release, read_release
from enclave.ledger.verify_release import examine
from enclave.wiring.desk.evidence import TableEvidence, evidence_of
from enclave.wiring.desk.shown import Difference, differences, shown_by
from enclave.wiring.house import House
from enclave.wiring.ports import now

KEPT = 4
"""How many opened packages, and sets of reasons, stay in memory."""

LOG_PAGE = 50
"""Entries of the audit log on one page."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request in a list; `since`: when it came to whoever has to act; `mine`: whether that is the reader."""

    request: Request
    since: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the audit log; `older`: the number below which the next page begins, None at the end."""

    entries: tuple[LogEntry, ...]
    older: int | None


class Desk:
    """See the module. One desk serves all threads of a process."""

    def __init__(self, house: House) -> None:
        """Stand in an open house."""
        self._house = house
        self._shown: OrderedDict[str, Release] = OrderedDict()
        self._evidence: OrderedDict[str, Mapping[str, TableEvidence]] = OrderedDict()
        self._making = threading.Lock()
        self._over: frozenset[str] = frozenset()

    def person(self, account: str) -> Person:
        """Return whose account this is; PermissionDenied UNKNOWN_ACCOUNT."""
        return self._house.register.by_account(account)

    def requests(self, account: str) -> tuple[RequestLine, ...]:
        """Return the requests that the caller may see: first what awaits the caller, oldest first, then the newest."""
        person, found = self.person(account), self._house.gateway.requests(account)
        with self._house.book.connection(reading=True) as connection:
            times = log_reading.last_times(connection, _CAME_IN)
        with self._house.book.view() as view:
            votes = {request.id: view.votes(request.id) for request in found}
        lines = [RequestLine(r, times.get(r.id), self._awaits(person, r, votes[r.id])) for r in found]
        mine = sorted((line for line in lines if line.mine), key=lambda line: line.since or now())
        rest = sorted((line for line in lines if not line.mine), key=lambda line: line.since or now(), reverse=True)
        return (*mine, *rest)

    def status(self, account: str, request_id: str) -> Status:
        """Return a request as the caller may see it."""
        return self._house.gateway.status(request_id, account)

    def steps(self, account: str, request_id: str) -> tuple[LogEntry, ...]:
        """Return what happened to a request, oldest first; votes stand apart, since first votes are blind."""
        status = self.status(account, request_id)
        with self._house.book.connection(reading=True) as connection:
            entries = log_reading.about(connection, status.request.id)
        return tuple(entry for entry in entries if entry.action in _STEPS)

    def actions(self, account: str, status: Status) -> frozenset[Action]:
        """Return what the caller may do with a request as it stands."""
        person, request, today = self.person(account), status.request, now().date()
        may = {
            Action.SUBMIT: permissions.may_submit(person, request),
            Action.WITHDRAW: permissions.may_withdraw(person, request),
            Action.VOTE: permissions.may_vote(person, request, status.votes, today),
            Action.RETURN: permissions.may_return(person, request, today),
            Action.RELEASE: permissions.may_release(person),
        }
        return frozenset(action for action in TRANSITIONS[request.state] if may.get(action, False))

    def may_check(self, account: str, request: Request) -> bool:
        """Whether the caller may check this request, and so see its reasons."""
        return permissions.may_return(self.person(account), request, now().date())

    def may_see_tables(self, account: str, status: Status) -> bool:
        """Whether the caller may see the tables of a request as they will be published."""
        return permissions.may_see_tables(self.person(account), status.request, status.published)

    def tables(self, account: str, status: Status) -> Release:
        """Return the tables of a request as they will be published; PermissionDenied where one may not see them."""
        request, published = status.request, status.published
        self._house.allow(account, "see_tables", lambda one: permissions.check_see_tables(one, request, published))
        self._require_open_to_members(account, request.project)
        self._house.require_unlocked(account, "see_tables")
        digest = request.binding.tables
        return self._keep(self._shown, digest, lambda: shown_by(self._house.packages.read(digest)))

    def evidence(self, account: str, status: Status) -> Mapping[str, TableEvidence]:
        """Return why cells are hidden and what they could be, for who may check the request; logged each time."""
        request, today = status.request, now().date()
        person = self._house.allow(account, "see_reasons", lambda one: permissions.check_return(one, request, today))
        self._house.require_open(account, "see_reasons", request.project)
        self._house.require_unlocked(account, "see_reasons")
        self._house.log(
            person.id, LogAction.KEY_USED, request.id, project=request.project, operation="reasons shown to checker"
        )
        key = f"{request.id}.{request.binding.tables}"
        return self._keep(self._evidence, key, lambda: evidence_of(self._house, request))

    def differences(self, account: str, status: Status) -> tuple[HistoryEntry, tuple[Difference, ...]] | None:
        """Return the release before of this project and stage, and how each table differs; None without one."""
        tables, request = self.tables(account, status), status.request
        with self._house.book.view() as view:
            history = view.history()
        own = min((entry.seq for entry in history if entry.request == request.id), default=len(history) + 1)
        before = [e for e in history if e.seq < own and (e.project, e.stage) == (request.project, request.stage)]
        if not before:
            return None
        return before[-1], differences(self.released(account, before[-1].release, request.stage), tables)

    def released(self, account: str, release_id: str, stage: Stage) -> Release:
        """Return a published release, verified; whether the caller may see it was asked before."""
        self._house.require_unlocked(account, "see_tables")
        folder = self._house.settings.outboxes[stage] / release_id
        key = self._house.release_key.public_pem
        return self._keep(self._shown, f"release {release_id}", lambda: read_release(folder, key))

    def release(self, account: str, release_id: str) -> tuple[HistoryEntry, Status]:
        """Return a release that the caller may see; RequestError UNKNOWN_RELEASE, PermissionDenied."""
        with self._house.book.view() as view:
            found = [entry for entry in view.history() if entry.release == release_id]
        if not found:
            raise RequestError("UNKNOWN_RELEASE", "there is no release of this id; look it up in the list of requests")
        self._require_open_to_members(account, found[0].project)
        return found[0], self.status(account, found[0].request)

    def may_download(self, account: str, entry: HistoryEntry) -> bool:
        """Whether the caller may carry a release out: stewards, and only what was released for outside."""
        return permissions.may_download(self.person(account), entry.stage)

    def download(self, account: str, release_id: str) -> bytes:
        """Return a release as a zip file, verified, for a steward; logged. What is inside stays inside."""
        entry, status = self.release(account, release_id)
        person = self._house.allow(account, "download", lambda one: permissions.check_download(one, entry.stage))
        folder = self._house.settings.outboxes[entry.stage] / entry.release
        problems, files = examine(folder, self._house.release_key.public_pem)
        if problems:
            raise IntegrityError("RELEASE_INVALID", f"release {release_id} does not verify: {problems[0]}")
        self._house.log(
            person.id,
            LogAction.DOWNLOADED,
            release_id,
            account=account,
            request=status.request.id,
            manifest=sha256(files[MANIFEST]),
        )
        return _zip(release_id, files)

    def log(self, account: str, wanted: LogFilter, before: int | None) -> LogPage:
        """Return a page of the audit log for an auditor; that it was read is logged first."""
        person = self._house.allow(account, "read_log", permissions.check_read_log)
        self._house.log(person.id, LogAction.LOG_READ, "log", account=account)
        with self._house.book.connection(reading=True) as connection:
            found = log_reading.newest(connection, wanted, before=before, limit=LOG_PAGE + 1)
        more = len(found) > LOG_PAGE
        return LogPage(found[:LOG_PAGE], found[LOG_PAGE - 1].seq if more else None)

    def verify_log(self, account: str) -> list[str]:
        """Verify the whole audit log against the house's own anchor, for an auditor; return the problems."""
        person = self._house.allow(account, "read_log", permissions.check_read_log)
        self._house.log(person.id, LogAction.LOG_READ, "log", account=account)
        anchor = self._house.settings.anchor
        return self._house.book.verify_log(read_anchor(anchor) if anchor.exists() else None)

    def _awaits(self, person: Person, request: Request, votes: tuple[Vote, ...]) -> bool:
        """Whether the person is who has to act next."""
        today = now().date()
        if request.state.in_review:
            return permissions.may_vote(person, request, votes, today)
        if request.state is RequestState.REVIEWED:
            return permissions.may_return(person, request, today)
        if request.state is RequestState.APPROVED:
            return permissions.may_release(person)
        if request.state in (RequestState.PENDING, RequestState.RETURNED):
            return permissions.may_submit(person, request)
        return False

    def forget_if_locked(self) -> None:
        """Keep nothing of the vault in memory once it is locked or a project is closed; asked for every second."""
        over = frozenset(one.term.project for one in self._house.retention.states() if one.is_closed)
        if self._house.locked or over != self._over:
            self._shown.clear()
            self._evidence.clear()
        self._over = over

    def _require_open_to_members(self, account: str, project: str) -> None:
        """Close a project whose term is over to those who worked in it; what was released stays for the others."""
        if project in self.person(account).projects:
            self._house.require_open(account, "see_tables", project)

    def _keep(self, kept: "OrderedDict[str, T]", key: str, make: Callable[[], T]) -> T:
        """Return what was made before, or make it: once, however many ask at the same time.

        SetupError VAULT_LOCKED while the vault is locked.
        """
        self._house.vault.require_unlocked()
        with self._making:
            if key not in kept:
                kept[key] = make()
                while len(kept) > KEPT:
                    kept.popitem(last=False)
            kept.move_to_end(key)
            return kept[key]


_CAME_IN = (
    LogAction.CREATED,
    LogAction.SUBMITTED,
    LogAction.SENT_BACK,
    LogAction.RETURNED,
    LogAction.APPROVED,
    LogAction.RELEASED,
    LogAction.REJECTED,
    LogAction.WITHDRAWN,
)
_STEPS = frozenset(action.value for action in (*_CAME_IN, LogAction.REVOKED, LogAction.EXPIRED))


def _zip(release_id: str, files: Mapping[str, bytes]) -> bytes:
    """Return the files in one archive below a folder of the release's name; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(f"{release_id}/{path}"), files[path], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
