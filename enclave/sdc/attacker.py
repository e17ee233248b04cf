"""The attacker: what can be worked out from everything published, by linear and integer programming.

It alone can approve a pattern, and it shares nothing with the part that proposes one: it knows `table.py` and nothing
else. The proof is positive. For each hidden cell it gives a *witness*: a table of integers that agrees with all that
is public and in which the cell reaches the value it must be able to have. Witnesses are checked in exact integer
arithmetic (`certified`), so that a slip of the solver can fail a safe pattern but never pass an unsafe one.

One witness usually serves many cells: each program lifts one open cell for certain, and as many others as it can.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, sparse
from scipy.sparse import csgraph

from enclave.errors import EnclaveBug
from enclave.sdc.table import NO_UPPER, Ints, Knowledge

NO_DEPTH = np.iinfo(np.int64).max
"""No need that a cell's minimum gets down to anything."""

GOOD_ENOUGH = 0.3
"""Relative gap at which a program for many cells may stop: what it misses is tried again. The one that leads is met."""

_OPTIMAL = 0
_CLEARLY = 0.5


@dataclass(frozen=True, eq=False)
class Witness:
    """Integer values for the hidden `cells` of one connected part; everything else is public there."""

    cells: Ints
    values: Ints


@dataclass(frozen=True, eq=False)
class Verdict:
    """What an attack found. `unproven`: hidden cells for which no witness exists (or none was found).

    `witness_of[i]` is the index in `witnesses` of the one that lifts cell i to its reach, -1 where no need is.
    """

    passed: bool
    unproven: tuple[int, ...]
    witnesses: tuple[Witness, ...]
    witness_of: Ints


@dataclass(frozen=True, eq=False)
class Part:
    """One connected part of the hidden cells: `matrix @ x == rhs`, lower <= x <= upper, with the needs."""

    cells: Ints
    matrix: sparse.csr_array
    rhs: Ints
    lower: Ints
    upper: Ints
    reach: Ints
    depth: Ints
    hints: Ints | None = None
    """Tables of this part, one a row, that somebody says fit; None without any."""


PartResult = tuple[list[Ints], Ints, Ints]
"""Witness values, per cell the witness that lifts it (-1), per cell the witness that lowers it (-1)."""


def attack(
    knowledge: Knowledge,
    reach: Ints,
    depth: Ints | None = None,
    *,
    hints: Sequence[Witness] = (),
    run: Callable[[Callable[[Part], PartResult], Iterable[Part]], Iterable[PartResult]] = map,
) -> Verdict:
    """Try to prove that each hidden cell's maximum gets to `reach` (0: no need), and its minimum to `depth`.

    `depth` is for marks that promise a range (NO_DEPTH: no need). `hints` are tables that somebody, an earlier attack
    perhaps, says are witnesses: they save work where they fit what is public, which is checked in integers. `run` maps
    over connected parts, perhaps in several processes; the verdict does not depend on it. Raises EnclaveBug when what
    is public contradicts itself.
    """
    depth = np.full(reach.shape, NO_DEPTH, dtype=np.int64) if depth is None else depth
    grouped = _grouped(hints)
    parts = [replace(part, hints=_hints_for(part, grouped)) for part in _parts(knowledge, reach, depth)]
    witnesses: list[Witness] = []
    witness_of = np.full(reach.shape, -1, dtype=np.int64)
    unproven: list[int] = []
    for part, (tables, up, down) in zip(parts, run(_attack_part, parts), strict=True):
        witness_of[part.cells[up >= 0]] = up[up >= 0] + len(witnesses)
        witnesses += [Witness(part.cells, table) for table in tables]
        failed = ((part.reach > 0) & (up < 0)) | ((part.depth != NO_DEPTH) & (down < 0))
        unproven += part.cells[failed].tolist()
    verdict = Verdict(not unproven, tuple(sorted(unproven)), tuple(witnesses), witness_of)
    if verdict.passed and not certified(knowledge, reach, verdict):
        raise EnclaveBug("CERTIFICATE", "a witness does not fit what is public; nothing may be released")
    return verdict


