"""The proposer: secondary suppression, joint over all tables of a request and over the release history.

Each hidden cell needs a *witness*: another table that agrees with everything public and in which the cell reaches the
value that it must be able to have (`Problem.reach`; for marks that promise a range also `depth`). The heuristic finds,
for one unprotected cell after the other, the cheapest deviation from the truth that serves as a witness, and hides the
cells that it moves (the linear-programming heuristic for cell suppression of Kelly, Golden and Assad, 1992). A cell
hidden before costs next to nothing, so witnesses share cells. One after the other they would not see which cells serve
many needs at once; so cells are cheaper that the linear relaxation of the whole problem hides (`capacity.py`). A
clean-up then shows cells again for which other
witnesses exist.

The outcome is a proposal. Only `attacker.py` can approve it. Work is counted in linear programs, never in seconds, so
that the same input gives the same pattern on any machine.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from enclave.sdc.capacity import Pattern, relaxation
from enclave.sdc.need import Target
from enclave.sdc.programs import Floats, compact, least, merge_twins, model, run_program
from enclave.sdc.table import NO_UPPER, Bools, Ints
from enclave.sdc.work import Work

REUSE = 1e-3
"""Cost, relative to showing one cell fewer, of moving a cell that is hidden already."""

ROOM = 6
"""A witness moves no cell by more than this many times the largest need: enough, and it keeps programs bounded."""

GUIDANCE = 0.7
"""Most of its price that a cell loses by being part of the relaxation."""

CLEAN_UP_PROGRAMS = 600
"""Budget of the clean-up in linear programs: enough to finish small tables, a share of large ones."""

LARGEST_MOVE = 1e4
"""Programs count in units in which no need is larger than this, so that sums of money are no less exact than counts."""

MOST_DEAR = 1e3
"""Most by which the price of moving a small cell is raised."""

_TINY = 1e-7


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


@dataclass(frozen=True, eq=False)
class Proposal:
    """Which cells to hide, and the witnesses found: (cells of a part, tables with whole numbers, one a row).

    `unmet`: cells for which no witness was found, or none looked for once the work was used up.
    """

    hidden: Bools
    unmet: Bools
    witnesses: tuple[tuple[Ints, Ints], ...]


Outcome = tuple[Bools, Bools, Ints]
"""Of one part: the cells to hide, those of them for which no witness was found, and the witnesses, one a row."""


def propose(
    problem: Problem,
    *,
    run: Callable[[Callable[[Problem], Outcome], Iterable[Problem]], Iterable[Outcome]] = map,
    work: Work | None = None,
) -> Proposal:
    """Return which cells to hide: `must` and the secondaries found. `run` maps over independent parts.

    `work` bounds what all parts together may cost; it is counted on in place, so `run` must then stay in this process.
    None: each part is covered whatever it costs, and its clean-up has a budget of its own.

    Ranks are tried in order: first without zeros and constant cells, then with constant cells, then with all, each
    time for the cells alone that still lack a witness. Those for which none was found even so stay as they are; the
    attacker will say so.
    """
    hidden, unmet = problem.must.copy(), problem.must.copy()
    witnesses: list[tuple[Ints, Ints]] = []
    for rank in range(int(problem.rank.max(initial=0)) + 1):
        usable = (~problem.fixed) & (hidden | (problem.rank <= rank))
        parts = list(_parts(problem, usable, hidden, unmet))
        unmet[:] = False
        outcomes = run(partial(_protect_part, work=work), [part for _, part in parts])
        for (cells, _), (found, failed, tables) in zip(parts, outcomes, strict=True):
            hidden[cells] |= found
            unmet[cells] |= failed
            witnesses.append((cells, tables))
        if not unmet.any():
            break
    return Proposal(hidden, unmet, tuple(witnesses))


def _parts(problem: Problem, usable: Bools, hidden: Bools, unmet: Bools) -> Iterator[tuple[Ints, Problem]]:
    """Split the usable cells into parts that no equation connects; leave out parts where every need is met.

    Cells hidden before have their witness and need no other: hiding more takes no witness away.
    """
    cells = np.flatnonzero(usable)
    matrix = sparse.csr_array(problem.matrix[:, cells])
    rows = np.flatnonzero(np.diff(matrix.indptr))
    links = abs(matrix[rows])
    count, label = csgraph.connected_components(links.T @ links, directed=False)
    row_label = label[links.indices[links.indptr[:-1]]]
    for number in range(count):
        inside = cells[label == number]
        if unmet[inside].any():
            part = problem.part(rows[row_label == number], inside)
            satisfied = hidden[inside] & ~unmet[inside]
            reach, depth = np.where(satisfied, 0, part.reach), np.where(satisfied, NO_UPPER, part.depth)
            yield inside, replace(part, must=hidden[inside], reach=reach, depth=depth)


@dataclass(eq=False)
class _Need:
    """One cell that has to move, up (+1) or down (-1), by an amount, and the witness that shows it can."""

    cell: int
    sign: int
    amount: int
    witness: Floats | None = None

    def __post_init__(self) -> None:
        self._enough = self.amount - _TINY * _unit(self.amount)

    def met_by(self, deviation: Floats) -> bool:
        return bool(self.sign * deviation[self.cell] >= self._enough)


def _unit(amount: int) -> float:
    """Return the unit, a power of two, in which programs for a need of this amount count."""
    return float(2 ** max(0, int(np.ceil(np.log2(amount / LARGEST_MOVE)))))


@dataclass(eq=False)
class _State:
    """The hidden cells of one part so far and their needs."""

    problem: Problem
    hidden: Bools
    needs: list[_Need] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Return how far a witness may move a cell."""
        return ROOM * max((need.amount for need in self.needs), default=1)

    def hide(self, cells: Ints) -> None:
        """Hide these cells and note what they need in their turn."""
        self.hidden[cells] = True
        for cell in cells.tolist():
            value = self.problem.values[cell]
            if self.problem.reach[cell] > value:
                self.needs.append(_Need(cell, 1, int(self.problem.reach[cell] - value)))
            if self.problem.depth[cell] < value:
                self.needs.append(_Need(cell, -1, int(value - self.problem.depth[cell])))

    def open_needs(self) -> list[_Need]:
        return [need for need in self.needs if need.witness is None]


