"""Protecting a request: primary rules, joint suppression with the history, the attack, and the fallback.

No request is infeasible. Where no pattern can be proved safe, every cell that is not already public is hidden; that
table goes to the output checkers like any other. A refusal would depend on the data, and so tell something about them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from enclave.errors import EnclaveBug
from enclave.sdc.attacker import NO_DEPTH, Verdict, attack
from enclave.sdc.history import History, Released, Remembered
from enclave.sdc.registry import Registry
from enclave.sdc.safety_rules import MarkMode, Rules, information, sensitive, structural_zeros
from enclave.sdc.suppression import Problem, propose
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge, Mark, ProtectedTable, Table

Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Something like the builtin `map`, perhaps over several processes."""

FREE = "F"
HIDDEN = "C"
HIDDEN_TO_PROTECT = "D"


@dataclass(frozen=True, eq=False)
class Protection:
    """The outcome for one request: tables as they will be published, with the proof.

    `primary` holds, per table, the cells that the primary rule hides: for checkers and reports, never published.
    `fallback`: no pattern could be proved safe, so that everything not yet public is hidden.
    """

    tables: tuple[ProtectedTable, ...]
    truth: tuple[Table, ...]
    primary: tuple[Bools, ...]
    marks: tuple[Mark, ...]
    verdict: Verdict
    attacked: int
    fallback: bool

    def released(self) -> tuple[Released, ...]:
        """Return what the history holds once this is published."""
        return tuple(Released(t, p, self.marks) for t, p in zip(self.truth, self.tables, strict=True))


@dataclass(frozen=True, eq=False)
class Situation:
    """The joint system of a request and its history, before anything is decided about the new cells.

    `derived`: shown in an earlier release, or the only value that agrees with what was.
    `withheld`: hidden in an earlier release, or latent. `low`, `high`: what earlier marks say about withheld cells.
    `ids`: for each table of the request, which cell stands at each of its places.
    """

    registry: Registry
    matrix: sparse.csr_array
    values: Ints
    derived: Bools
    withheld: Bools
    low: Ints
    high: Ints
    structural: Bools
    ids: tuple[Ints, ...]

    @classmethod
    def of(cls, tables: Sequence[Table], rules: Rules, history: History) -> "Situation":
        """Put the request's tables after the history's into one registry."""
        past = history.released
        registry = Registry.of([r.table.spec for r in past] + [t.spec for t in tables])
        values = registry.gather([r.table.values for r in past] + [t.values for t in tables])
        seen = Remembered(len(values))
        for number, earlier in enumerate(past):
            seen.add(registry.ids(number), earlier.protected, earlier.marks)
        withheld = (seen.withheld | registry.latent) & ~seen.public
        matrix = _with_unchanged_cells(registry, values)
        derived = _derivable(matrix, values, seen.public)
        structural = structural_zeros(registry.keys, values, rules)
        ids = tuple(registry.ids(number) for number in range(len(past), len(past) + len(tables)))
        return cls(registry, matrix, values, derived, withheld, seen.low, seen.high, structural, ids)


def protect(tables: Sequence[Table], rules: Rules, history: History | None = None, *, run: Run = map) -> Protection:
    """Decide what may be shown of these tables, so that of no hidden cell it can be shown to be too small.

    The proof covers everything in the history together with these tables. Raises RequestError for tables that
    contradict each other or the history, EnclaveBug when even hiding everything new cannot be proved safe.
    """
    situation = Situation.of(tables, rules, history or History())
    marks = _marks(rules)
    primary = sensitive(situation.values, situation.structural, rules)
    hidden = _pattern(situation, primary, rules, run)
    verdict, attacked = _attack(situation, hidden, rules, run)
    fallback = not verdict.passed
    for widen in (_around(situation, verdict.unproven), ~situation.derived):
        if verdict.passed:
            break
        hidden = hidden | (widen & ~situation.derived)
        rules, marks = _weakest_legend(rules), _marks(_weakest_legend(rules))
        verdict, attacked = _attack(situation, hidden, rules, run)
    if not verdict.passed:
        raise EnclaveBug("FALLBACK_UNSAFE", "hiding everything new cannot be proved safe; nothing may be released")
    return Protection(
        tables=_printed(tables, situation, hidden, rules),
        truth=tuple(tables),
        primary=tuple((primary & hidden)[cells] for cells in situation.ids),
        marks=marks,
        verdict=verdict,
        attacked=attacked,
        fallback=fallback,
    )


