"""One transaction of the book, in the gateway's words. What it may not do, the store's guards refuse."""

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from enclave.errors import RequestError
from enclave.gateway.binding import Binding
from enclave.gateway.canonical import NO_HEAD, utc_moment, utc_text
from enclave.gateway.log_entry import LogDraft
from enclave.gateway.records import HistoryEntry, Intent, SignedManifest
from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Decision, Remark, Vote
from enclave.ledger.audit_log import AuditLog
from enclave.ledger.schema import history, intents, remarks, requests, votes


class BookTransaction:
    """See `enclave.gateway.ports.Transaction`."""

    def __init__(self, connection: Connection, audit: AuditLog) -> None:
        self._connection, self._audit = connection, audit

    def request(self, request_id: str) -> Request:
        """Return the request as it stands; RequestError UNKNOWN_REQUEST."""
        row = self._connection.execute(select(requests).where(requests.c.id == request_id)).one_or_none()
        if row is None:
            raise RequestError("UNKNOWN_REQUEST", "there is no request of this id; look it up in the list of requests")
        return _request(row)

    def requests(self, state: RequestState | None = None) -> tuple[Request, ...]:
        """Return all requests, or those in one state, oldest first."""
        query = select(requests).order_by(requests.c.number)
        if state is not None:
            query = query.where(requests.c.state == state.value)
        return tuple(_request(row) for row in self._connection.execute(query))

    def votes(self, request_id: str) -> tuple[Vote, ...]:
        """Return every vote ever cast on the request, oldest first."""
        query = select(votes).where(votes.c.request == request_id).order_by(votes.c.number)
        return tuple(_vote(row) for row in self._connection.execute(query))

    def remarks(self, request_id: str) -> tuple[Remark, ...]:
        """Return every remark made on the request, oldest first."""
        query = select(remarks).where(remarks.c.request == request_id).order_by(remarks.c.number)
        rows = self._connection.execute(query)
        return tuple(Remark(row.request, row.turn, row.person, row.text, utc_moment(row.at)) for row in rows)

    def history(self) -> tuple[HistoryEntry, ...]:
        """Return every release ever decided, oldest first."""
        return tuple(_history(row) for row in self._connection.execute(select(history).order_by(history.c.seq)))

    def history_head(self) -> str:
        """Return the head of the last history entry, or NO_HEAD."""
        query = select(history.c.head).order_by(history.c.seq.desc()).limit(1)
        return self._connection.execute(query).scalar_one_or_none() or NO_HEAD

    def log_head(self) -> str:
        """Return the head of the audit log, or NO_HEAD."""
        last = self._audit.head(self._connection)
        return last.head if last else NO_HEAD

    def intents(self, request_id: str) -> tuple[Intent, ...]:
        """Return the request's intents, oldest first, open or done."""
        return self._intents(intents.c.request == request_id)

    def open_intents(self) -> tuple[Intent, ...]:
        """Return every decided release that is not known to be published, oldest first."""
        return self._intents(intents.c.done.is_(None))

    def create(self, request: Request, draft: LogDraft) -> None:
        """Store a new request."""
        row = {
            "id": request.id,
            "project": request.project,
            "stage": request.stage.value,
            "author": request.author,
            "population": request.population,
            "title": request.title,
            "purpose": request.purpose,
        }
        self._connection.execute(insert(requests).values(row | _changing(request) | self._logged(draft)))

    def move(self, request: Request, draft: LogDraft) -> None:
        """Store the request's next state, turn and binding."""
        self._update(request, self._logged(draft))

    def add_vote(self, vote: Vote, moved: Request, draft: LogDraft) -> None:
        """Store a vote for ever, and the state that it leads to."""
        logged = self._logged(draft)
        row = {
            "request": vote.request,
            "turn": vote.turn,
            "person": vote.person,
            "decision": vote.decision.value,
            "comment": vote.comment,
            "binding": vote.binding,
            "head_seen": vote.head_seen,
            "at": utc_text(vote.at),
        }
        self._connection.execute(insert(votes).values(row | logged))
        self._update(moved, logged)

    def add_remark(self, remark: Remark) -> None:
        """Store a remark for ever."""
        row = {
            "request": remark.request,
            "turn": remark.turn,
            "person": remark.person,
            "text": remark.text,
            "at": utc_text(remark.at),
        }
        self._connection.execute(insert(remarks).values(row))

    def add_release(self, intent: Intent, entry: HistoryEntry) -> None:
        """Store the intent and the history entry of a release; the request's move follows in this transaction."""
        row = {
            "release": intent.release,
            "request": intent.request,
            "turn": intent.turn,
            "stage": intent.stage.value,
            "package": intent.package,
            "created": utc_text(intent.created),
            "manifest": intent.signed.manifest,
            "signature": intent.signed.signature,
        }
        self._connection.execute(insert(intents).values(row))
        self._connection.execute(insert(history).values(_history_row(entry)))

    def finish_intent(self, release_id: str, draft: LogDraft) -> None:
        """Note that the release is published."""
        done = self._audit.append(self._connection, draft).seq
        self._connection.execute(update(intents).where(intents.c.release == release_id).values(done=done))

    def _logged(self, draft: LogDraft) -> dict[str, int]:
        return {"logged": self._audit.append(self._connection, draft).seq}

    def _update(self, request: Request, logged: dict[str, int]) -> None:
        values = _changing(request) | logged
        self._connection.execute(update(requests).where(requests.c.id == request.id).values(values))

    def _intents(self, condition: ColumnElement[bool]) -> tuple[Intent, ...]:
        query = select(intents).where(condition).order_by(intents.c.number)
        return tuple(_intent(row) for row in self._connection.execute(query))