def _grouped(hints: Sequence[Witness]) -> list[tuple[Ints, Ints]]:
    """Put hints for the same cells together: (cells, tables, one a row)."""
    groups: dict[int, list[Witness]] = {}
    for hint in hints:
        groups.setdefault(id(hint.cells), []).append(hint)
    return [(group[0].cells, np.stack([hint.values for hint in group])) for group in groups.values()]


def _hints_for(part: Part, grouped: Sequence[tuple[Ints, Ints]]) -> Ints | None:
    """Return the hints that speak of all cells of a part, cut to it. Cells of a hint stand in ascending order."""
    found = []
    for cells, tables in grouped:
        place = np.searchsorted(cells, part.cells)
        if place[-1] < len(cells) and np.array_equal(cells[place], part.cells):
            found.append(tables[:, place])
    return np.concatenate(found) if found else None


def certified(knowledge: Knowledge, reach: Ints, verdict: Verdict) -> bool:
    """Check every witness of a verdict in exact integer arithmetic, against the whole of what is public.

    Witnesses of different parts are put together into whole tables, so that each table is checked in every equation.
    """
    by_part: dict[int, list[int]] = {}
    for number, witness in enumerate(verdict.witnesses):
        by_part.setdefault(int(witness.cells[0]), []).append(number)
    covered = np.zeros(reach.shape, dtype=np.bool_)
    for numbers in by_part.values():
        covered[verdict.witnesses[numbers[0]].cells] = True
    if np.any(covered & knowledge.public):
        return False
    links = abs(knowledge.matrix)
    rows = links @ (~covered & ~knowledge.public).astype(np.int64) == 0
    if np.any(links[~rows] @ covered.astype(np.int64)):
        return False
    lifted = np.zeros(reach.shape, dtype=np.bool_)
    for turn in range(max(map(len, by_part.values()), default=0)):
        used = [numbers[min(turn, len(numbers) - 1)] for numbers in by_part.values()]
        table = knowledge.values.copy()
        for number in used:
            table[verdict.witnesses[number].cells] = verdict.witnesses[number].values
        inside = (table >= knowledge.lower) & (table <= knowledge.upper)
        if not np.all(inside[covered]) or not np.array_equal((knowledge.matrix @ table)[rows], knowledge.rhs[rows]):
            return False
        lifted |= np.isin(verdict.witness_of, used) & (table >= reach)
    return bool(np.all(lifted[(reach > 0) & ~knowledge.public]))


def intervals(knowledge: Knowledge, cells: Sequence[int]) -> Ints:
    """Return exact integer minimum and maximum of these cells, shape (cells, 2); NO_UPPER where unbounded."""
    none = np.zeros(knowledge.public.shape, dtype=np.int64)
    place = {int(cell): (part, i) for part in _parts(knowledge, none, none) for i, cell in enumerate(part.cells)}
    found = np.empty((len(cells), 2), dtype=np.int64)
    for row, cell in enumerate(cells):
        if knowledge.public[cell]:
            found[row] = knowledge.values[cell]
            continue
        part, i = place[int(cell)]
        found[row] = _extreme(part, i, sign=1), _extreme(part, i, sign=-1)
    return found


def _parts(knowledge: Knowledge, reach: Ints, depth: Ints) -> Iterator[Part]:
    """Split the hidden cells where no equation connects them; public values move to the right-hand side."""
    hidden = np.flatnonzero(~knowledge.public)
    matrix = sparse.csr_array(knowledge.matrix[:, hidden])
    rhs = knowledge.rhs - knowledge.matrix @ np.where(knowledge.public, knowledge.values, 0)
    empty = np.diff(matrix.indptr) == 0
    if np.any(rhs[empty]):
        raise EnclaveBug("CONTRADICTION", "what is public contradicts itself; nothing may be released")
    matrix, rhs = matrix[~empty], rhs[~empty]
    links = abs(matrix)
    count, label = csgraph.connected_components(links.T @ links, directed=False)
    row_label = label[matrix.indices[matrix.indptr[:-1]]]
    by_cell, by_row = np.argsort(label, kind="stable"), np.argsort(row_label, kind="stable")
    cell_ends = np.searchsorted(label[by_cell], np.arange(count + 1))
    row_ends = np.searchsorted(row_label[by_row], np.arange(count + 1))
    for number in range(count):
        inside = by_cell[cell_ends[number] : cell_ends[number + 1]]
        rows = by_row[row_ends[number] : row_ends[number + 1]]
        cells = hidden[inside]
        block = sparse.csr_array(matrix[rows][:, inside])
        yield Part(cells, block, rhs[rows], knowledge.lower[cells], knowledge.upper[cells], reach[cells], depth[cells])


