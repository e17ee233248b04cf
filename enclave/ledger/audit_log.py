"""The audit log: a chain of entries, each with a signed head, in the same database as what they tell about.

An entry is canonical JSON {seq, at, actor, action, subject, details, previous}; its head is the SHA-256 of its bytes.
Entries are appended inside the book's transactions only. What details may hold is fixed in gateway/log_entry.py.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from enclave.errors import IntegrityError, SetupError
from enclave.gateway.canonical import NO_HEAD, sha256, utc_text
from enclave.gateway.log_entry import LogDraft
from enclave.gateway.ports import Clock
from enclave.ledger.schema import log
from enclave.ledger.signing import SigningKey, check_signature
from enclave.ledger.verify_log import SignedHead, canonical, to_sign, verify_log

__all__ = ["AuditLog", "SignedHead", "read_anchor", "verify_log", "write_anchor"]


class AuditLog:
    """Appends to the log and reads it, on connections that the book lends."""

    def __init__(self, key: SigningKey, clock: Clock) -> None:
        self._key, self._clock = key, clock

    def append(self, connection: Connection, draft: LogDraft) -> SignedHead:
        """Add one entry at the end, within the connection's transaction; return its head."""
        last = self.head(connection)
        seq, previous = (last.seq + 1, last.head) if last else (1, NO_HEAD)
        entry = canonical(
            {
                "seq": seq,
                "at": utc_text(self._clock()),
                "actor": draft.actor,
                "action": draft.action.value,
                "subject": draft.subject,
                "details": dict(draft.details),
                "previous": previous,
            }
        )
        head = sha256(entry)
        signed = SignedHead(seq, head, self._key.sign(to_sign(seq, head)))
        row = {"seq": seq, "entry": entry.decode(), "head": head, "signature": signed.signature.hex()}
        connection.execute(insert(log).values(row))
        return signed

    def head(self, connection: Connection) -> SignedHead | None:
        """Return the last entry's head, or None while the log is empty."""
        row = connection.execute(select(log).order_by(log.c.seq.desc()).limit(1)).one_or_none()
        return None if row is None else SignedHead(row.seq, row.head, bytes.fromhex(row.signature))

    def lines(self, connection: Connection) -> Iterator[tuple[bytes, SignedHead]]:
        """Give every entry's bytes with its head, oldest first."""
        for row in connection.execute(select(log).order_by(log.c.seq)):
            yield row.entry.encode(), SignedHead(row.seq, row.head, bytes.fromhex(row.signature))

    def check_end(self, connection: Connection) -> None:
        """Raise IntegrityError LOG_DAMAGED unless the last entry has its hash and our signature. Quick; not a proof."""
        last = connection.execute(select(log).order_by(log.c.seq.desc()).limit(1)).one_or_none()
        if last is not None:
            self.check_row(last)

    def check_row(self, row: Row[Any]) -> None:
        """Raise IntegrityError LOG_DAMAGED unless this entry has its hash and our signature."""
        if sha256(row.entry.encode()) != row.head:
            raise IntegrityError(
                "LOG_DAMAGED", f"entry {row.seq} of the audit log was changed; stop and verify the log"
            )
        check_signature(self._key.public_pem, bytes.fromhex(row.signature), to_sign(row.seq, row.head))

    def problems(self, connection: Connection, anchor: SignedHead | None) -> list[str]:
        """Verify the whole log; see `verify_log`."""
        pairs = list(self.lines(connection))
        return verify_log([data for data, _ in pairs], [head for _, head in pairs], self._key.public_pem, anchor)

    def dump(self, connection: Connection, path: Path) -> None:
        """Write the log as JSON lines, for verify_log.py; SetupError FILE_NOT_MADE if `path` exists."""
        descriptor = _create(path)
        with os.fdopen(descriptor, "wb") as file:
            for data, signed in self.lines(connection):
                rest = f',"head":"{signed.head}","signature":"{signed.signature.hex()}"}}\n'
                file.write(b'{"entry":' + data + rest.encode())
            file.flush()
            os.fsync(descriptor)


def write_anchor(path: Path, head: SignedHead) -> None:
    """Keep a head outside the log, in place of an older one: on a stick, on paper, with another service.

    Raises IntegrityError ANCHOR_NEWER when the file holds a later head: then the log was cut or an old copy put back.
    """
    if path.exists() and read_anchor(path).seq > head.seq:
        raise IntegrityError("ANCHOR_NEWER", f"{path.name} knows a later entry than the log has; entries are missing")
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = _create(unfinished)
    with os.fdopen(descriptor, "wb") as file:
        file.write(head.to_bytes())
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)


def read_anchor(path: Path) -> SignedHead:
    """Return a head kept by `write_anchor`; SetupError ANCHOR_UNREADABLE when it cannot be read."""
    try:
        return SignedHead.from_bytes(path.read_bytes())
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise SetupError("ANCHOR_UNREADABLE", f"{path.name} holds no signed head; give the right file") from error


def _create(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SetupError("FILE_NOT_MADE", f"cannot make {path.name}: {error.strerror}; choose another name") from error
