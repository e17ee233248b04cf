"""How many cells any safe pattern must hide beside the primary ones: a proved bound, never above the optimum.

In every equation that holds a primary cell, the other hidden cells of that equation must together be able to balance
what the cell has to move. This gives one inequality for each such equation and need,

    sum of min(room of cell, amount) * hidden(cell)  >=  amount,

which every safe pattern satisfies (the capacity constraints of Fischetti and Salazar, "Models and algorithms for
optimizing cell suppression in tabular data with linear constraints", 2000, for the cuts of single equations). The
bound is the least number of cells by the linear relaxation. The solver only proposes multipliers of the inequalities;
what they prove is worked out in whole numbers, with every rounding on the safe side.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, sparse

from enclave.sdc.need import Target
from enclave.sdc.table import Bools, Ints

_UNIT = 2**30
"""Coefficients and multipliers are whole numbers of this unit."""

Cut = dict[int, int]
"""Coefficients by cell, in units; their sum over hidden cells must be at least one whole unit."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """What every pattern has in common: cells hidden in any case (`must`), and cells that can never help (`fixed`)."""

    matrix: sparse.csr_array
    must: Bools
    fixed: Bools
    target: Target


def lower_bound(pattern: Pattern) -> int:
    """Return the number of cells beyond `must` that every pattern which meets the target hides, or fewer."""
    cuts = list(dict.fromkeys(tuple(sorted(cut.items())) for cut in _cuts(pattern)))
    return _proved([dict(cut) for cut in cuts]) if cuts else 0


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
    return {
        int(i): -(-min(int(r), left) * _UNIT // left) for i, r in zip(cells[usable], room[usable], strict=True)
    } or None


def _proved(cuts: list[Cut]) -> int:
    """Return what the best multipliers of the inequalities prove, rounded up to a whole cell."""
    column = {cell: number for number, cell in enumerate(sorted({cell for cut in cuts for cell in cut}))}
    rows = np.repeat(np.arange(len(cuts)), [len(cut) for cut in cuts])
    columns = [column[cell] for cut in cuts for cell in cut]
    share = np.array([part for cut in cuts for part in cut.values()]) / _UNIT
    relation: Any = -sparse.csr_array((share, (rows, columns)), shape=(len(cuts), len(column)))
    found = optimize.linprog(
        np.ones(len(column)), A_ub=relation, b_ub=-np.ones(len(cuts)), bounds=(0, 1), method="highs"
    )
    if found.status != 0:
        return 0
    multipliers = [max(0, int(-weight * _UNIT)) for weight in found.ineqlin.marginals]
    paid = [0] * len(column)
    for cut, weight in zip(cuts, multipliers, strict=True):
        for cell, part in cut.items() if weight else ():
            paid[column[cell]] += part * weight
    total = sum(multipliers) * _UNIT + sum(min(0, _UNIT * _UNIT - each) for each in paid)
    return max(0, -(-total // (_UNIT * _UNIT)))
