"""One table of a problem: its cells as the file gives them, every combination that it leaves out filled in.

An inner combination that is absent is 0; a total that is absent is added up; a total that is given is checked. Of who
stands behind a cell the same columns are read: counts of absent totals are added up, their largest contributors are the
largest of their parts, and their holdings are taken to be no more than those of their richest part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import prod

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.contributions import Contributions
from enclave.sdc.table import TOTAL, Bools, Ints, Table, TableSpec, Variable
from enclave.wiring.protect_tables.csv_file import CsvFile, Row
from enclave.wiring.protect_tables.figures import MOST, MOST_DECIMALS, decimals_of, number, scaled
from enclave.wiring.protect_tables.problem import TableSource

MOST_CELLS = 250_000
"""Most cells of one table: more than the engine can protect in any time that anybody would wait."""

PERIOD = "_Z"
"""TIME_PERIOD of every row: "not applicable" in SDMX, since a table made elsewhere does not say of when it is."""

UNIT = "_Z"
"""UNIT of every row, for the same reason."""

POPULATION = "given"
"""All tables of all problems speak of one population, so that results can be each other's history."""

Place = tuple[int, ...]


@dataclass(frozen=True)
class TableFile:
    """A table as it was read: rows by their place in the arrays of `spec`."""

    source: TableSource
    spec: TableSpec
    file: CsvFile
    rows: Mapping[Place, Row]

    @classmethod
    def read(cls, source: TableSource, variables: Mapping[str, Variable]) -> "TableFile":
        """Read the file; RequestError with file, line and codes for what cannot be."""
        dimensions = tuple(variables[name] for name in source.dimensions)
        if prod(len(variable.codes) for variable in dimensions) > MOST_CELLS:
            message = f"table '{source.id}' crosses to more than {MOST_CELLS} cells; leave a dimension or codes out"
            raise RequestError("TOO_MANY_CELLS", message)
        measure = "count" if source.counts else f"sum {source.value}".replace(":", " ")
        spec = TableSpec(source.id.lower(), dimensions, (PERIOD,), POPULATION, unit=UNIT, measure=measure)
        file = CsvFile.read(source.file)
        named = (source.value, source.count, source.largest, source.second, source.holdings, source.primary)
        file.require(*source.dimensions, *(column for column in named if column))
        rows: dict[Place, Row] = {}
        places = [{code: i for i, code in enumerate(variable.codes)} for variable in dimensions]
        for row in file.rows:
            place = _place(source, places, file, row)
            if place in rows:
                raise file.error("CELL_TWICE", row, f"this cell stands twice, first in line {rows[place].line}")
            rows[place] = row
        return cls(source, spec, file, rows)

    def codes(self, place: Place) -> str:
        """Return the codes of a cell for people."""
        pairs = zip(self.spec.dimensions, place[1:], strict=True)
        return ", ".join(f"{variable.id}={variable.codes[i]}" for variable, i in pairs)

    @cached_property
    def decimals(self) -> int:
        """How many decimals the figures of this table have, at most."""
        columns = [c for c in (self.source.value, self.source.largest, self.source.second) if c]
        figures = (self._number(row, column) for row in self.rows.values() for column in columns)
        most = max((decimals_of(figure) for figure in figures if figure is not None), default=0)
        if most > MOST_DECIMALS:
            message = f"{self.file.name}: figures have more than {MOST_DECIMALS} decimals; round them first"
            raise RequestError("TOO_MANY_DECIMALS", message)
        return most

    def table(self, decimals: int) -> Table:
        """Return the table in whole numbers of 10 ** -decimals."""
        given = dict(self._column(self.source.value, decimals, needed=True))
        table = Table.from_leaves(self.spec, self._from_leaves(given))
        if np.any(table.values > MOST):
            raise RequestError("VALUE_TOO_LARGE", f"table '{self.spec.id}' holds figures too large; give thousands")
        for place, value in given.items():
            if table.values[place] != value:
                message = f"table '{self.spec.id}': the total at {self.codes(place)} is not the sum of its parts"
                raise self.file.error("TOTAL_CONTRADICTS", self.rows[place], f"{message}; correct one of them")
        return table

    def contributions(self, table: Table, decimals: int) -> Contributions:
        """Return who stands behind each cell, in the shape of the table."""
        source = self.source
        return Contributions(
            total=table.values,
            count=table.values if source.counts else self._added(source.count),
            largest=self._largest(decimals)[0],
            second=self._largest(decimals)[1],
            holdings=self._highest(source.holdings),
        )

    def marked(self) -> Bools:
        """Return the cells that the column of primary cells marks with 1."""
        found = np.zeros(self.spec.shape, dtype=np.bool_)
        for place, row in self.rows.items() if self.source.primary else ():
            text = row.fields[self.source.primary or ""].lower()
            if text not in {"0", "1", "", "false", "true"}:
                raise self.file.error("PRIMARY_FLAG", row, f"column '{self.source.primary}' holds 0 or 1")
            found[place] = text in {"1", "true"}
        return found

    @cached_property
    def absent(self) -> Bools:
        """Inner combinations that the file leaves out."""
        given = np.zeros(self.spec.shape, dtype=np.bool_)
        for place in self.rows:
            given[place] = True
        return np.asarray(self._inner & ~given)

    @cached_property
    def _inner(self) -> Bools:
        found: Bools = np.ones(1, dtype=np.bool_)
        for variable in self.spec.dimensions:
            found = np.multiply.outer(found, np.isin(variable.codes, variable.leaves))
        return found

    def _from_leaves(self, given: Mapping[Place, int]) -> Ints:
        """Return the inner cells, in the order of leaves."""
        whole = np.zeros(self.spec.shape, dtype=np.int64)
        for place, value in given.items():
            whole[place] = value
        return _leaves_of(whole, self.spec)

    def _added(self, column: str | None) -> Ints | None:
        if column is None:
            return None
        given = dict(self._column(column, 0))
        return _overlaid(Table.from_leaves(self.spec, self._from_leaves(given)).values, given)

    def _highest(self, column: str | None) -> Ints | None:
        if column is None:
            return None
        given = dict(self._column(column, 0))
        leaves = self._from_leaves(given)
        return _overlaid(_two_largest(self.spec, leaves, np.zeros_like(leaves))[0], given)

    def _largest(self, decimals: int) -> tuple[Ints | None, Ints | None]:
        if self.source.largest is None:
            return None, None
        first = dict(self._column(self.source.largest, decimals))
        second = {} if self.source.second is None else dict(self._column(self.source.second, decimals))
        one, two = _two_largest(self.spec, self._from_leaves(first), self._from_leaves(second))
        return _overlaid(one, first), None if self.source.second is None else _overlaid(two, second)

    def _column(self, column: str, decimals: int, *, needed: bool = False) -> Iterator[tuple[Place, int]]:
        for place, row in self.rows.items():
            figure = self._number(row, column)
            if figure is None:
                if needed or self._inner[place]:
                    raise self.file.error("VALUE_MISSING", row, f"column '{column}' is empty; write 0 for nothing")
                continue
            if figure < 0:
                message = f"column '{column}' is negative at {self.codes(place)}; negative figures are not supported"
                raise self.file.error("NEGATIVE_VALUE", row, message)
            if decimals_of(figure) > decimals:
                raise self.file.error("NOT_WHOLE", row, f"column '{column}' must hold whole numbers")
            if scaled(figure, decimals) > MOST:
                raise self.file.error(
                    "VALUE_TOO_LARGE", row, f"column '{column}' holds too large a figure; give thousands"
                )
            yield place, scaled(figure, decimals)

    def _number(self, row: Row, column: str) -> Decimal | None:
        text = row.fields[column]
        found = number(text)
        if text and found is None:
            raise self.file.error("VALUE_NOT_A_NUMBER", row, f"column '{column}' does not hold a number such as 0.5")
        return found