def needs(hidden: Bools, values: Ints, latent: Bools, rules: Rules) -> tuple[Ints, Ints]:
    """Return `reach` and `depth` per cell: what the attacker must fail to rule out about hidden cells.

    One mark: each hidden cell could be at the threshold or above. Two marks: of no small cell may the interval be
    narrower than its mark states; cells marked as hidden to protect others are known not to be small, and need
    nothing. A latent cell is nobody's figure: it has a need only where its value is one to hide.
    """
    threshold = rules.minimum_frequency
    small = values < threshold
    to_hide = (small & (values > 0)) | (small & rules.zeros_are_small)
    wanting = hidden & (~latent | to_hide)
    none = np.full(values.shape, NO_DEPTH, dtype=np.int64)
    if rules.mark is MarkMode.ONE:
        return np.where(wanting, threshold, 0), none
    reach = np.where(wanting & small, np.where(latent, threshold, threshold - 1), 0)
    depth = np.where(wanting & small & ~latent, rules.least_hidden, none)
    return reach, depth


def _marks(rules: Rules) -> tuple[Mark, ...]:
    if rules.mark is MarkMode.ONE:
        return (Mark(HIDDEN, rules.least_hidden, None),)
    threshold = rules.minimum_frequency
    return Mark(HIDDEN, rules.least_hidden, threshold - 1), Mark(HIDDEN_TO_PROTECT, threshold, None)


def _weakest_legend(rules: Rules) -> Rules:
    """Return the rules under which a mark says nothing at all but that the cell is hidden."""
    zeros = type(rules.zeros).SHOW_OR_SECONDARY if rules.least_hidden else rules.zeros
    return replace(rules, mark=MarkMode.ONE, zeros=zeros)


def _with_unchanged_cells(registry: Registry, values: Ints) -> sparse.csr_array:
    """Tie a cell to itself in another state of the data where its value did not change.

    The worst that an attacker can know of a correction is which figures it left alone.
    """
    first: dict[object, list[int]] = {}
    for cell, key in enumerate(registry.keys):
        first.setdefault(key._replace(data_date=""), []).append(cell)
    pairs = [
        (one, other)
        for cells in first.values()
        for i, one in enumerate(cells)
        for other in cells[i + 1 :]
        if values[one] == values[other]
    ]
    if not pairs:
        return registry.matrix
    rows = np.repeat(np.arange(len(pairs)), 2)
    signs = np.tile(np.array([1, -1], dtype=np.int64), len(pairs))
    same = sparse.csr_array((signs, (rows, np.array(pairs).ravel())), shape=(len(pairs), len(values)))
    return sparse.csr_array(sparse.vstack([registry.matrix, same], format="csr"))


def _derivable(matrix: sparse.csr_array, values: Ints, public: Bools) -> Bools:
    """Return the public cells and those that follow at once: the last of a sum, and the parts of a zero."""
    known = public.copy()
    touching = abs(matrix)
    signs = sparse.coo_array(matrix)
    sum_of_row = np.full(matrix.shape[0], -1, dtype=np.int64)
    sum_of_row[signs.coords[0][signs.data < 0]] = signs.coords[1][signs.data < 0]
    while True:
        before = int(known.sum())
        lone = np.flatnonzero(touching @ (~known).astype(np.int64) == 1)
        nothing = np.flatnonzero(known[sum_of_row] & (values[sum_of_row] == 0))
        reached = touching[np.concatenate([lone, nothing])].indices
        known[reached] = True
        if int(known.sum()) == before:
            return known


