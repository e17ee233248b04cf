"""Everything ever released about a population: what every attacker already holds.

`History` is the inside view, with the truth kept sealed beside what was printed; the proposer needs both. What comes
out of `outside_view` is made from what was printed alone: anybody who holds the releases can build it, and attack them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.latent import Pairs
from enclave.sdc.registry import Registry
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge, Mark, ProtectedTable, Table, TableSpec


@dataclass(frozen=True, eq=False)
class Released:
    """A table that was released: the truth (kept sealed, inside), what was printed, and what its marks promised."""

    table: Table
    protected: ProtectedTable
    marks: tuple[Mark, ...]


@dataclass(frozen=True, eq=False)
class History:
    """All earlier releases, in order. A release is never taken out of it: what was seen stays known."""

    released: tuple[Released, ...] = ()

    def then(self, released: Iterable[Released]) -> "History":
        """Return the history with these tables added."""
        return History(self.released + tuple(released))


class Remembered:
    """What is known of each cell after some releases: `public`, else between `low` and `high` where `withheld`."""

    def __init__(self, cells: int) -> None:
        self.public: Bools = np.zeros(cells, dtype=np.bool_)
        self.withheld: Bools = np.zeros(cells, dtype=np.bool_)
        self.values: Ints = np.zeros(cells, dtype=np.int64)
        self.low: Ints = np.zeros(cells, dtype=np.int64)
        self.high: Ints = np.full(cells, NO_UPPER, dtype=np.int64)

    def add(self, ids: Ints, table: ProtectedTable, marks: Sequence[Mark]) -> None:
        """Take in one printed table; RequestError when it contradicts what was printed before."""
        shown = ids[table.shown]
        if np.any(self.public[shown] & (self.values[shown] != table.values[table.shown])):
            raise RequestError("RELEASES_DISAGREE", f"table '{table.spec.id}' shows another figure than an earlier one")
        self.public[shown], self.values[shown] = True, table.values[table.shown]
        for mark in marks:
            cells = ids[table.marks == mark.code]
            self.withheld[cells] = True
            if mark.minimum is not None:
                self.low[cells] = np.maximum(self.low[cells], mark.minimum)
            if mark.maximum is not None:
                self.high[cells] = np.minimum(self.high[cells], mark.maximum)
        self.withheld &= ~self.public


def outside_view(
    releases: Sequence[tuple[Sequence[ProtectedTable], Sequence[Mark]]],
    impossible: Iterable[Pairs] = (),
    *,
    asked: Sequence[TableSpec] = (),
    joint: bool = True,
) -> tuple[Knowledge, Registry]:
    """Return what an outsider holds after these releases (tables and legend of each): no truth goes in.

    Cells of one registry that no release shows are hidden; latent cells are bounded by zero alone. `impossible`:
    combinations of (variable, code) that the policy says nobody can have. `asked`: tables of which nothing is printed.
    `joint` as in `Registry.of`.
    """
    printed = [(table, marks) for tables, marks in releases for table in tables]
    registry = Registry.of([*(table.spec for table, _ in printed), *asked], impossible, joint=joint)
    seen = Remembered(len(registry.keys))
    for number, (table, marks) in enumerate(printed):
        seen.add(registry.ids(number), table, marks)
    public = seen.public | registry.empty
    return Knowledge(registry.matrix, registry.rhs, public, seen.values, seen.low, seen.high), registry


def published_knowledge(
    tables: Sequence[ProtectedTable], marks: Sequence[Mark], impossible: Iterable[Pairs] = ()
) -> tuple[Knowledge, Registry]:
    """Return what an outsider holds after one release."""
    return outside_view([(tables, marks)], impossible)