class _Proofs:
    """The witnesses found for one part so far, and which needs are still open."""

    def __init__(self, part: Part) -> None:
        self.tables: list[Ints] = []
        self.up = np.full(part.cells.shape, -1, dtype=np.int64)
        self.down = self.up.copy()
        self._part = part
        self._needs_up, self._needs_down = part.reach > 0, part.depth != NO_DEPTH

    @property
    def open(self) -> tuple[Ints, Ints]:
        """Return the cells still to be lifted and those still to be lowered."""
        return np.flatnonzero(self._needs_up & (self.up < 0)), np.flatnonzero(self._needs_down & (self.down < 0))

    def take(self, table: Ints | None) -> bool:
        """Take a table that fits as one more witness if it meets an open need; say whether it did."""
        if table is None:
            return False
        cells, sinks = self.open
        raised, lowered = cells[table[cells] >= self._part.reach[cells]], sinks[table[sinks] <= self._part.depth[sinks]]
        if not raised.size + lowered.size:
            return False
        self.up[raised] = self.down[lowered] = len(self.tables)
        self.tables.append(table)
        return True

    def give_up(self, cells: Ints, sinks: Ints) -> None:
        """Ask no more for these needs; they stay without a proof."""
        self._needs_up[cells] = False
        self._needs_down[sinks] = False


def _attack_part(part: Part) -> PartResult:
    """Find witnesses for the needs of one part: hints first, then program by program, each led by one open need."""
    proofs = _Proofs(part)
    hints = _fitting(part)
    for number in np.argsort(-np.count_nonzero(hints >= part.reach, axis=1), kind="stable"):
        proofs.take(hints[number])
    none = np.zeros(0, dtype=np.int64)
    together = True
    while (cells := proofs.open[0]).size:
        together = _prove(part, proofs, cells[:1], none, together=together)
    while (sinks := proofs.open[1]).size:
        together = _prove(part, proofs, none, sinks[:1], together=together)
    return proofs.tables, proofs.up, proofs.down


def _prove(part: Part, proofs: _Proofs, cells: Ints, sinks: Ints, *, together: bool) -> bool:
    """Meet these needs and, `together`, as many other open ones as the same table can; say whether a table was found.

    Where none is, these needs are given up. Without needs that must be met, a program may lift many cells a little and
    none far enough. Should the solver slip on so many wishes at once, these needs are asked for alone; so they are
    where those before them were given up, since needs that no table meets seldom come alone.
    """
    lower, upper = part.lower.copy(), part.upper.copy()
    lower[cells] = np.maximum(lower[cells], part.reach[cells])
    upper[sinks] = np.minimum(upper[sinks], part.depth[sinks])
    led = replace(part, lower=lower, upper=upper)
    table = None
    if np.all(lower <= upper):
        table = _solve(led, *proofs.open) if together else None
        table = _solve(led, cells, sinks) if table is None else table
    found = proofs.take(table)
    if not found:
        proofs.give_up(cells, sinks)
    return found


def _fitting(part: Part) -> Ints:
    """Return the hints that fit the part, checked in integers."""
    if part.hints is None:
        return np.zeros((0, len(part.cells)), dtype=np.int64)
    within = np.all((part.hints >= part.lower) & (part.hints <= part.upper), axis=1)
    equal = np.all(part.matrix @ part.hints.T == part.rhs[:, None], axis=0)
    return np.asarray(part.hints[within & equal])


def _solve(part: Part, cells: Ints, sinks: Ints) -> Ints | None:
    """Return an integer table that brings many of `cells` up to their reach and `sinks` down to their depth."""
    relaxed = _program(part, cells, sinks, integer=False)
    if relaxed is None:
        return None
    rounded = np.rint(relaxed).astype(np.int64)
    if _fits(part, rounded):
        return rounded
    exact = _program(part, cells, sinks, integer=True)
    if exact is None:
        return None
    rounded = np.rint(exact).astype(np.int64)
    return rounded if _fits(part, rounded) else None


