"""All tables of a problem in one common unit, with their primary cells and what hiding each cell costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enclave.errors import RequestError
from enclave.ledger.read_release import Release
from enclave.sdc.contributions import Contributions, reasons
from enclave.sdc.earlier import Printed, places
from enclave.sdc.programs import Floats
from enclave.sdc.table import Bools, CellKey, Ints, Mark, ProtectedTable, Table
from enclave.wiring.protect_tables.codelists import Classified, read_codelists
from enclave.wiring.protect_tables.problem import ProblemFile, Weight
from enclave.wiring.protect_tables.table_file import TableFile

MOST_WEIGHT = 100.0
"""Most that hiding one cell costs, in units of a cell in the middle."""


@dataclass(frozen=True, eq=False)
class Given:
    """What a problem gives, all of it checked. `reasons` are per table, by the name of the rule."""

    files: tuple[TableFile, ...]
    tables: tuple[Table, ...]
    classified: Classified
    decimals: int
    reasons: tuple[dict[str, Bools], ...]
    weights: tuple[Floats, ...]

    @property
    def primary(self) -> tuple[Bools, ...]:
        """Per table, the cells that some rule or the column of primary cells hides."""
        return tuple(np.any(list(found.values()), axis=0) for found in self.reasons)


def read_tables(problem: ProblemFile, earlier: Sequence[Release] = ()) -> Given:
    """Read everything that the problem names; RequestError with file, line and codes for what is wrong."""
    classified = read_codelists(problem.tables)
    files = tuple(TableFile.read(source, classified.variables) for source in problem.tables)
    before = [table.decimals for release in earlier for table in release.tables]
    decimals = max([*(file.decimals for file in files), *before])
    if problem.of_counts and decimals:
        raise RequestError("COUNT_NOT_WHOLE", "a need of kind threshold is for counts, and these are not whole numbers")
    tables = tuple(file.table(decimals) for file in files)
    _check_agreement(tables)
    found, weights = [], []
    for file, table in zip(files, tables, strict=True):
        behind = file.contributions(table, decimals)
        by_rule = reasons(_in_units(behind, decimals, file), problem.rules)
        found.append({**by_rule, "primary": file.marked()})
        weights.append(_weights(problem.weights, behind))
    return Given(files, tables, classified, decimals, tuple(found), tuple(weights))


def scaled_results(earlier: Sequence[Release], decimals: int) -> list[Printed]:
    """Return earlier results in the common unit."""
    return [([_scaled(table, decimals) for table in release.tables], _marks(release, decimals)) for release in earlier]


def _scaled(table: ProtectedTable, decimals: int) -> ProtectedTable:
    factor = 10 ** (decimals - table.decimals)
    return ProtectedTable(table.spec, table.values * factor, table.marks, table.structural, decimals)


def _marks(release: Release, decimals: int) -> list[Mark]:
    """Return the legend in the common unit; a legend speaks in units of the last decimal of its own tables."""
    factor = 10 ** (decimals - max(table.decimals for table in release.tables))
    bounds = ((mark.code, mark.minimum, mark.maximum) for mark in release.marks)
    return [Mark(code, low and low * factor, high and high * factor) for code, low, high in bounds]


def _check_agreement(tables: Sequence[Table]) -> None:
    """Two tables that share a cell must agree about it."""
    known: dict[CellKey, int] = {}
    for table in tables:
        keys = [table.spec.key(table.spec.periods[0], codes) for codes in _all_codes(table)]
        for place, key in zip(np.ndindex(table.spec.shape), keys, strict=True):
            value = int(table.values[place])
            if known.setdefault(key, value) != value:
                here = np.zeros(table.spec.shape, dtype=np.bool_)
                here[place] = True
                message = f"table '{table.spec.id}' and one before it disagree at {next(places(table, here))}"
                raise RequestError("TABLES_DISAGREE", f"{message}; the same cell needs the same figure")


def _all_codes(table: Table) -> list[tuple[str, ...]]:
    codes = [variable.codes for variable in table.spec.dimensions]
    return [
        tuple(names[i] for names, i in zip(codes, place[1:], strict=True)) for place in np.ndindex(table.spec.shape)
    ]


def _in_units(behind: Contributions, decimals: int, file: TableFile) -> Contributions:
    """Return the contributions with a count in whole numbers, where the figure itself is the count."""
    if not file.source.counts or not decimals:
        return behind
    return Contributions(behind.total, behind.total // 10**decimals, behind.largest, behind.second, behind.holdings)


def _weights(weight: Weight, behind: Contributions) -> Floats:
    """Return what hiding each cell costs; a cell below the middle costs no less, or crowds of them would be hidden."""
    counts: Ints = behind.total if behind.count is None else behind.count
    if weight is Weight.UNIT:
        return np.ones(behind.total.shape)
    if weight is Weight.LOG_COUNT:
        return np.log2(2.0 + counts.astype(np.float64))
    figures = (counts if weight is Weight.COUNT else behind.total).astype(np.float64)
    middle = float(np.median(figures[figures > 0])) if np.any(figures > 0) else 1.0
    return np.clip(figures / middle, 1.0, MOST_WEIGHT)
