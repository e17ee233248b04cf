"""Some whole numbers for latent cells, where the printed tables do not settle them.

A latent cell is nobody's figure, and the tables do not always say what it is. The proposer measures deviations from a
table that fits everything; which one does not matter, since no need of a latent cell depends on its value.
"""

import numpy as np
from scipy import optimize, sparse

from enclave.sdc.table import NO_UPPER, Bools, Ints


def some_solution(
    matrix: sparse.csr_array,
    values: Ints,
    unknown: Bools,
    empty: Bools,
    *,
    low: Ints | None = None,
    high: Ints | None = None,
) -> Ints | None:
    """Return `values` with non-negative integers at `unknown` (0 at `empty`) such that matrix @ values == 0.

    `low` and `high` bound them further. None when there are no such numbers. What follows by subtraction is filled in
    first, the rest by programming.
    """
    low = np.zeros(values.shape, dtype=np.int64) if low is None else low
    high = np.full(values.shape, NO_UPPER, dtype=np.int64) if high is None else high
    found = np.where(unknown, 0, values)
    left = unknown & ~empty
    _subtract(matrix, found, left)
    settled = unknown & ~left
    if np.any((found[settled] < low[settled]) | (found[settled] > high[settled])):
        return None
    if left.any():
        solved = _programmed(matrix, found, np.flatnonzero(left), low, high)
        if solved is None:
            return None
        found[left] = solved
    return None if np.any(matrix @ found) else found


def _subtract(matrix: sparse.csr_array, values: Ints, unknown: Bools) -> None:
    """Fill in each value that is the only unknown of some equation, until there is none."""
    touching = abs(matrix)
    while unknown.any():
        lone = np.flatnonzero(touching @ unknown.astype(np.int64) == 1)
        if not lone.size:
            return
        entries = sparse.coo_array(matrix[lone])
        rows, columns = entries.coords
        open_here = unknown[columns]
        residual = matrix[lone] @ np.where(unknown, 0, values)
        values[columns[open_here]] = -residual[rows[open_here]] * entries.data[open_here]
        unknown[columns[open_here]] = False


def _programmed(matrix: sparse.csr_array, values: Ints, cells: Ints, low: Ints, high: Ints) -> Ints | None:
    part = sparse.csr_array(matrix[:, cells])
    rows = np.flatnonzero(np.diff(part.indptr))
    known = values.copy()
    known[cells] = 0
    rhs = -(matrix[rows] @ known)
    result = optimize.milp(
        np.zeros(len(cells)),
        integrality=np.ones(len(cells), dtype=np.int64),
        bounds=optimize.Bounds(low[cells].astype(float), np.where(high[cells] == NO_UPPER, np.inf, high[cells])),
        constraints=optimize.LinearConstraint(part[rows], rhs, rhs),
    )
    return None if result.x is None else np.rint(result.x).astype(np.int64)