def _fits(part: Part, table: Ints) -> bool:
    """Check a table against its part in integers."""
    within = np.all(table >= part.lower) and np.all(table <= part.upper)
    return bool(within and np.array_equal(part.matrix @ table, part.rhs))


def _program(part: Part, cells: Ints, sinks: Ints, *, integer: bool) -> Ints | None:
    """Maximise the sum of min(x, reach) over `cells` less the sum of max(x - depth, 0) over `sinks`."""
    size, ups, downs = len(part.cells), len(cells), len(sinks)
    equations = sparse.hstack([part.matrix, sparse.csr_array((part.matrix.shape[0], ups + downs))])
    chosen = sparse.csr_array(
        (np.ones(ups + downs), (np.arange(ups + downs), np.concatenate([cells, sinks]))), shape=(ups + downs, size)
    )
    helper = sparse.diags_array(np.concatenate([-np.ones(ups), -np.ones(downs)]))
    coupling = sparse.hstack([chosen, helper])  # x - t >= 0 for lifts; x - s <= depth for sinks
    low = np.concatenate([np.zeros(ups), np.full(downs, -np.inf)])
    high = np.concatenate([np.full(ups, np.inf), part.depth[sinks].astype(float)])
    cost = np.concatenate([np.zeros(size), -np.ones(ups), np.ones(downs)])
    bounds = optimize.Bounds(
        np.concatenate([part.lower.astype(float), np.full(ups, -np.inf), np.zeros(downs)]),
        np.concatenate([_finite(part.upper), part.reach[cells].astype(float), np.full(downs, np.inf)]),
    )
    result = optimize.milp(
        cost,
        integrality=np.concatenate([np.full(size, int(integer)), np.zeros(ups + downs)]),
        bounds=bounds,
        constraints=[
            optimize.LinearConstraint(equations, part.rhs, part.rhs),
            optimize.LinearConstraint(coupling, low, high),
        ],
        options={"mip_rel_gap": 0.0 if ups + downs == 1 else GOOD_ENOUGH},
    )
    return None if result.x is None else np.asarray(result.x[:size])


def _finite(upper: Ints) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(upper == NO_UPPER, np.inf, upper.astype(float))


def _extreme(part: Part, cell: int, *, sign: int) -> int:
    """Return the exact minimum (sign 1) or maximum (sign -1) of one cell."""
    if sign < 0 and _endless(part, cell):
        return NO_UPPER
    cost = np.zeros(len(part.cells))
    cost[cell] = sign
    result = optimize.milp(
        cost,
        integrality=np.ones(len(part.cells), dtype=np.int64),
        bounds=optimize.Bounds(part.lower.astype(float), _finite(part.upper)),
        constraints=[optimize.LinearConstraint(part.matrix, part.rhs, part.rhs)] if part.matrix.shape[0] else [],
        options={"mip_rel_gap": 0.0},
    )
    if result.status != _OPTIMAL or result.x is None:
        raise EnclaveBug("INTERVAL", "the solver found no interval for a cell; nothing may be released")
    return int(np.rint(result.x[cell]))


def _endless(part: Part, cell: int) -> bool:
    """Whether a cell can grow without end: some direction keeps all equations, lowers nothing and raises the cell.

    Asked beforehand, since solvers may call such a program infeasible. Equations with whole coefficients have a whole
    such direction where they have any.
    """
    cost = np.zeros(len(part.cells))
    cost[cell] = -1
    result = optimize.milp(
        cost,
        bounds=optimize.Bounds(0.0, (part.upper == NO_UPPER).astype(float)),
        constraints=[optimize.LinearConstraint(part.matrix, 0.0, 0.0)] if part.matrix.shape[0] else [],
    )
    if result.status != _OPTIMAL or result.x is None:
        raise EnclaveBug("INTERVAL", "the solver found no interval for a cell; nothing may be released")
    return bool(result.x[cell] > _CLEARLY)
