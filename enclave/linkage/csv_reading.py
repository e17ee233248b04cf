"""Cutting a CSV file into fields so that every bad line is found with its number, at the speed of a clean file.

Promised form: UTF-8, comma, LF, a header line. Each block of the file is looked at as an array of bytes: where are the
line ends, how many commas has each line. Lines that are plain (no quotation mark, no carriage return, the right number
of commas) go through the Arrow reader at once; only the others are parsed one by one. A quoted field may hold commas
and line ends; a record that is wrong, or not closed within LONGEST_RECORD bytes, costs its first line and no other.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from enclave.errors import EnclaveBug
from enclave.linkage.numbers import Bools, Ints
from enclave.linkage.quarantine import FaultLog, Reason
from enclave.linkage.rows import RawRows, refuse_columns

BLOCK_BYTES = 4 << 20
LONGEST_RECORD = 10_000
"""Bytes of the longest line, or quoted record of several lines, that is parsed at all."""

_LF, _CR, _COMMA, _QUOTE = b'\n\r,"'


def read_csv(data: bytes, columns: Sequence[str], file: str) -> RawRows:
    """Return the rows of a CSV file whose header names exactly `columns`, in this order.

    DeliveryError for another header. Lines that cannot be cut into fields stand in the result's faults.
    """
    header = data[: _line_end(data, 0)]
    if header.removesuffix(b"\n") != ",".join(columns).encode():
        raise refuse_columns(file, columns)
    cutter = _Cutter(data, columns)
    cutter.cut(len(header))
    return cutter.rows()


def _line_end(data: bytes, start: int) -> int:
    """Return where the line after the one that holds `start` begins, or the end of the file."""
    return data.find(b"\n", start) + 1 or len(data)


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The lines of one block: where each starts and ends (its LF, or the end of the file), and what is in it."""

    starts: Ints
    ends: Ints
    commas: Ints
    quoted: Bools
    returns: Bools

    @classmethod
    def find(cls, data: bytes, start: int, stop: int) -> "_Lines":
        """Look at data[start:stop], which holds whole lines."""
        view = np.frombuffer(data, dtype=np.uint8, count=stop - start, offset=start)
        ends = np.flatnonzero(view == _LF)
        if view[-1] != _LF:
            ends = np.append(ends, len(view))
        starts = np.concatenate(([0], ends[:-1] + 1))
        commas = np.diff(np.searchsorted(np.flatnonzero(view == _COMMA), np.append(starts, len(view))))
        quoted, returns = (_lines_with(view, ends, character) for character in (_QUOTE, _CR))
        return cls(starts + start, ends + start, commas, quoted, returns)

    @property
    def too_long(self) -> Bools:
        """Lines that are not parsed at all."""
        return self.ends - self.starts > LONGEST_RECORD


def _lines_with(view: NDArray[np.uint8], ends: Ints, character: int) -> Bools:
    found = np.zeros(len(ends), dtype=np.bool_)
    found[np.searchsorted(ends, np.flatnonzero(view == character))] = True
    return found


