"""A cross table out of a table of many dimensions: rows, columns, and what is held fixed. Nothing here is HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.ledger.release_content import FREE, NO_FIGURE, TOTAL_WORDS
from enclave.sdc.table import TOTAL, Bools, ProtectedTable, Variable
from enclave.sdc.words import Words
from enclave.wiring.desk.evidence import TableEvidence

MOST_COLUMNS = 16
"""A dimension with more codes than this stands in rows, or is held fixed."""


FIGURE = Words("Cijfer", "Chiffre", "Figure")
"""Heads the only column of a table of one dimension."""


class Kind(StrEnum):
    """What stands in a cell."""

    FIGURE = "figure"
    STRUCTURAL = "structural"
    HIDDEN = "hidden"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a cell is hidden: by the primary rule or to protect others, who is counted, what it could at least be."""

    primary: bool
    persons: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a figure, or the mark that is printed instead."""

    kind: Kind
    value: int
    mark: str
    differs: bool = False
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A code with its words; `depth` is its level under the total."""

    code: str
    words: Words
    depth: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """A dimension that neither rows nor columns show: its codes, and the one chosen."""

    variable: str
    options: tuple[Heading, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class CrossTable:
    """What one page shows of a table, in one period. `across` is "" where the table has one dimension only."""

    down: str
    across: str
    columns: tuple[Heading, ...]
    rows: tuple[tuple[Heading, tuple[Cell, ...]], ...]
    fixed: tuple[Fixed, ...]
    decimals: int


Labels = Mapping[str, Mapping[str, Words]]


def cross_table(
    table: ProtectedTable,
    labels: Labels,
    period: str,
    chosen: Mapping[str, str],
    *,
    differing: Bools | None = None,
    evidence: TableEvidence | None = None,
) -> CrossTable:
    """Return the cross table of a period; what `chosen` does not fix stands at its total.

    The longest dimension makes the rows, the longest of those that fit the width the columns.
    """
    spec = table.spec
    down, across = _axes(spec.dimensions)
    place: list[int | slice] = [spec.periods.index(period)]
    fixed = []
    for variable in spec.dimensions:
        if variable.id in (down, across):
            place.append(slice(None))
            continue
        code = chosen.get(variable.id, TOTAL)
        code = code if code in variable.codes else TOTAL
        place.append(variable.codes.index(code))
        fixed.append(Fixed(variable.id, _headings(variable, labels), code))
    order = [v.id for v in spec.dimensions if v.id in (down, across)]
    cells = _cells(table, tuple(place), differing, evidence, turned=order != [name for name in (down, across) if name])
    variables = {variable.id: variable for variable in spec.dimensions}
    columns = _headings(variables[across], labels) if across else (Heading(TOTAL, FIGURE, 0),)
    rows = tuple(zip(_headings(variables[down], labels), cells, strict=True))
    return CrossTable(down, across, columns, rows, tuple(fixed), table.decimals)


def _axes(dimensions: tuple[Variable, ...]) -> tuple[str, str]:
    """Return the variable of the rows and that of the columns, "" where there is none."""
    by_length = sorted(dimensions, key=lambda variable: -len(variable.codes))
    wide = [variable.id for variable in by_length[1:] if len(variable.codes) <= MOST_COLUMNS]
    return by_length[0].id, wide[0] if wide else ""


def _headings(variable: Variable, labels: Labels) -> tuple[Heading, ...]:
    parents = {code: parent for hierarchy in variable.hierarchies for code, parent in hierarchy.parents}
    found = []
    for code in variable.codes:
        depth, above = 0, code
        while above != TOTAL:
            depth, above = depth + 1, parents[above] or TOTAL
        found.append(Heading(code, TOTAL_WORDS if code == TOTAL else labels[variable.id][code], depth))
    return tuple(found)


def _cells(
    table: ProtectedTable,
    place: tuple[int | slice, ...],
    differing: Bools | None,
    evidence: TableEvidence | None,
    *,
    turned: bool,
) -> list[tuple[Cell, ...]]:
    """Return the cells of a slice, row by row."""

    def cut(array: NDArray[Any]) -> NDArray[Any]:
        part = np.atleast_1d(array[place])
        part = part[:, None] if part.ndim == 1 else part
        return part.T if turned else part

    values, marks, structural = cut(table.values), cut(table.marks), cut(table.structural)
    other = cut(differing) if differing is not None else np.zeros(values.shape, dtype=np.bool_)
    why = [cut(part) for part in (evidence.primary, evidence.persons, evidence.low, evidence.high)] if evidence else []
    rows = []
    for row in range(values.shape[0]):
        cells = []
        for column in range(values.shape[1]):
            at = (row, column)
            kind = _kind(str(marks[at]), structural=bool(structural[at]))
            reason = None
            if why and kind is Kind.HIDDEN:
                reason = Reason(bool(why[0][at]), int(why[1][at]), int(why[2][at]), int(why[3][at]))
            cells.append(Cell(kind, int(values[at]), str(marks[at]), bool(other[at]), reason))
        rows.append(tuple(cells))
    return rows


def _kind(mark: str, *, structural: bool) -> Kind:
    if mark == FREE:
        return Kind.STRUCTURAL if structural else Kind.FIGURE
    return Kind.NOTHING if mark in NO_FIGURE else Kind.HIDDEN
