"""What an outsider knows, written down a second time and from the published tables alone.

The engine keeps a registry of cells and equations of its own. Here the same knowledge is written over the inner cells
of all variables crossed, with the lines of `brute_force`; only the solver behind `attacker.intervals` is shared. It
serves where a table is too large to try every table that fits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from enclave.sdc.table import NO_UPPER, CellKey, Ints, Knowledge, Mark, ProtectedTable
from tests.lib.brute_force import UNBOUNDED, Equal, Impossible, Line, set_up


@dataclass(frozen=True, eq=False)
class View:
    """An outsider's knowledge, and where each hidden cell stands in it."""

    knowledge: Knowledge
    cells: Mapping[CellKey, int]

    def reach(self, least: int) -> Ints:
        """Return the need that every hidden cell can be at least this."""
        reach = np.zeros(self.knowledge.public.shape, dtype=np.int64)
        reach[list(self.cells.values())] = least
        return reach


def view(
    tables: Sequence[ProtectedTable],
    marks: Sequence[Sequence[Mark]],
    equal: Equal = (),
    impossible: Impossible = frozenset(),
) -> View:
    """Return what follows from these tables; `marks[i]` is the legend of `tables[i]`."""
    puzzle = set_up(tables, marks, equal, impossible)
    exact = [line for line in puzzle.lines if line.low == line.high]
    loose = [line for line in puzzle.lines if line.low != line.high]
    sums = [Line((*line.terms, (puzzle.size + n, -1)), 0, 0) for n, line in enumerate(loose)]
    where = {line.terms: puzzle.size + n for n, line in enumerate(loose)}
    cells = {key: where[tuple((i, 1) for i in members)] for key, members in puzzle.hidden.items()}
    size = puzzle.size + len(loose)
    lower = np.zeros(size, dtype=np.int64)
    upper = np.full(size, NO_UPPER, dtype=np.int64)
    lower[puzzle.size :] = [line.low for line in loose]
    upper[puzzle.size :] = [NO_UPPER if line.high >= UNBOUNDED else line.high for line in loose]
    rows = exact + sums
    knowledge = Knowledge(
        matrix=_matrix(rows, size),
        rhs=np.array([line.low for line in rows], dtype=np.int64),
        public=np.zeros(size, dtype=np.bool_),
        values=np.zeros(size, dtype=np.int64),
        lower=lower,
        upper=upper,
    )
    return View(knowledge, cells)


def _matrix(lines: Sequence[Line], size: int) -> sparse.csr_array:
    rows = [n for n, line in enumerate(lines) for _ in line.terms]
    columns = [i for line in lines for i, _ in line.terms]
    signs = [sign for line in lines for _, sign in line.terms]
    data = np.array(signs, dtype=np.int64)
    return sparse.csr_array(sparse.coo_array((data, (rows, columns)), shape=(len(lines), size)))