def _protect_part(problem: Problem, work: Work | None = None) -> Outcome:
    """Protect one connected part."""
    state = _cover(_guided(problem, work), work)
    _free(state, work)
    unmet = np.zeros(len(problem.values), dtype=np.bool_)
    unmet[[need.cell for need in state.open_needs()]] = True
    return state.hidden, unmet, _whole(state)


def _guided(problem: Problem, work: Work | None) -> Problem:
    """Return the problem with lower prices for cells that the relaxation hides, by the share that it hides of each."""
    values, up, down = problem.values, problem.reach - problem.values, problem.values - problem.depth
    target = Target(values, np.where(problem.must, up, 0).clip(min=0), np.where(problem.must, down, 0).clip(min=0))
    found = relaxation(Pattern(problem.matrix, problem.must, np.zeros_like(problem.must), target), problem.weight)
    if work is not None:
        work.spend(found.steps)
    weight = problem.weight.copy()
    weight[found.cells] *= 1.0 - GUIDANCE * found.shares
    return replace(problem, weight=weight)


def _whole(state: _State) -> Ints:
    """Return the truth and every witness in whole numbers, each once, one a row."""
    found = {id(need.witness): need.witness for need in state.needs if need.witness is not None}
    rounded = (np.rint(d).astype(np.int64) for d in found.values())
    whole = [d for d in rounded if not np.any(state.problem.matrix @ d)]
    return np.stack([state.problem.values, *(state.problem.values + d for d in whole)])


def _down(problem: Problem, room: int) -> Floats:
    """How far each cell may fall in a witness."""
    return np.asarray(np.minimum(problem.values - problem.lower, room).clip(min=0), dtype=np.float64)


def _up(problem: Problem, room: int) -> Floats:
    """How far each cell may rise in a witness."""
    above = np.where(problem.upper == NO_UPPER, room, problem.upper - problem.values)
    return np.asarray(np.minimum(above, room).clip(min=0), dtype=np.float64)


def _cover(problem: Problem, work: Work | None) -> _State:
    """Give each need a witness, the cheapest in cells newly hidden; needs that have none stay open."""
    state = _State(problem, np.zeros(len(problem.values), dtype=np.bool_))
    state.hide(np.flatnonzero(problem.must))
    program = _CheapestDeviation(problem, np.arange(len(problem.values)), state.room, work)
    program.reuse(np.flatnonzero(state.hidden))
    hopeless: set[int] = set()
    while todo := [need for need in state.open_needs() if id(need) not in hopeless]:
        if work is not None and work.used_up:
            break
        need = max(todo, key=lambda n: (n.amount, problem.weight[n.cell], -n.cell))
        deviation = program.solve(need)
        if deviation is None:
            hopeless.add(id(need))
            continue
        moved = np.flatnonzero((deviation != 0) & ~state.hidden)
        state.hide(moved)
        program.reuse(moved)
        mirrored = _mirrored(problem, deviation)
        for other in state.open_needs():
            if other.met_by(deviation):
                other.witness = deviation
            elif mirrored is not None and other.met_by(mirrored):
                other.witness = mirrored
    return state


