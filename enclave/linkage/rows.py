"""The rows of a delivered file before any value is checked: one column of bytes per column of the schema."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclave.errors import DeliveryError
from enclave.linkage.numbers import Ints
from enclave.linkage.quarantine import FaultLog

LONGEST_FILE = (1 << 31) - 1
"""Bytes of the largest file taken in: offsets inside a column have 31 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class RawRows:
    """Rows that could be cut into fields, in the order of the file.

    `table` has a binary column without nulls (empty: no value) per column of the schema; `lines` is the number of each
    row: of its first line in a CSV file (the header is line 1), of the row in a Parquet file (from 1). `broken` counts
    the lines that could not be cut; they stand in `faults`.
    """

    table: pa.Table
    lines: Ints
    broken: int
    faults: FaultLog

    @property
    def total(self) -> int:
        """Number of rows delivered, broken ones included."""
        return len(self.lines) + self.broken

    def column(self, name: str) -> pa.BinaryArray:
        """Return one column in one piece."""
        return self.table.column(name).combine_chunks()

    def texts(self, rows: NDArray[np.integer]) -> Iterator[bytes]:
        """Yield the given rows (counted from 0) as CSV lines, for the quarantine."""
        for row in rows.tolist():
            yield b",".join(_quoted(column[row].as_py()) for column in self.table.columns)


def _quoted(field: bytes) -> bytes:
    if any(character in field for character in b',"\n'):
        return b'"' + field.replace(b'"', b'""') + b'"'
    return field


def refuse_columns(file: str, expected: Sequence[str]) -> DeliveryError:
    """Return the error for a file whose columns are not the schema's."""
    return DeliveryError(
        "DELIVERY_COLUMNS",
        f"{file}: the columns are not those of the source schema; deliver exactly {', '.join(expected)}"
        " (CSV: in this order, UTF-8 without byte order mark, commas, LF line ends)",
    )
