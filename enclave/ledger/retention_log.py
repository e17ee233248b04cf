"""What the audit log says about the terms and destructions of projects, and the newest time that it has seen.

Terms stand nowhere else: whoever wants another one needs an entry of the log, with its signature. What was read once is
kept in memory; each look reads only what came since.
"""

import threading
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from enclave.gateway.canonical import utc_moment
from enclave.gateway.destruction import Approval, Destruction
from enclave.gateway.log_entry import LogAction
from enclave.gateway.retention import Extension, Term
from enclave.ledger.book import Book
from enclave.ledger.log_reading import LogEntry, entry_of, field
from enclave.ledger.schema import log

_READ = (
    LogAction.RETENTION_SET,
    LogAction.RETENTION_EXTENDED,
    LogAction.DESTRUCTION_APPROVED,
    LogAction.DESTRUCTION_BEGUN,
    LogAction.DESTROYED,
)
DELIVERIES_TOO, DELIVERIES_STAY = "destroyed too", "kept for others"
"""What a destruction says of what was delivered."""


class RetentionLog:
    """The terms of one house as its log has them. One for each process; threads share it."""

    def __init__(self, book: Book) -> None:
        """Know the book; nothing is read yet."""
        self._book = book
        self._lock = threading.Lock()
        self._seq = 0
        self._newest: datetime | None = None
        self._terms: dict[str, Term] = {}
        self._set: dict[str, date] = {}
        self._destructions: dict[str, Destruction] = {}

    def newest(self) -> datetime | None:
        """Return the newest time of any entry, None while the log is empty."""
        self._look()
        return self._newest

    def term(self, project: str) -> Term | None:
        """Return the term of a project, None where the log has none; IntegrityError where its entry was changed."""
        self._look()
        return self._terms.get(project)

    def set_last(self, project: str) -> date | None:
        """Return the day that was last taken from a policy for this project."""
        self._look()
        return self._set.get(project)

    def destruction(self, project: str) -> Destruction:
        """Return how far the destruction of a project is."""
        self._look()
        return self._destructions.get(project, Destruction(project))

    def projects(self) -> frozenset[str]:
        """Return the projects that have a term, or whose destruction somebody decided."""
        self._look()
        return frozenset(self._terms) | frozenset(self._destructions)

    def _look(self) -> None:
        with self._lock, self._book.connection(reading=True) as connection:
            last = connection.execute(select(func.max(log.c.seq))).scalar_one()
            if last is None or last == self._seq:
                return
            self._read(connection, last)
            self._seq = last

    def _read(self, connection: Connection, last: int) -> None:
        new = (log.c.seq > self._seq, log.c.seq <= last)
        at = connection.execute(select(func.max(field("at"))).where(*new)).scalar_one()
        query = select(log).where(*new, field("action").in_([action.value for action in _READ])).order_by(log.c.seq)
        for row in connection.execute(query):
            self._book.audit.check_row(row)
            self._take(entry_of(row.entry))
        newest = utc_moment(at)
        self._newest = newest if self._newest is None else max(self._newest, newest)

    def _take(self, entry: LogEntry) -> None:
        if entry.action in (LogAction.RETENTION_SET, LogAction.RETENTION_EXTENDED):
            self._take_term(entry)
        else:
            known = self._destructions.get(entry.subject, Destruction(entry.subject))
            self._destructions[entry.subject] = _further(known, entry)

    def _take_term(self, entry: LogEntry) -> None:
        project, until = entry.subject, date.fromisoformat(entry.details["until"])
        known = self._terms.get(project)
        if entry.action == LogAction.RETENTION_SET:
            self._set[project] = until
            if known is None or until < known.until:
                self._terms[project] = Term(project, until, known.extensions if known else ())
        elif known is not None:
            said = entry.details
            extension = Extension(said["ruling"], date.fromisoformat(said["dated"]), said["authority"], until)
            if extension.counts_against(known.until):
                self._terms[project] = Term(project, until, (*known.extensions, extension))
                self._forget_approvals(project)

    def _forget_approvals(self, project: str) -> None:
        """Whoever decided on a destruction decided before they knew of the extension."""
        if project in self._destructions:
            self._destructions[project] = replace(self._destructions[project], approvals=())


def _further(known: Destruction, entry: LogEntry) -> Destruction:
    """Return the destruction after one more entry; the first intent counts."""
    said = entry.details
    if entry.action == LogAction.DESTRUCTION_APPROVED:
        return replace(known, approvals=(*known.approvals, Approval(entry.actor, entry.at)))
    if entry.action == LogAction.DESTROYED:
        return replace(known, certificate=said["certificate"])
    if known.begun is not None:
        return known
    return replace(
        known,
        begun=entry.at,
        approved_by=tuple(said["approved_by"]),
        datasets=tuple(said["datasets"]),
        deliveries=said["deliveries"] == DELIVERIES_TOO,
    )
