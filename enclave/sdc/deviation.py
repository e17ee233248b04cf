"""The cheapest deviation from the truth that lets one cell move as it must be able to: a witness."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from enclave.sdc.problem import TINY, Move, Problem, down, unit, up
from enclave.sdc.programs import Floats, compact, least, merge_twins, model, run_program
from enclave.sdc.table import NO_UPPER, Ints
from enclave.sdc.work import Work

REUSE = 1e-3
"""Cost, relative to showing one cell fewer, of moving a cell that is hidden already."""

MOST_DEAR = 1e3
"""Most by which the price of moving a small cell is raised."""


def mirrored(problem: Problem, deviation: Floats) -> Floats | None:
    """Return the opposite deviation where cells move in both directions and it is a witness too."""
    if np.all(problem.depth == NO_UPPER):
        return None
    table = problem.values - deviation
    within = (table >= problem.lower - TINY) & ((table <= problem.upper + TINY) | (problem.upper == NO_UPPER))
    return -deviation if np.all(within) else None


class CheapestDeviation:
    """min cost(up + down) with matrix @ (up - down) == 0 and one cell moved by its amount, over the cells given.

    Cells that an equation of two makes equal move as one column.
    """

    def __init__(self, problem: Problem, cells: Ints, room: int, work: Work | None) -> None:
        matrix, twin = merge_twins(compact(problem.matrix, cells))
        self._cells, self._twin, self._size = cells, twin, matrix.shape[1]
        self._column = np.full(len(problem.values), -1, dtype=np.int64)
        self._column[cells] = twin
        self._up = least(up(problem, room)[cells], twin, self._size)
        self._down = least(down(problem, room)[cells], twin, self._size)
        self._weight = problem.weight
        self._cost = np.bincount(twin, weights=problem.weight[cells], minlength=self._size)
        both = sparse.csc_array(sparse.hstack([matrix, -matrix]), dtype=np.float64)
        bounds = np.concatenate([self._up, self._down])
        self._model = model(both, np.concatenate([self._cost, self._cost]), np.zeros(2 * self._size), bounds)
        self._unit = 1.0
        self._dearer = np.ones(self._size)
        self._hidden = np.zeros(self._size, dtype=np.bool_)
        self._work = work
        self.steps = 0

    def reuse(self, cells: Ints) -> None:
        """Make moving these hidden cells nearly free."""
        columns = self._column[cells]
        np.subtract.at(self._cost, columns, (1.0 - REUSE) * self._weight[cells] - REUSE)
        columns = np.unique(columns)
        self._hidden[columns] = True
        self._dearer[columns] = 1.0
        both = np.concatenate([columns, columns + self._size]).astype(np.int32)
        self._model.changeColsCost(len(both), both, np.tile(self._cost[columns], 2))

    def fix(self, cell: int) -> None:
        """Take this cell, and with it its twins, out of all further deviations."""
        column = int(self._column[cell])
        self._up[column] = self._down[column] = 0.0
        self._limit(column)

    def rescue(self, moves: Sequence[Move], without: int) -> list[Floats] | None:
        """Return for each move a witness that leaves one cell alone; None as soon as one has none.

        One program serves many moves.
        """
        column = int(self._column[without])
        kept = self._up[column], self._down[column]
        self.fix(without)
        found: dict[int, Floats] = {}
        while todo := [move for move in moves if id(move) not in found]:
            deviation = self.solve(todo[0])
            if deviation is None:
                break
            found.update({id(move): deviation for move in todo if move.met_by(deviation)})
        self._up[column], self._down[column] = kept
        self._limit(column)
        return None if todo else [found[id(move)] for move in moves]

    def solve(self, move: Move) -> Floats | None:
        """Return the cheapest deviation that makes this move; None when there is none."""
        column = int(self._column[move.cell])
        push, stop = (column, column + self._size) if move.sign > 0 else (column + self._size, column)
        limit = (self._up if move.sign > 0 else self._down)[column]
        if limit < move.amount:
            return None
        self._count_in(unit(move.amount))
        self._price(move.amount)
        self._model.changeColBounds(push, move.amount / self._unit, float(limit) / self._unit)
        self._model.changeColBounds(stop, 0.0, 0.0)
        solution = run_program(self._model)
        steps = int(self._model.getInfo().simplex_iteration_count)
        self.steps += max(1, steps)
        if self._work is not None:
            self._work.spend(steps)
        self._limit(column)
        if solution is None:
            return None
        moves = solution[: self._size] - solution[self._size :]
        deviation = np.zeros(len(self._column))
        deviation[self._cells] = np.where(abs(moves) <= TINY, 0.0, moves * self._unit)[self._twin]
        return deviation

    def _price(self, amount: int) -> None:
        """Let a cell that can fall by less than the amount cost as much as if it fell by all of it.

        Hiding a cell costs the same whatever it can give. Without this, a large sum would be moved through a crowd of
        small cells, each of them cheap for what it moves.
        """
        room = np.where(self._down > 0, self._down, amount)
        dearer = np.where(self._hidden, 1.0, np.clip(amount / room, 1.0, MOST_DEAR))
        changed = np.flatnonzero(dearer != self._dearer)
        if len(changed):
            self._dearer = dearer
            columns = (changed + self._size).astype(np.int32)
            self._model.changeColsCost(len(columns), columns, self._cost[changed] * dearer[changed])

    def _count_in(self, unit: float) -> None:
        """Change the unit of all bounds."""
        if unit != self._unit:
            self._unit = unit
            bounds = np.concatenate([self._up, self._down]) / unit
            columns = np.arange(2 * self._size, dtype=np.int32)
            self._model.changeColsBounds(len(columns), columns, np.zeros(len(columns)), bounds)

    def _limit(self, column: int) -> None:
        self._model.changeColBounds(column, 0.0, float(self._up[column]) / self._unit)
        self._model.changeColBounds(column + self._size, 0.0, float(self._down[column]) / self._unit)