def _pattern(situation: Situation, primary: Bools, rules: Rules, run: Run) -> Bools:
    """Return every cell that is hidden under the proposed pattern."""
    must = (situation.withheld | primary) & ~situation.derived
    values, latent = situation.values, situation.registry.latent
    constant = np.array([not key.period for key in situation.registry.keys], dtype=np.bool_)
    lower, upper = _bounds(situation, values, rules)
    reach, depth = needs(np.ones(len(values), dtype=np.bool_), values, latent, rules)
    rest = np.ones(situation.matrix.shape[0] - len(situation.registry.basis), dtype=np.bool_)
    problem = Problem(
        matrix=situation.matrix[np.concatenate([situation.registry.basis, rest])],
        values=values,
        fixed=situation.derived,
        must=must,
        rank=np.where(values == 0, 2, np.where(constant, 1, 0)),
        weight=information(values, rules),
        lower=lower,
        upper=upper,
        reach=reach,
        depth=depth,
    )
    return propose(problem, run=run)


def _bounds(situation: Situation, values: Ints, rules: Rules) -> tuple[Ints, Ints]:
    """Return what the marks say about each cell if it is hidden: those of earlier releases, and this one's."""
    low, high = np.zeros(len(values), dtype=np.int64), np.full(len(values), NO_UPPER, dtype=np.int64)
    for mark in _marks(rules):
        here = np.full(len(values), fill_value=True) if mark.maximum is None else values <= mark.maximum
        if rules.mark is MarkMode.TWO:
            here &= values >= min(mark.minimum, rules.minimum_frequency)
        low[here] = mark.minimum
        high[here] = NO_UPPER if mark.maximum is None else mark.maximum
    low[situation.registry.latent] = 0
    high[situation.registry.latent] = NO_UPPER
    return np.maximum(low, situation.low), np.minimum(high, situation.high)


def _attack(situation: Situation, hidden: Bools, rules: Rules, run: Run) -> tuple[Verdict, int]:
    """Attack the pattern with all that an outsider will hold; return the verdict and how many cells had a need."""
    latent = situation.registry.latent
    lower, upper = _bounds(situation, situation.values, rules)
    shown = np.where(hidden, 0, situation.values)
    rhs = np.zeros(situation.matrix.shape[0], dtype=np.int64)
    knowledge = Knowledge(situation.matrix, rhs, ~hidden, shown, lower, upper)
    reach, depth = needs(hidden, situation.values, latent, rules)
    verdict = attack(knowledge, reach, depth, run=run)
    return verdict, int(np.count_nonzero((reach > 0) | (depth != NO_DEPTH)))


def _around(situation: Situation, cells: Sequence[int]) -> Bools:
    """Return all cells that equations connect with these through cells not yet public."""
    open_cells = np.flatnonzero(~situation.derived)
    links = abs(sparse.csr_array(situation.matrix[:, open_cells]))
    _, label = csgraph.connected_components(links.T @ links, directed=False)
    wanted = np.unique(label[np.isin(open_cells, np.asarray(cells, dtype=np.int64))])
    found = np.zeros(len(situation.values), dtype=np.bool_)
    found[open_cells[np.isin(label, wanted)]] = True
    return found


def _printed(tables: Sequence[Table], situation: Situation, hidden: Bools, rules: Rules) -> tuple[ProtectedTable, ...]:
    """Return the tables as they will be published under this pattern."""
    return tuple(
        ProtectedTable(
            spec=table.spec,
            values=np.where(hidden[cells], 0, table.values),
            marks=_codes(hidden[cells], table.values, rules),
            structural=situation.structural[cells] & ~hidden[cells],
        )
        for table, cells in zip(tables, situation.ids, strict=True)
    )


def _codes(hidden: Bools, values: Ints, rules: Rules) -> np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
    """Return the mark of each cell."""
    if rules.mark is MarkMode.ONE:
        return np.where(hidden, HIDDEN, FREE)
    code = np.where(values < rules.minimum_frequency, HIDDEN, HIDDEN_TO_PROTECT)
    return np.where(hidden, code, FREE)
