"""The clean-up of a pattern: cells hidden beside the primary ones are shown again where witnesses do without them."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from enclave.sdc.deviation import CheapestDeviation
from enclave.sdc.problem import Move, Problem, State, down, up
from enclave.sdc.programs import Floats
from enclave.sdc.table import Bools, Ints
from enclave.sdc.work import Work

STEPS = 400_000
"""Budget for one part, in steps of the simplex method: enough to finish a quarter of the advice in most cases."""


def clean_up(state: State, shares: Floats, work: Work | None) -> None:
    """Show secondaries again where every move keeps a witness.

    First those that the relaxation hides least (`shares`), and among them those that few witnesses use. Stops when the
    budget is used up: the last cells are the ones least likely to come free.
    """
    program = CheapestDeviation(state.problem, np.flatnonzero(state.hidden), state.room, work)
    lines = _Lines(state.problem, state.room)
    secondaries = np.flatnonzero(state.hidden & ~state.problem.must)
    order = np.lexsort((_uses(state)[secondaries], shares[secondaries]))
    for cell in secondaries[order].tolist():
        if program.steps >= STEPS if work is None else work.used_up:
            break
        dependent = [
            move for move in state.moves if move.witness is not None and move.witness[cell] != 0 and move.cell != cell
        ]
        nearest = sorted(dependent, key=lambda move: not lines.joins(move.cell, cell))
        if any(lines.block(move, cell, state.hidden) for move in nearest):
            continue
        found = program.rescue(nearest, cell)
        if found is not None:
            program.fix(cell)
            _show(state, cell, nearest, found)


def _uses(state: State) -> Ints:
    """Return how many witnesses move each cell."""
    uses = np.zeros(len(state.hidden), dtype=np.int64)
    for move in state.moves:
        if move.witness is not None:
            uses += move.witness != 0
    return uses


def _show(state: State, cell: int, dependent: Sequence[Move], witnesses: Sequence[Floats]) -> None:
    """Show one cell again, with the witnesses that do without it."""
    for move, witness in zip(dependent, witnesses, strict=True):
        move.witness = witness
    state.hidden[cell] = False
    state.moves = [move for move in state.moves if move.cell != cell]


class _Lines:
    """The equations, one by one: whether one alone says that a cell cannot be shown, which needs no program."""

    def __init__(self, problem: Problem, room: int) -> None:
        self._matrix, self._holding = problem.matrix, sparse.csc_array(problem.matrix)
        self._up, self._down = up(problem, room), down(problem, room)

    def joins(self, one: int, other: int) -> bool:
        """Say whether both cells stand in one equation."""
        return len(self._common(one, other)) > 0

    def block(self, move: Move, without: int, hidden: Bools) -> bool:
        """Say whether, in an equation of both cells, the other hidden cells cannot balance the move."""
        return any(self._balance(row, move, without, hidden) < move.amount for row in self._common(move.cell, without))

    def _balance(self, row: int, move: Move, without: int, hidden: Bools) -> float:
        """Return how much of the move the hidden cells of an equation can take up, but for one."""
        inside = slice(self._matrix.indptr[row], self._matrix.indptr[row + 1])
        cells, signs = self._matrix.indices[inside], self._matrix.data[inside]
        ways = -signs * signs[cells == move.cell][0] * move.sign
        others = hidden[cells] & (cells != without) & (cells != move.cell)
        return float(np.where(ways > 0, self._up[cells], self._down[cells])[others].sum())

    def _common(self, one: int, other: int) -> list[int]:
        found: list[int] = np.intersect1d(self._rows(one), self._rows(other), assume_unique=True).tolist()
        return found

    def _rows(self, cell: int) -> Ints:
        inside = slice(self._holding.indptr[cell], self._holding.indptr[cell + 1])
        return np.asarray(self._holding.indices[inside])
