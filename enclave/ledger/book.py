"""The book: the one store of requests, votes, intents and history, with the audit log in it.

An embedded SQLite with `synchronous=FULL`: what was committed is on disk. Every writing transaction begins IMMEDIATE,
as the only writer, so what it reads cannot change before it writes. The crash rig finds nothing wrong with a rollback
journal nor with a write-ahead log; the book uses the latter, so that a long look (fsck, a dump of the log) never stops
a vote. Its price: where the kernel refuses to let go of a lock, the next writer waits for the busy timeout.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from enclave.errors import EnclaveBug, IntegrityError, SetupError
from enclave.gateway.log_entry import LogDraft
from enclave.gateway.ports import Clock
from enclave.ledger.audit_log import AuditLog, SignedHead
from enclave.ledger.book_transaction import BookTransaction
from enclave.ledger.lock import hold_lock
from enclave.ledger.schema import metadata
from enclave.ledger.signing import SigningKey
from enclave.ledger.triggers import trigger_statements

FILE = "book.sqlite"
LOCK = "release.lock"
_BUSY_MS = 10_000  # transactions are short: attacks and publications happen outside
_READING = "enclave_reading"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  # so that INSERT OR REPLACE meets the guards against deletion
    f"PRAGMA busy_timeout = {_BUSY_MS}",
)


class Book:
    """An open book, by `Book.create` or `Book.open`; close it when done."""

    def __init__(self, folder: Path, engine: Engine, audit: AuditLog, lock_wait_s: float) -> None:
        self._folder, self._engine, self._audit, self._lock_wait_s = folder, engine, audit, lock_wait_s

    @classmethod
    def create(cls, folder: Path, key: SigningKey, *, clock: Clock, lock_wait_s: float) -> "Book":
        """Begin a book in `folder` and open it; SetupError BOOK_EXISTS. An interrupted making is simply repeated."""
        return cls._opened(folder, key, clock, lock_wait_s, _make)

    @classmethod
    def open(cls, folder: Path, key: SigningKey, *, clock: Clock, lock_wait_s: float) -> "Book":
        """Open the book in `folder`; `lock_wait_s` is how long a release waits for another one.

        Raises IntegrityError when the file is damaged, its guards are not ours, or the log's end does not verify, and
        SetupError when there is none or it cannot be opened.
        """
        if not (folder / FILE).is_file():
            raise SetupError(
                "BOOK_MISSING", "there is no book in this folder; restore it, or begin a new house with one"
            )
        return cls._opened(folder, key, clock, lock_wait_s, _check)

    @classmethod
    def _opened(
        cls, folder: Path, key: SigningKey, clock: Clock, lock_wait_s: float, first: Callable[[Connection], None]
    ) -> "Book":
        book = cls(folder, _engine(folder / FILE), AuditLog(key, clock), lock_wait_s)
        try:
            with book.connection() as connection:
                first(connection)
                book.audit.check_end(connection)
        except BaseException:
            book.close()
            raise
        return book

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @property
    def audit(self) -> AuditLog:
        """The audit log; it reads and writes on a `connection` of this book."""
        return self._audit

    @contextmanager
    def connection(self, *, reading: bool = False) -> Iterator[Connection]:
        """Give a connection inside one transaction of the only writer, or of one reader among many.

        Raises EnclaveBug STORE_REFUSED when a guard or constraint of the store aborts, SetupError BOOK_UNAVAILABLE
        when the disk fails or another writer does not end; either way all of the transaction is undone.
        """
        try:
            with self._engine.execution_options(**{_READING: reading}).begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _translated(error) from error

    @contextmanager
    def transaction(self) -> Iterator[BookTransaction]:
        """Give a writing transaction as the gateway knows it; see `connection` for errors."""
        with self.connection() as connection:
            yield BookTransaction(connection, self._audit)

    @contextmanager
    def view(self) -> Iterator[BookTransaction]:
        """Give a consistent view of the book, for reading only."""
        with self.connection(reading=True) as connection:
            yield BookTransaction(connection, self._audit)

    @contextmanager
    def release_lock(self) -> Iterator[None]:
        """Hold the release lock, of this and all other processes; RequestError RELEASE_BUSY after the wait."""
        with hold_lock(self._folder / LOCK, self._lock_wait_s):
            yield

    def record(self, draft: LogDraft) -> None:
        """Append one entry to the audit log in a transaction of its own."""
        with self.connection() as connection:
            self._audit.append(connection, draft)

    def log_head(self) -> SignedHead | None:
        """Return the log's signed head, to be kept elsewhere as an anchor; None while the log is empty."""
        with self.connection(reading=True) as connection:
            return self._audit.head(connection)

    def verify_log(self, anchor: SignedHead | None) -> list[str]:
        """Verify the whole log, against an anchor where one is given; return the problems."""
        with self.connection(reading=True) as connection:
            return self._audit.problems(connection, anchor)

    def dump_log(self, path: Path) -> None:
        """Write the log for an auditor; see `AuditLog.dump`."""
        with self.connection(reading=True) as connection:
            self._audit.dump(connection, path)


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)  # no error shows what was stored
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver must not begin and end transactions by itself
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _translated(error: DBAPIError) -> Exception:
    reason = str(error.orig)
    if isinstance(error.orig, sqlite3.IntegrityError):
        return EnclaveBug("STORE_REFUSED", f"the store refused what the gateway allowed: {reason}")
    if isinstance(error.orig, sqlite3.OperationalError):
        return SetupError("BOOK_UNAVAILABLE", f"the book cannot be used ({reason}); mend that, then start again")
    return IntegrityError("BOOK_DAMAGED", f"the book is damaged ({reason}); stop, and restore it from a copy")


def _expected(connection: Connection) -> list[str]:
    """Return every statement that makes the tables and guards, as SQLite keeps them."""
    tables = [str(CreateTable(table).compile(connection.engine)).strip() for table in metadata.sorted_tables]
    return [*tables, *trigger_statements()]


def _found(connection: Connection) -> list[str]:
    return list(connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").scalars())


def _make(connection: Connection) -> None:
    """Make tables and guards, in the connection's one transaction."""
    if _found(connection):
        raise SetupError("BOOK_EXISTS", "there is a book in this folder already; open it")
    for statement in _expected(connection):
        connection.exec_driver_sql(statement)


def _check(connection: Connection) -> None:
    """Check that the book is whole and its tables and guards exactly ours."""
    found = _found(connection)
    if not found:
        raise SetupError("BOOK_MISSING", "there is no book in this folder; restore it, or begin a new house with one")
    if sorted(found) != sorted(_expected(connection)):
        raise IntegrityError("BOOK_SCHEMA", "tables or guards of the book were changed; stop, and compare with a copy")
    damage = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    if damage != "ok" or connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise IntegrityError("BOOK_DAMAGED", "the book does not hold together; stop, and restore it from a copy")