def _changing(request: Request) -> dict[str, str | int]:
    """Return the columns that a step may change."""
    return {
        "tables": request.binding.tables,
        "pattern": request.binding.pattern,
        "policy": request.binding.policy,
        "snapshot": request.binding.snapshot,
        "binding": request.binding.digest,
        "state": request.state.value,
        "turn": request.turn,
    }


def _request(row: Row[*tuple[object, ...]]) -> Request:
    return Request(
        id=row.id,
        project=row.project,
        stage=Stage(row.stage),
        author=row.author,
        population=row.population,
        title=row.title,
        purpose=row.purpose,
        binding=Binding(row.tables, row.pattern, row.policy, row.snapshot),
        state=RequestState(row.state),
        turn=row.turn,
    )


def _vote(row: Row[*tuple[object, ...]]) -> Vote:
    return Vote(
        request=row.request,
        turn=row.turn,
        person=row.person,
        decision=Decision(row.decision),
        comment=row.comment,
        binding=row.binding,
        head_seen=row.head_seen,
        at=utc_moment(row.at),
    )


def _intent(row: Row[*tuple[object, ...]]) -> Intent:
    return Intent(
        release=row.release,
        request=row.request,
        turn=row.turn,
        stage=Stage(row.stage),
        package=row.package,
        created=utc_moment(row.created),
        signed=SignedManifest(row.manifest, row.signature),
    )


def _history(row: Row[*tuple[object, ...]]) -> HistoryEntry:
    return HistoryEntry(
        seq=row.seq,
        release=row.release,
        request=row.request,
        project=row.project,
        stage=Stage(row.stage),
        population=row.population,
        binding=row.binding,
        package=row.package,
        at=utc_moment(row.at),
        previous=row.previous,
    )


def _history_row(entry: HistoryEntry) -> dict[str, str | int]:
    return {
        "seq": entry.seq,
        "release": entry.release,
        "request": entry.request,
        "project": entry.project,
        "stage": entry.stage.value,
        "population": entry.population,
        "binding": entry.binding,
        "package": entry.package,
        "at": utc_text(entry.at),
        "previous": entry.previous,
        "head": entry.head,
    }
