"""Quarantine: the rows that were not taken in, with line, column, reason and the row itself, for stewards only.

A quarantine holds identification numbers and raw counts: it is sealed in the vault, and no part of any log or error.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

KEPT_FAULTS = 100_000
"""Faults kept with their rows; all are counted. A file with more is refused whole, and its first ones tell why."""

KEPT_BYTES = 1_000
"""Bytes kept of a row: a poisoned row may be as long as the file."""


class Reason(StrEnum):
    """Why a row was not taken in; the values are stable codes."""

    RAGGED = "RAGGED"
    QUOTE = "QUOTE"
    CONTROL = "CONTROL"
    NUL = "NUL"
    ENCODING = "ENCODING"
    TOO_LONG = "TOO_LONG"
    FORMULA = "FORMULA"
    MISSING = "MISSING"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    NOT_A_DATE = "NOT_A_DATE"
    DATE_RANGE = "DATE_RANGE"
    OUTSIDE_PERIOD = "OUTSIDE_PERIOD"
    INSZ_FORMAT = "INSZ_FORMAT"
    INSZ_CHECK_DIGITS = "INSZ_CHECK_DIGITS"
    INSZ_MONTH = "INSZ_MONTH"
    INSZ_MADE_UP = "INSZ_MADE_UP"
    INSZ_NOT_MADE_UP = "INSZ_NOT_MADE_UP"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    DUPLICATE_CONFLICT = "DUPLICATE_CONFLICT"

    @property
    def description(self) -> str:
        """What a steward reads beside the code."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Reason.RAGGED: "the line has more or fewer fields than the header",
    Reason.QUOTE: "a quotation mark is not closed, or stands inside a field",
    Reason.CONTROL: "a control character, such as a carriage return",
    Reason.NUL: "a NUL character",
    Reason.ENCODING: "not UTF-8",
    Reason.TOO_LONG: "a field or line is longer than any right one",
    Reason.FORMULA: "a text starts with = + - @ or a tab, which a spreadsheet runs as a formula",
    Reason.MISSING: "a required field is empty",
    Reason.UNKNOWN_CODE: "the code is not in the code list, or not on this date",
    Reason.NOT_A_NUMBER: "not a whole number of at most 18 digits",
    Reason.NOT_A_DATE: "not a date written as 2009-04-01",
    Reason.DATE_RANGE: "a date that cannot be: before 1850 or after 2199, except 9999-12-31",
    Reason.OUTSIDE_PERIOD: "a date outside the quarter of the delivery",
    Reason.INSZ_FORMAT: "not an INSZ of 11 digits",
    Reason.INSZ_CHECK_DIGITS: "the check digits of the INSZ do not fit",
    Reason.INSZ_MONTH: "the month in the INSZ does not exist",
    Reason.INSZ_MADE_UP: "a made-up INSZ in a real delivery",
    Reason.INSZ_NOT_MADE_UP: "an INSZ that could be somebody's in a made-up delivery",
    Reason.DUPLICATE_ROW: "the same row again; the first one was kept",
    Reason.DUPLICATE_CONFLICT: "rows for the same key contradict each other; none was kept",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the line (CSV, the header is line 1) or row (Parquet, from 1), the column ("" for all of the row).

    `text` is the row as it was delivered; bytes that are not UTF-8 are written as escapes.
    """

    line: int
    column: str
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """All faults of one file: number of bad `rows`, `counts` of faults per reason, and the faults that were kept.

    A row with two faults is one bad row and counts under both reasons.
    """

    file: str
    rows: int
    counts: Mapping[Reason, int]
    faults: tuple[Fault, ...]

    def to_bytes(self) -> bytes:
        """Return the quarantine as JSON in UTF-8, to be sealed."""
        faults = [[fault.line, fault.column, fault.reason, fault.text] for fault in self.faults]
        content = {"file": self.file, "rows": self.rows, "counts": self.counts, "faults": faults}
        return json.dumps(content, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` wrote."""
        content = json.loads(data)
        counts = {Reason(reason): count for reason, count in content["counts"].items()}
        faults = tuple(Fault(line, column, Reason(reason), text) for line, column, reason, text in content["faults"])
        return cls(content["file"], content["rows"], counts, faults)


class FaultLog:
    """Collects the faults of one file while it is read: counts all of them, keeps the first KEPT_FAULTS."""

    def __init__(self) -> None:
        self._counts: Counter[Reason] = Counter()
        self._kept: list[Fault] = []

    def add(self, reason: Reason, column: str, lines: Sequence[int], texts: Iterable[bytes]) -> None:
        """Note one fault per line; `texts` (the rows) is read only as far as faults are kept."""
        if not lines:
            return
        self._counts[reason] += len(lines)
        room = KEPT_FAULTS - len(self._kept)
        for line, text in zip(lines[:room], texts, strict=False):
            shown = text[:KEPT_BYTES].decode(errors="backslashreplace")
            self._kept.append(Fault(line, column, reason, shown))

    def quarantine(self, file: str, rows: int) -> Quarantine:
        """Return what was collected, in the order of the lines."""
        return Quarantine(
            file,
            rows,
            dict(sorted(self._counts.items())),
            tuple(sorted(self._kept, key=lambda fault: fault.line)),
        )
