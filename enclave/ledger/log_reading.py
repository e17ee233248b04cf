"""Reading the audit log by what happened, to whom, and who did it: pages of it, newest first."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from enclave.gateway.canonical import utc_moment
from enclave.gateway.log_entry import LogAction
from enclave.ledger.schema import log


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry, as it was written."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which entries somebody wants to see; None or "" stands for all."""

    action: str = ""
    subject: str = ""
    person: str = ""


def newest(connection: Connection, wanted: LogFilter, *, before: int | None, limit: int) -> tuple[LogEntry, ...]:
    """Return at most `limit` entries, newest first, below number `before` where one is given."""
    query = select(log.c.entry).order_by(log.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(log.c.seq < before)
    for name, value in (("action", wanted.action), ("subject", wanted.subject), ("actor", wanted.person)):
        if value:
            query = query.where(field(name) == value)
    return tuple(entry_of(text) for text in connection.execute(query).scalars())


def about(connection: Connection, subject: str) -> tuple[LogEntry, ...]:
    """Return everything that happened to one subject, oldest first."""
    query = select(log.c.entry).where(field("subject") == subject).order_by(log.c.seq)
    return tuple(entry_of(text) for text in connection.execute(query).scalars())


def last_times(connection: Connection, actions: Collection[LogAction]) -> dict[str, datetime]:
    """Return for each subject when one of these actions last happened to it."""
    wanted = field("action").in_([action.value for action in actions])
    query = select(field("subject"), func.max(field("at"))).where(wanted).group_by(field("subject"))
    return {subject: utc_moment(at) for subject, at in connection.execute(query)}


def notices_taken(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Return which of these notices the log holds already."""
    known = field("details.notice")
    return frozenset(connection.execute(select(known).where(known.in_(ids))).scalars())


def field(name: str) -> ColumnElement[str]:
    """Return a field of an entry, for a query."""
    return func.json_extract(log.c.entry, f"$.{name}")


def entry_of(text: str) -> LogEntry:
    """Return an entry as it was written."""
    raw = json.loads(text)
    return LogEntry(raw["seq"], utc_moment(raw["at"]), raw["actor"], raw["action"], raw["subject"], raw["details"])