class _Cutter:
    """Goes through a file block by block and keeps what it found."""

    def __init__(self, data: bytes, columns: Sequence[str]) -> None:
        self._data = data
        self._columns = tuple(columns)
        self._faults = FaultLog()
        self._broken = 0
        self._tables = [self._table([])]
        self._numbers = [np.empty(0, dtype=np.int64)]

    def rows(self) -> RawRows:
        """Return all rows cut so far in the order of their lines (quoted lines were parsed after the plain ones)."""
        table, lines = pa.concat_tables(self._tables).combine_chunks(), np.concatenate(self._numbers)
        if (np.diff(lines) < 0).any():
            order = np.argsort(lines)
            table, lines = table.take(pa.array(order)), lines[order]
        return RawRows(table, lines, self._broken, self._faults)

    def cut(self, start: int) -> None:
        """Cut everything from `start` on, which is where line 2 begins."""
        line = 2
        while start < len(self._data):
            stop = _line_end(self._data, min(start + BLOCK_BYTES, len(self._data)))
            lines = _Lines.find(self._data, start, stop)
            start, done = self._cut_quoted(lines, line)
            self._cut_others(lines, done, line)
            line += len(lines.starts) + self._data.count(b"\n", stop, start)

    def _cut_quoted(self, lines: _Lines, first: int) -> tuple[int, Bools]:
        """Parse the lines with quotation marks one by one.

        Return where the next block starts and which lines are done: a quoted record takes the lines that it runs over,
        if need be some of the next block.
        """
        done = np.zeros(len(lines.starts), dtype=np.bool_)
        records: dict[int, list[bytes]] = {}
        stop = 0
        for index in np.flatnonzero(lines.quoted & ~lines.too_long).tolist():
            if done[index]:
                continue
            start = int(lines.starts[index])
            stop, fields = _parse_record(self._data, start, len(self._columns))
            done[index : np.searchsorted(lines.starts, stop)] = True
            if isinstance(fields, Reason):
                self._broken += 1
                self._faults.add(fields, "", [first + index], [self._data[start:stop]])
            else:
                records[first + index] = fields
        self._keep(self._table(list(zip(*records.values(), strict=True))), np.array(list(records), dtype=np.int64))
        return max(stop, int(lines.ends[-1]) + 1), done

    def _cut_others(self, lines: _Lines, done: Bools, first: int) -> None:
        """Take the plain lines of a block, and note the broken ones among those that are not `done`."""
        right = lines.commas == len(self._columns) - 1
        long, returns = lines.too_long & ~done, lines.returns & ~done
        plain = right & ~done & ~long & ~returns
        self._note(Reason.TOO_LONG, lines, long, first)
        self._note(Reason.CONTROL, lines, returns & ~long, first)
        self._note(Reason.RAGGED, lines, ~right & ~done & ~long & ~returns, first)
        self._keep(self._parse_plain(self._joined(lines, plain)), first + np.flatnonzero(plain))

    def _note(self, reason: Reason, lines: _Lines, which: Bools, first: int) -> None:
        rows = np.flatnonzero(which)
        texts = (self._data[start:end] for start, end in zip(lines.starts[rows], lines.ends[rows], strict=True))
        self._broken += len(rows)
        self._faults.add(reason, "", (first + rows).tolist(), texts)

    def _joined(self, lines: _Lines, which: Bools) -> memoryview:
        """Return the bytes of these lines of a block, one after the other."""
        block = memoryview(self._data)[lines.starts[0] : lines.ends[-1] + 1]
        if which.all():
            return block
        lengths = np.diff(np.append(lines.starts, lines.starts[0] + len(block)))
        return np.frombuffer(block, dtype=np.uint8)[np.repeat(which, lengths)].data

    def _parse_plain(self, text: memoryview) -> pa.Table:
        if not len(text):
            return self._table([])
        return arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(text)),
            arrow_csv.ReadOptions(column_names=self._columns, use_threads=False),
            arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(self._columns, pa.binary())),
        )

    def _table(self, columns: Sequence[Sequence[bytes]]) -> pa.Table:
        values = columns or [()] * len(self._columns)
        return pa.table([pa.array(column, pa.binary()) for column in values], names=list(self._columns))

    def _keep(self, table: pa.Table, numbers: Ints) -> None:
        if len(table) != len(numbers):
            raise EnclaveBug("CSV_CUT", "lines and rows of a delivered file came apart; report this fault")
        self._tables.append(table)
        self._numbers.append(numbers)


def _parse_record(data: bytes, start: int, width: int) -> tuple[int, list[bytes] | Reason]:
    """Parse the record that starts here and may run over several lines; return its end and its fields, or its fault.

    A record that is wrong ends with its first line: a stray quotation mark must not take good lines along.
    """
    stop = line_end = _line_end(data, start)
    inside = data.count(b'"', start, stop) % 2
    while inside:
        if stop == len(data) or stop - start > LONGEST_RECORD:
            return line_end, Reason.QUOTE
        inside ^= data.count(b'"', stop, stop := _line_end(data, stop)) % 2
    if data.find(b"\r", start, stop) >= 0:
        return line_end, Reason.CONTROL
    try:
        fields = next(csv.reader([data[start:stop].decode("latin-1")], strict=True))
    except csv.Error:
        return line_end, Reason.QUOTE
    if len(fields) != width:
        return line_end, Reason.RAGGED
    return stop, [field.encode("latin-1") for field in fields]