def _mirrored(problem: Problem, deviation: Floats) -> Floats | None:
    """Return the opposite deviation where there are needs in both directions and it is a witness too."""
    if np.all(problem.depth == NO_UPPER):
        return None
    table = problem.values - deviation
    within = (table >= problem.lower - _TINY) & ((table <= problem.upper + _TINY) | (problem.upper == NO_UPPER))
    return -deviation if np.all(within) else None


class _CheapestDeviation:
    """min cost(up + down) with matrix @ (up - down) == 0 and one cell moved by its need, over the cells given.

    Cells that an equation of two makes equal move as one column.
    """

    def __init__(self, problem: Problem, cells: Ints, room: int, work: Work | None) -> None:
        matrix, twin = merge_twins(compact(problem.matrix, cells))
        self._cells, self._twin, self._size = cells, twin, matrix.shape[1]
        self._column = np.full(len(problem.values), -1, dtype=np.int64)
        self._column[cells] = twin
        self._up = least(_up(problem, room)[cells], twin, self._size)
        self._down = least(_down(problem, room)[cells], twin, self._size)
        self._weight = problem.weight
        self._cost = np.bincount(twin, weights=problem.weight[cells], minlength=self._size)
        both = sparse.csc_array(sparse.hstack([matrix, -matrix]), dtype=np.float64)
        bounds = np.concatenate([self._up, self._down])
        self._model = model(both, np.concatenate([self._cost, self._cost]), np.zeros(2 * self._size), bounds)
        self._unit = 1.0
        self._dearer = np.ones(self._size)
        self._hidden = np.zeros(self._size, dtype=np.bool_)
        self._work = work
        self.programs = 0

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

    def rescue(self, needs: Sequence[_Need], without: int) -> list[Floats] | None:
        """Return for each need a witness that leaves one cell alone; None as soon as one has none.

        One program serves many needs.
        """
        column = int(self._column[without])
        kept = self._up[column], self._down[column]
        self.fix(without)
        found: dict[int, Floats] = {}
        while todo := [need for need in needs if id(need) not in found]:
            deviation = self.solve(todo[0])
            if deviation is None:
                break
            found.update({id(need): deviation for need in todo if need.met_by(deviation)})
        self._up[column], self._down[column] = kept
        self._limit(column)
        return None if todo else [found[id(need)] for need in needs]

    def solve(self, need: _Need) -> Floats | None:
        """Return the cheapest deviation that meets this need; None when there is none."""
        self.programs += 1
        column = int(self._column[need.cell])
        push, stop = (column, column + self._size) if need.sign > 0 else (column + self._size, column)
        limit = (self._up if need.sign > 0 else self._down)[column]
        if limit < need.amount:
            return None
        self._count_in(_unit(need.amount))
        self._price(need.amount)
        self._model.changeColBounds(push, need.amount / self._unit, float(limit) / self._unit)
        self._model.changeColBounds(stop, 0.0, 0.0)
        solution = run_program(self._model)
        if self._work is not None:
            self._work.spend(int(self._model.getInfo().simplex_iteration_count))
        self._limit(column)
        if solution is None:
            return None
        moves = solution[: self._size] - solution[self._size :]
        deviation = np.zeros(len(self._column))
        deviation[self._cells] = np.where(abs(moves) <= _TINY, 0.0, moves * self._unit)[self._twin]
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


def _free(state: _State, work: Work | None) -> None:
    """Show secondaries again where every need keeps a witness, those first that few witnesses use.

    Stops when its share of linear programs is used up: the last cells are the ones least likely to come free.
    """
    program = _CheapestDeviation(state.problem, np.flatnonzero(state.hidden), state.room, work)
    secondaries = np.flatnonzero(state.hidden & ~state.problem.must)
    uses = np.zeros(len(state.hidden), dtype=np.int64)
    for need in state.needs:
        if need.witness is not None:
            uses += need.witness != 0
    for cell in secondaries[np.argsort(uses[secondaries], kind="stable")].tolist():
        if program.programs >= CLEAN_UP_PROGRAMS if work is None else work.used_up:
            break
        dependent = [n for n in state.needs if n.witness is not None and n.witness[cell] != 0 and n.cell != cell]
        found = program.rescue(dependent, cell)
        if found is not None:
            program.fix(cell)
            _show(state, cell, dependent, found)


def _show(state: _State, cell: int, dependent: Sequence[_Need], witnesses: Sequence[Floats]) -> None:
    """Show one cell again, with the witnesses that do without it."""
    for need, witness in zip(dependent, witnesses, strict=True):
        need.witness = witness
    state.hidden[cell] = False
    state.needs = [need for need in state.needs if need.cell != cell]
