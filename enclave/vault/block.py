"""One encrypted file of columns.

::

    magic 8 | version 2 | header length 4 | salt 32 | header | segments of the first column | of the second | ...

The file's own key is derived from the data key and the random salt (HKDF-SHA256), so nonces may count: the header has
number 0, the segments 1, 2, ... through the file. Header (JSON: columns with types, rows, facts) and segments (1 MiB
of a column each) are AES-256-GCM; each is bound to version, project, data set, partition, column, its index and the
number of the column's segments. So a flipped byte, a cut or longer file, and a swap of segments, columns, partitions,
data sets or projects are all found when the column concerned is read; the header is checked by every reading.
"""

import contextlib
import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from enclave.errors import EnclaveBug, IntegrityError, RequestError, SetupError
from enclave.vault import files
from enclave.vault.master import Key

Columns = Mapping[str, NDArray[Any]]

SEGMENT_BYTES = 1 << 20
SALT_BYTES = 32
_TAG_BYTES = 16
_MAGIC = b"ENCLAVE\n"
_VERSION = 1
_PREAMBLE = struct.Struct(f">8sHI{SALT_BYTES}s")
_TYPES = frozenset({"|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f4", "<f8"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block belongs. Every part of the block is bound to it."""

    project: str
    dataset: str
    partition: str

    def bind(self, *part: str | int) -> bytes:
        """Return the associated data of one part of the block."""
        return json.dumps([_VERSION, self.project, self.dataset, self.partition, *part]).encode()

    def __str__(self) -> str:
        return f"partition '{self.partition}' of data set '{self.dataset}' of project '{self.project}'"

    def broken(self) -> IntegrityError:
        """Return the error to raise when the block is not what was written here."""
        return IntegrityError(
            "BLOCK_BROKEN",
            f"{self} does not verify: its file was changed, cut, exchanged or written under another key. Stop; "
            "find out how, then restore the file from its backup",
        )


def checked_columns(columns: Columns) -> dict[str, NDArray[Any]]:
    """Return the columns in the layout that is stored; EnclaveBug unless they are numeric, flat and equally long."""
    stored = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in columns.items()}
    if any(array.dtype.str not in _TYPES or array.ndim != 1 for array in stored.values()):
        raise EnclaveBug("VAULT_COLUMNS", f"columns hold one number for each row, of a type among {sorted(_TYPES)}")
    if len({array.size for array in stored.values()}) != 1:
        raise EnclaveBug("VAULT_COLUMNS", "a partition has at least one column, and all are equally long")
    return stored


def encrypt_block(key: Key, place: Place, columns: Columns, meta: Mapping[str, str], salt: bytes) -> Iterator[bytes]:
    """Yield the pieces of the file; `columns` come from `checked_columns`, `salt` is drawn anew for every file."""
    rows = next(iter(columns.values())).size
    types = [[name, array.dtype.str] for name, array in columns.items()]
    header = json.dumps({"columns": types, "rows": rows, "meta": dict(meta)}).encode()
    cipher = _cipher(key, salt)
    length = len(header) + _TAG_BYTES
    yield _PREAMBLE.pack(_MAGIC, _VERSION, length, salt)
    yield cipher.encrypt(_nonce(0), header, place.bind(length))
    number = 0
    for name, array in columns.items():
        content = array.view(np.uint8)
        count = _segments(content.size)
        for index in range(count):
            number += 1
            segment = content[index * SEGMENT_BYTES : (index + 1) * SEGMENT_BYTES]
            yield cipher.encrypt(_nonce(number), segment.data, place.bind(name, index, count))


@dataclass(frozen=True, slots=True)
class _Column:
    type: np.dtype[Any]
    number: int
    """The number of the column's first segment in the file."""
    offset: int


class Block:
    """An open block whose header was verified."""

    def __init__(self, handle: int, path: Path, place: Place, key: Key) -> None:
        """Verify the header; IntegrityError if this is not the block of `place` under `key`, or if it is cut."""
        self._handle = handle
        self._path = path
        self._place = place
        size = os.fstat(handle).st_size
        preamble = self._bytes(0, _PREAMBLE.size)
        magic, version, length, self.salt = _PREAMBLE.unpack(preamble)
        if magic != _MAGIC or version != _VERSION or not _TAG_BYTES <= length <= size - _PREAMBLE.size:
            raise place.broken()
        self._cipher = _cipher(key, self.salt)
        try:
            text = self._cipher.decrypt(_nonce(0), self._bytes(_PREAMBLE.size, length), place.bind(length))
        except InvalidTag as error:
            raise place.broken() from error
        header = json.loads(text)
        self.rows: int = header["rows"]
        self.meta: dict[str, str] = header["meta"]
        self._columns, end = _layout(header["columns"], self.rows, _PREAMBLE.size + length)
        if size != end:
            raise place.broken()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names, in the order of writing."""
        return tuple(self._columns)

    def read(self, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Return these columns (None: all); RequestError for an unknown one, IntegrityError for a changed one."""
        wanted = self.columns if names is None else tuple(names)
        unknown = [name for name in wanted if name not in self._columns]
        if unknown:
            raise RequestError("UNKNOWN_COLUMN", f"{self._place} has no column '{unknown[0]}'; see its list of columns")
        return {name: self._column(name) for name in wanted}

    def sha256(self) -> str:
        """Return the digest of the whole file."""
        digest = hashlib.sha256()
        size = os.fstat(self._handle).st_size
        for offset in range(0, size, SEGMENT_BYTES):
            digest.update(self._bytes(offset, min(SEGMENT_BYTES, size - offset)))
        return digest.hexdigest()

    def _column(self, name: str) -> NDArray[Any]:
        column = self._columns[name]
        target = np.empty(self.rows, column.type)
        content = target.view(np.uint8)
        count = _segments(content.size)
        buffer = bytearray(SEGMENT_BYTES + _TAG_BYTES)
        offset = column.offset
        for index in range(count):
            segment = content[index * SEGMENT_BYTES : (index + 1) * SEGMENT_BYTES]
            sealed = self._fill(buffer, offset, segment.size + _TAG_BYTES)
            try:
                nonce = _nonce(column.number + index)
                self._cipher.decrypt_into(nonce, sealed, self._place.bind(name, index, count), segment.data)
            except InvalidTag as error:
                raise self._place.broken() from error
            offset += len(sealed)
        return target

    def _bytes(self, offset: int, size: int) -> bytes:
        with files.disk(self._path):
            found = os.pread(self._handle, size, offset)
        if len(found) != size:
            raise self._place.broken()
        return found

    def _fill(self, buffer: bytearray, offset: int, size: int) -> memoryview:
        """Read into a buffer that is used over and over: it stays in the processor's cache."""
        part = memoryview(buffer)[:size]
        with files.disk(self._path):
            found = os.preadv(self._handle, [part], offset)
        if found != size:
            raise self._place.broken()
        return part


@contextlib.contextmanager
def open_block(path: Path, place: Place, key: Key) -> Iterator[Block]:
    """Open the block in `path`, which must be that of `place`; IntegrityError if the file is gone or another."""
    try:
        with files.opened(path, os.O_RDONLY) as handle:
            yield Block(handle, path, place, key)
    except SetupError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        message = f"the file of {place} is gone; restore '{path}' from its backup"
        raise IntegrityError("BLOCK_MISSING", message) from error


def _cipher(key: Key, salt: bytes) -> AESGCM:
    return AESGCM(key.derive(b"enclave block 1", salt))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _segments(size: int) -> int:
    return -(-size // SEGMENT_BYTES)


def _layout(types: Sequence[tuple[str, str]], rows: int, offset: int) -> tuple[dict[str, _Column], int]:
    """Return where each column lies, and where the file ends."""
    found = {}
    number = 1
    for name, type_name in types:
        column_type = np.dtype(type_name)
        found[name] = _Column(column_type, number, offset)
        size = rows * column_type.itemsize
        number += _segments(size)
        offset += size + _segments(size) * _TAG_BYTES
    return found, offset
