"""The fast cutter and the whole-array checks say the same as slow, obviously right ones."""

import csv
from collections import defaultdict
from datetime import date
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.linkage import csv_reading
from enclave.linkage.checks import REASONS, Setting, check_column, find_duplicates
from enclave.linkage.csv_reading import read_csv
from enclave.linkage.quarantine import Reason
from enclave.policy.source import Column

_MANY = settings(max_examples=300, derandomize=True, deadline=None)
_SPICED = st.lists(st.sampled_from([b"1", b"22", b",", b",", b",", b'"', b"\n", b"\n", b"\r", b"\0", b"\xff", b"=1"]))

Cut = tuple[dict[int, list[bytes]], dict[int, Reason]]


def slowly(text: bytes, width: int) -> Cut:
    """Cut line by line; a record with quotation marks runs on until they pair up, and costs one line if it is wrong."""
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    rows: dict[int, list[bytes]] = {}
    faults: dict[int, Reason] = {}
    index = 0
    while index < len(lines):
        last = index
        while b"\n".join(lines[index : last + 1]).count(b'"') % 2 and last < len(lines):
            last += 1
        record = b"\n".join(lines[index : last + 1])
        found = Reason.QUOTE if last == len(lines) else _fields(record, width)
        if isinstance(found, list):
            rows[index + 2] = found
        else:
            faults[index + 2] = found
        index = last + 1 if isinstance(found, list) else index + 1
    return rows, faults


def _fields(record: bytes, width: int) -> list[bytes] | Reason:
    if b"\r" in record:
        return Reason.CONTROL
    if b'"' not in record:
        fields = record.split(b",")
    else:
        try:
            fields = [field.encode("latin-1") for field in next(csv.reader([record.decode("latin-1")], strict=True))]
        except csv.Error:
            return Reason.QUOTE
    return fields if len(fields) == width else Reason.RAGGED


@_MANY
@given(_SPICED, st.integers(1, 3), st.integers(1, 40))
def test_every_line_is_cut_as_the_slow_cutter_does(pieces: list[bytes], width: int, block: int) -> None:
    text = b"".join(pieces)
    names = [f"c{index}" for index in range(width)]
    with patch.object(csv_reading, "BLOCK_BYTES", block):
        raw = read_csv(",".join(names).encode() + b"\n" + text, names, "made.csv")
    cut = zip(*(column.to_pylist() for column in raw.table.columns), strict=True)
    rows = {line: list(row) for line, row in zip(raw.lines.tolist(), cut, strict=True)}
    faults = {fault.line: fault.reason for fault in raw.faults.quarantine("made.csv", raw.broken).faults}
    assert (rows, faults) == slowly(text, width)
    assert raw.broken == len(faults)


@_MANY
@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True) | st.dates().map(str) | st.text(max_size=12))
def test_dates_are_those_of_the_calendar(text: str) -> None:
    column = Column(name="day", kind="date", required=True, within_period=False)
    values, reasons = check_column(
        pa.array([text.encode("utf-8", "surrogatepass")]), column, Setting({}, None, synthetic=True)
    )
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    possible = day is not None and day.isoformat() == text
    possible = possible and (1850 <= day.year <= 2199 or day == date(9999, 12, 31))  # type: ignore[union-attr]
    assert (REASONS[reasons[0]] is None) is possible
    if possible:
        assert values[0] == np.datetime64(text, "D").astype(np.int64)


@_MANY
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 1)), max_size=25))
def test_duplicates_one_row_at_a_time(rows: list[tuple[int, int, int]]) -> None:
    by_key: dict[tuple[int, int], set[tuple[int, int, int]]] = defaultdict(set)
    repeats = [rows[index] in rows[:index] for index in range(len(rows))]
    for row in rows:
        by_key[row[:2]].add(row)
    array = np.array(rows, dtype=np.int64).reshape(-1, 3)
    found = find_duplicates({"a": array[:, 0], "b": array[:, 1], "c": array[:, 2]}, ("a", "b"))
    assert found[Reason.DUPLICATE_ROW].tolist() == [index for index, again in enumerate(repeats) if again]
    assert found[Reason.DUPLICATE_CONFLICT].tolist() == [
        index for index, row in enumerate(rows) if len(by_key[row[:2]]) > 1 and not repeats[index]
    ]
