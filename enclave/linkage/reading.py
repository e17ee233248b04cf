"""The whole check of one delivered file, without a store: bytes in, good rows as numbers and a quarantine out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enclave.errors import DeliveryError
from enclave.linkage.checks import REASONS, Setting, Values, check_column, codebook, find_duplicates
from enclave.linkage.csv_reading import read_csv
from enclave.linkage.numbers import Bools, Ints
from enclave.linkage.parquet_reading import read_parquet
from enclave.linkage.quarantine import Quarantine
from enclave.linkage.rows import RawRows
from enclave.policy.codelist import Codelist
from enclave.policy.quarter import Quarter
from enclave.policy.source import SourceSchema


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What one file came to: the good rows as numbers, the codes that they are positions in, and the quarantine.

    `columns` is as `checks.check_column` gives them, in the order of the file; `codebook` has the code columns. `rows`
    counts what was delivered, bad rows included.
    """

    file: str
    schema: SourceSchema
    columns: Mapping[str, Values]
    codebook: Mapping[str, tuple[str, ...]]
    rows: int
    quarantine: Quarantine

    @property
    def is_over_limit(self) -> bool:
        """Whether the bad rows are a larger share than the source's error limit."""
        return self.quarantine.rows > self.schema.error_limit * self.rows

    @property
    def good_rows(self) -> int:
        """Number of rows that can be kept."""
        return self.rows - self.quarantine.rows


def take_in(
    data: bytes,
    file: str,
    schema: SourceSchema,
    period: Quarter | None,
    codelists: Mapping[str, Codelist],
    *,
    synthetic: bool,
) -> Taken:
    """Read and check one delivered file (CSV or Parquet, by the end of its name).

    Bad rows go to the quarantine with all their faults. DeliveryError where the file cannot be read as its schema says,
    or holds no row. Whether it is over its error limit is for the caller to ask.
    """
    raw = _read(data, file, schema)
    if not raw.total:
        raise DeliveryError("DELIVERY_EMPTY", f"{file} holds no rows; have the institution deliver them")
    setting = Setting(codelists, period, synthetic)
    bad = np.zeros(len(raw.lines), dtype=np.bool_)
    columns: dict[str, Values] = {}
    for column in schema.columns:
        values, reasons = check_column(raw.column(column.name), column, setting)
        columns[column.name] = values
        bad |= reasons > 0
        for number in np.unique(reasons[reasons > 0]).tolist():
            _note(raw, column.name, number, np.flatnonzero(reasons == number))
    bad |= _duplicates(raw, schema, columns, np.flatnonzero(~bad))
    books = {column.name: codebook(column, setting) for column in schema.columns if column.kind == "code"}
    good = {name: values[~bad] for name, values in columns.items()}
    quarantine = raw.faults.quarantine(file, raw.broken + int(bad.sum()))
    return Taken(file, schema, good, books, raw.total, quarantine)


def _read(data: bytes, file: str, schema: SourceSchema) -> RawRows:
    if file.endswith(".parquet"):
        return read_parquet(data, {column.name: column.kind == "date" for column in schema.columns}, file)
    return read_csv(data, [column.name for column in schema.columns], file)


def _note(raw: RawRows, column: str, reason_number: int, rows: Ints) -> None:
    reason = REASONS[reason_number]
    assert reason is not None
    raw.faults.add(reason, column, raw.lines[rows].tolist(), raw.texts(rows))


def _duplicates(raw: RawRows, schema: SourceSchema, columns: Mapping[str, Values], good: Ints) -> Bools:
    """Note which of the `good` rows share their key with another one; return a mark for each row of the file."""
    marks = np.zeros(len(raw.lines), dtype=np.bool_)
    found = find_duplicates({name: values[good] for name, values in columns.items()}, schema.unique)
    for reason, positions in found.items():
        rows = good[positions]
        marks[rows] = True
        raw.faults.add(reason, "", raw.lines[rows].tolist(), raw.texts(rows))
    return marks
