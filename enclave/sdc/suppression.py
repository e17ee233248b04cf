"""The proposer: secondary suppression, joint over all tables of a request and over the release history.

Each hidden cell needs a *witness*: another table that agrees with everything public and in which the cell reaches the
value that it must be able to have (`Problem.reach`; for marks that promise a range also `depth`). The heuristic finds,
for one unprotected cell after the other, the cheapest deviation from the truth that serves as a witness, and hides the
cells that it moves (the linear-programming heuristic for cell suppression of Kelly, Golden and Assad, 1992). A cell
hidden before costs next to nothing, so witnesses share cells. One after the other they would not see which cells serve
many needs at once; so cells are cheaper that the linear relaxation of the whole problem hides (`capacity.py`). A
clean-up then shows cells again for which other witnesses exist (`clean_up.py`).

The outcome is a proposal. Only `attacker.py` can approve it. Work is counted in steps of the solver, never in seconds,
so that the same input gives the same pattern on any machine.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from enclave.sdc.capacity import Pattern, relaxation
from enclave.sdc.clean_up import clean_up
from enclave.sdc.deviation import CheapestDeviation, mirrored
from enclave.sdc.need import Target
from enclave.sdc.problem import Problem, State
from enclave.sdc.programs import Floats
from enclave.sdc.table import NO_UPPER, Bools, Ints
from enclave.sdc.work import Work

GUIDANCE = 0.85
"""Most of its price that a cell loses by being part of the relaxation."""


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


def _protect_part(problem: Problem, work: Work | None = None) -> Outcome:
    """Protect one connected part."""
    shares = _shares(problem, work)
    state = _cover(replace(problem, weight=problem.weight * (1.0 - GUIDANCE * shares)), work)
    clean_up(state, shares, work)
    unmet = np.zeros(len(problem.values), dtype=np.bool_)
    unmet[[move.cell for move in state.open_moves()]] = True
    return state.hidden, unmet, _whole(state)


def _shares(problem: Problem, work: Work | None) -> Floats:
    """Return how much of each cell the relaxation hides."""
    values, up, down = problem.values, problem.reach - problem.values, problem.values - problem.depth
    target = Target(values, np.where(problem.must, up, 0).clip(min=0), np.where(problem.must, down, 0).clip(min=0))
    found = relaxation(Pattern(problem.matrix, problem.must, np.zeros_like(problem.must), target), problem.weight)
    if work is not None:
        work.spend(found.steps)
    shares = np.zeros(len(values))
    shares[found.cells] = found.shares
    return shares


def _whole(state: State) -> Ints:
    """Return the truth and every witness in whole numbers, each once, one a row."""
    found = {id(move.witness): move.witness for move in state.moves if move.witness is not None}
    rounded = (np.rint(d).astype(np.int64) for d in found.values())
    whole = [d for d in rounded if not np.any(state.problem.matrix @ d)]
    return np.stack([state.problem.values, *(state.problem.values + d for d in whole)])


def _cover(problem: Problem, work: Work | None) -> State:
    """Give each need a witness, the cheapest in cells newly hidden; needs that have none stay open."""
    state = State(problem, np.zeros(len(problem.values), dtype=np.bool_))
    state.hide(np.flatnonzero(problem.must))
    program = CheapestDeviation(problem, np.arange(len(problem.values)), state.room, work)
    program.reuse(np.flatnonzero(state.hidden))
    hopeless: set[int] = set()
    while todo := [move for move in state.open_moves() if id(move) not in hopeless]:
        if work is not None and work.used_up:
            break
        move = max(todo, key=lambda n: (n.amount, problem.weight[n.cell], -n.cell))
        deviation = program.solve(move)
        if deviation is None:
            hopeless.add(id(move))
            continue
        moved = np.flatnonzero((deviation != 0) & ~state.hidden)
        state.hide(moved)
        program.reuse(moved)
        opposite = mirrored(problem, deviation)
        for other in state.open_moves():
            if other.met_by(deviation):
                other.witness = deviation
            elif opposite is not None and other.met_by(opposite):
                other.witness = opposite
    return state
