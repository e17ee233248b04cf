"""What the proposer solves, part by part: cells, what may be hidden, and what has to be able to move."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from enclave.sdc.programs import Floats
from enclave.sdc.table import NO_UPPER, Bools, Ints

ROOM = 6
"""A witness moves no cell by more than this many times the largest move: enough, and it keeps programs bounded."""

LARGEST_MOVE = 1e4
"""Programs count in units in which no move is larger than this, so that sums of money are no less exact than counts."""

TINY = 1e-7
"""What a solver's figure may be off by, in units."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Cells with their true values, and what must, may and may not be hidden.

    `fixed`: public already, or derivable from what is public. `must`: hidden in any case. `rank`: 0 for cells to be
    used first; cells of rank 1 (constant over periods) and 2 (zeros) join only where no pattern exists without them.
    """

    matrix: sparse.csr_array
    values: Ints
    fixed: Bools
    must: Bools
    rank: Ints
    weight: Floats
    lower: Ints
    upper: Ints
    reach: Ints
    depth: Ints

    def part(self, rows: Ints, cells: Ints) -> "Problem":
        """Return the problem of these rows and cells alone; all others stay as they are."""
        return Problem(
            matrix=sparse.csr_array(self.matrix[rows][:, cells]),
            values=self.values[cells],
            fixed=self.fixed[cells],
            must=self.must[cells],
            rank=self.rank[cells],
            weight=self.weight[cells],
            lower=self.lower[cells],
            upper=self.upper[cells],
            reach=self.reach[cells],
            depth=self.depth[cells],
        )


@dataclass(eq=False)
class Move:
    """One cell that has to move, up (+1) or down (-1), by an amount, and the witness that shows it can."""

    cell: int
    sign: int
    amount: int
    witness: Floats | None = None

    def __post_init__(self) -> None:
        self._enough = self.amount - TINY * unit(self.amount)

    def met_by(self, deviation: Floats) -> bool:
        """Say whether a deviation moves the cell as far as it must be able to move."""
        return bool(self.sign * deviation[self.cell] >= self._enough)


def unit(amount: int) -> float:
    """Return the unit, a power of two, in which programs for a move of this amount count."""
    return float(2 ** max(0, int(np.ceil(np.log2(amount / LARGEST_MOVE)))))


@dataclass(eq=False)
class State:
    """The hidden cells of one part so far, and what must be able to move."""

    problem: Problem
    hidden: Bools
    moves: list[Move] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Return how far a witness may move a cell."""
        return ROOM * max((move.amount for move in self.moves), default=1)

    def hide(self, cells: Ints) -> None:
        """Hide these cells and note how they must be able to move in their turn."""
        self.hidden[cells] = True
        for cell in cells.tolist():
            value = self.problem.values[cell]
            if self.problem.reach[cell] > value:
                self.moves.append(Move(cell, 1, int(self.problem.reach[cell] - value)))
            if self.problem.depth[cell] < value:
                self.moves.append(Move(cell, -1, int(value - self.problem.depth[cell])))

    def open_moves(self) -> list[Move]:
        """Return the moves that have no witness yet."""
        return [move for move in self.moves if move.witness is None]


def down(problem: Problem, room: int) -> Floats:
    """How far each cell may fall in a witness."""
    return np.asarray(np.minimum(problem.values - problem.lower, room).clip(min=0), dtype=np.float64)


def up(problem: Problem, room: int) -> Floats:
    """How far each cell may rise in a witness."""
    above = np.where(problem.upper == NO_UPPER, room, problem.upper - problem.values)
    return np.asarray(np.minimum(above, room).clip(min=0), dtype=np.float64)
