"""Microdata in memory, as the tabulator reads them: for tests that need no store."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.errors import RequestError
from enclave.sdc.table import Variable

Row = Mapping[str, str]
"""One respondent in one period, as the reference counts it: "period", the respondent, a leaf for each variable."""


@dataclass(frozen=True)
class MemoryReader:
    """A data set in memory that remembers what was read of it."""

    data: Mapping[str, Mapping[str, NDArray[Any]]]
    reads: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def partitions(self) -> tuple[str, ...]:
        return tuple(sorted(self.data))

    def read(self, partition: str, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        self.reads.append((partition, tuple(columns)))
        missing = set(columns) - set(self.data[partition])
        if missing:
            raise RequestError("COLUMN_MISSING", f"there is no column {sorted(missing)}")
        return {name: self.data[partition][name] for name in columns}


class DyingReader(MemoryReader):
    """A data set that ends the process that reads it, as the system does when memory runs out."""

    def read(self, partition: str, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        self.reads.append((partition, tuple(columns)))
        os._exit(1)


def reader_of(rows: Iterable[Row], variables: Sequence[Variable], *, unit: str = "person") -> MemoryReader:
    """Return the data set of these rows: small integers, in the order of the rows."""
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(row["period"], []).append(row)
    return MemoryReader({period: columns_of(part, variables, unit=unit) for period, part in parts.items()})


def columns_of(rows: Sequence[Row], variables: Sequence[Variable], *, unit: str = "person") -> dict[str, NDArray[Any]]:
    """Return one period's rows as columns."""
    columns: dict[str, NDArray[Any]] = {unit: np.array([int(row[unit]) for row in rows], dtype=np.int64)}
    for variable in variables:
        columns[variable.id] = np.array([variable.leaves.index(row[variable.id]) for row in rows], dtype=np.int8)
    return columns