def _place(source: TableSource, places: list[dict[str, int]], file: CsvFile, row: Row) -> Place:
    found = [0]
    for name, known in zip(source.dimensions, places, strict=True):
        code = row.fields[name]
        place = 0 if code in {TOTAL, source.total.get(name, TOTAL)} else known.get(code)
        if place is None:
            raise file.error("UNKNOWN_CODE", row, f"'{code}' is in no code list of '{name}', and is not its total")
        found.append(place)
    return tuple(found)


def _leaves_of(whole: Ints, spec: TableSpec) -> Ints:
    order = [[variable.codes.index(leaf) for leaf in variable.leaves] for variable in spec.dimensions]
    return whole[np.ix_([0], *order)]


def _overlaid(computed: Ints, given: Mapping[Place, int]) -> Ints:
    """Return what was computed, but for what the file gives."""
    found = computed.copy()
    for place, value in given.items():
        found[place] = value
    return found


def _two_largest(spec: TableSpec, first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Return the largest and second largest of each cell from those of its inner cells."""
    for axis, variable in enumerate(spec.dimensions, start=1):
        position = {leaf: i for i, leaf in enumerate(variable.leaves)}
        pairs = []
        for code in variable.codes:
            members = [position[leaf] for leaf in sorted(variable.members(code))]
            both = np.concatenate([first.take(members, axis), second.take(members, axis)], axis=axis)
            pairs.append(np.sort(both, axis=axis).take([-1, -2], axis=axis))
        first = np.concatenate([pair.take([0], axis) for pair in pairs], axis=axis)
        second = np.concatenate([pair.take([1], axis) for pair in pairs], axis=axis)
    return first, second
