"""Inequalities that every safe pattern satisfies, and what it costs least to satisfy them all by shares of cells.

In every equation that holds a primary cell, the other hidden cells of that equation must together be able to balance
what the cell has to move. This gives one inequality for each such equation and need,

    sum of min(room of cell, amount) * hidden(cell)  >=  amount

(the capacity constraints of Fischetti and Salazar, "Models and algorithms for optimizing cell suppression in tabular
data with linear constraints", 2000, for the cuts of single equations). Taken together they see all equations at once,
but no further than one equation from each cell: they bound every pattern from below, and point to good ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, sparse

from enclave.sdc.need import Target
from enclave.sdc.programs import Floats
from enclave.sdc.table import Bools, Ints

UNIT = 2**30
"""Coefficients are whole numbers of this unit."""

Cut = tuple[tuple[int, int], ...]
"""Cells with their coefficients, in units; the sum over hidden cells must be at least one whole unit."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """What every pattern has in common: cells hidden in any case (`must`), and cells that can never help (`fixed`)."""

    matrix: sparse.csr_array
    must: Bools
    fixed: Bools
    target: Target


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The least costly shares of cells that satisfy all inequalities, the inequalities' prices, and the steps taken.

    `cells` and `shares` go together, and so do `cuts` and `prices`. Found by a solver: good advice, no proof.
    """

    cells: Ints
    shares: Floats
    cuts: tuple[Cut, ...]
    prices: Floats
    steps: int


def relaxation(pattern: Pattern, weight: Floats) -> Relaxation:
    """Return the linear relaxation of the inequalities, by what hiding each cell costs; empty where none is needed."""
    cuts = tuple(dict.fromkeys(_cuts(pattern)))
    nothing = Relaxation(np.zeros(0, dtype=np.int64), np.zeros(0), (), np.zeros(0), 0)
    if not cuts:
        return nothing
    cells = np.unique([cell for cut in cuts for cell, _ in cut])
    rows = np.repeat(np.arange(len(cuts)), [len(cut) for cut in cuts])
    columns = np.searchsorted(cells, [cell for cut in cuts for cell, _ in cut])
    parts = np.array([part for cut in cuts for _, part in cut]) / UNIT
    relation: Any = -sparse.csr_array((parts, (rows, columns)), shape=(len(cuts), len(cells)))
    found = optimize.linprog(weight[cells], A_ub=relation, b_ub=-np.ones(len(cuts)), bounds=(0, 1), method="highs-ds")
    if found.status != 0 or found.x is None:
        return nothing
    return Relaxation(cells, found.x, cuts, -found.ineqlin.marginals, int(found.nit))


def _cuts(pattern: Pattern) -> Iterator[Cut]:
    matrix, target = pattern.matrix, pattern.target
    holding = sparse.csc_array(matrix)
    for cell in np.flatnonzero(pattern.must & target.cells).tolist():
        for row in holding.indices[holding.indptr[cell] : holding.indptr[cell + 1]].tolist():
            inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
            cells, signs = matrix.indices[inside].astype(np.int64), matrix.data[inside]
            own = int(signs[cells == cell][0])
            for amount, way in ((int(target.up[cell]), 1), (int(target.down[cell]), -1)):
                if amount:
                    cut = _cut(pattern, cell, cells, -signs * own * way, amount)
                    if cut is not None:
                        yield cut


def _cut(pattern: Pattern, cell: int, cells: Ints, ways: Ints, amount: int) -> Cut | None:
    """Return the inequality of one equation; None where cells hidden in any case meet it.

    `ways`: whether each cell must rise (1) or fall (-1) to balance. Rising has no bound, falling ends at nothing.
    """
    room = np.where(ways > 0, amount, np.minimum(pattern.target.values[cells], amount))
    room[(cells == cell) | pattern.fixed[cells]] = 0
    left = amount - int(room[pattern.must[cells]].sum())
    if left <= 0:
        return None
    usable = (room > 0) & ~pattern.must[cells]
    parts = zip(cells[usable].tolist(), room[usable].tolist(), strict=True)
    return tuple(sorted((cell, -(-min(most, left) * UNIT // left)) for cell, most in parts)) or None
