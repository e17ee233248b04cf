"""Protecting a request: primary rules, joint suppression with the history, the attack, and the fallback.

The promise: of no hidden cell can anybody show, from everything ever released, that it is below the threshold.

No request is infeasible, since a refusal would depend on the data and so tell something about them. Where no pattern
can be proved safe, all cells that are connected with the trouble and not known already are hidden, under a legend that
says nothing. Such a fallback gives nothing away by construction. It keeps the promise as well, because every release
also leaves each *latent* inner cell either able to reach the threshold or known to be empty: whatever cell is asked for
later, it either holds an inner cell that can reach the threshold, or nobody. Two cases remain in which a new cell is
bounded before the request says anything: inner cells of a decomposable set of tables are not followed one by one, and
a reader may know what a correction of the data left alone. Such cells are hidden, and named in `known_before`: their
need is then that the release does not narrow what is known of them. Where only a correction bounds them, the pattern
must also hold for a reader who does not know what the correction left alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from enclave.errors import EnclaveBug
from enclave.sdc.attacker import Verdict, Witness, intervals
from enclave.sdc.history import History, Released
from enclave.sdc.judgement import Run, judge, needs, weakest_legend, zeros_may_hide
from enclave.sdc.problem import Problem
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros, information, sensitive
from enclave.sdc.situation import Situation
from enclave.sdc.suppression import propose
from enclave.sdc.table import NO_UPPER, Bools, CellKey, Ints, Knowledge, Mark, ProtectedTable, Table
from enclave.sdc.work import Work

FREE = "F"
HIDDEN = "C"
HIDDEN_TO_PROTECT = "D"

MOST_ROUNDS = 8
"""Most patterns that are tried, each for the latent cells that the attacker could bound under the one before."""


@dataclass(frozen=True, eq=False)
class Protection:
    """The outcome for one request: tables as they will be published, with the proof.

    `primary` holds, per table, the cells that the primary rule hides: for checkers and reports, never published.
    `fallback`: no pattern could be proved safe, so that all that is connected with the trouble is hidden.
    `known_before`: per table, hidden cells that earlier knowledge alone shows to be below the threshold; and
    `known_elsewhere`: such cells that earlier tables hide, or that no table prints.
    """

    tables: tuple[ProtectedTable, ...]
    truth: tuple[Table, ...]
    primary: tuple[Bools, ...]
    marks: tuple[Mark, ...]
    verdict: Verdict
    attacked: int
    fallback: bool
    known_before: tuple[Bools, ...]
    known_elsewhere: tuple[CellKey, ...]

    def released(self) -> tuple[Released, ...]:
        """Return what the history holds once this is published."""
        return tuple(Released(t, p, self.marks) for t, p in zip(self.truth, self.tables, strict=True))


@dataclass(frozen=True, eq=False)
class Finding:
    """A pattern (`hidden`: the cells that nobody knows) under some rules, and what the attacker made of it."""

    hidden: Bools
    rules: Rules
    verdict: Verdict
    attacked: int

    @property
    def unproven(self) -> Bools:
        """The cells whose need has no proof."""
        found = np.zeros_like(self.hidden)
        found[list(self.verdict.unproven)] = True
        return found


def protect(
    tables: Sequence[Table],
    rules: Rules,
    history: History | None = None,
    *,
    also: Sequence[Bools] = (),
    run: Run = map,
    work: Work | None = None,
) -> Protection:
    """Decide what may be shown of these tables, so that of no hidden cell it can be shown to be too small.

    `also` holds, per table, cells to be hidden for reasons of their own. `work` bounds the search (see `propose`).
    The proof covers everything in the history together with these tables. Raises RequestError for tables that
    contradict each other or the history, or that cross too many variables.
    """
    situation = Situation.of(tables, rules, history or History())
    primary = sensitive(situation.values, situation.structural, rules)
    for cells, here in zip(
        situation.ids, also or [np.zeros(cells.shape, np.bool_) for cells in situation.ids], strict=True
    ):
        primary[cells[here]] = True
    before = _known_to_be_small(situation, primary)
    search = partial(_search, run=run, work=work)
    found, layer = search(situation, primary, np.zeros_like(primary), rules), situation
    fallback = False
    if not found.verdict.passed or before.any():
        layers, bounded = _as_known_before(situation, primary, rules, run)
        found, fallback = _through(layers, primary, rules, run, search)
        before, layer = before | bounded, layers[-1]
    printed = found.hidden | (layer.known & ~situation.latent & (primary | situation.withheld))
    return Protection(
        tables=_printed(tables, situation, printed, found.rules),
        truth=tuple(tables),
        primary=tuple((primary & printed)[cells] for cells in situation.ids),
        marks=_marks(found.rules),
        verdict=found.verdict,
        attacked=found.attacked,
        fallback=fallback,
        known_before=tuple((before & printed)[cells] for cells in situation.ids),
        known_elsewhere=tuple(situation.registry.keys[i] for i in np.flatnonzero(before & ~situation.requested)),
    )


def _marks(rules: Rules) -> tuple[Mark, ...]:
    if rules.mark is MarkMode.ONE:
        return (Mark(HIDDEN, rules.least_hidden, None),)
    threshold = rules.minimum_frequency
    return Mark(HIDDEN, rules.least_hidden, threshold - 1), Mark(HIDDEN_TO_PROTECT, threshold, None)


def _known_to_be_small(situation: Situation, primary: Bools) -> Bools:
    """Return the cells below the threshold whose value follows from what is known before the request."""
    return situation.known & primary & ~situation.structural & ~situation.registry.empty


def _search(
    situation: Situation, primary: Bools, already: Bools, rules: Rules, *, run: Run, work: Work | None
) -> Finding:
    """Look for a pattern that the attacker approves, over cells hidden `already`; the last one tried if none is found.

    Latent cells are many and rarely in danger, so only those that the attacker could bound become needs of the next
    round. What a round hid stays hidden, with its witnesses.
    """
    zero = (situation.values == 0) & ~situation.latent
    must = (situation.withheld | situation.latent | primary | already) & ~situation.known
    fixed = situation.known | (zero & ~must) if rules.zeros is Zeros.SHOW else situation.known
    if np.any((situation.withheld | must) & situation.requested & zero):
        rules = zeros_may_hide(rules)  # a zero is hidden already: the legend may not say otherwise
    wanting = must & ~situation.latent
    hints: list[Witness] = []
    for _ in range(MOST_ROUNDS):
        proposal = propose(_problem(situation, must, fixed, wanting, rules), run=run, work=work)
        hidden = proposal.hidden
        hints += [Witness(cells, table) for cells, tables in proposal.witnesses for table in tables]
        found = _judge(situation, hidden, rules, run, hints)
        lacking = found.unproven
        if not np.any(lacking & ~wanting & situation.latent):
            break
        must, wanting = hidden, lacking
    return found


def _as_known_before(
    situation: Situation, primary: Bools, rules: Rules, run: Run
) -> tuple[tuple[Situation, ...], Bools]:
    """Return the situation with what is known of cells that lack a proof even where nothing new is said; and these.

    With every new cell hidden under a legend that says nothing, this request is not what bounds them. Where the cause
    may be what is known of a correction, the situation without that knowledge follows: so much is kept in any case.
    """
    layers = (situation, situation.unaware()) if situation.corrected else (situation,)
    found = [_with_bounds(layer, rules, run) for layer in layers]
    bounded = np.any([cells | _known_to_be_small(layer, primary) for layer, cells in found], axis=0)
    return tuple(layer for layer, _ in found), bounded


def _with_bounds(situation: Situation, rules: Rules, run: Run) -> tuple[Situation, Bools]:
    """Add the exact bounds of the cells that lack a proof though nothing new is said; return these cells as well."""
    silent = replace(situation, requested=np.zeros_like(situation.requested))
    found = _judge(silent, ~situation.known, weakest_legend(rules), run)
    cells = np.flatnonzero(found.unproven)
    low, high, known = situation.low.copy(), situation.high.copy(), situation.known.copy()
    low[cells], high[cells] = intervals(_knowledge(silent, ~situation.known, rules), cells.tolist()).T
    known[cells[low[cells] == high[cells]]] = True
    return replace(situation, low=low, high=high, known=known), found.unproven


def _through(
    layers: Sequence[Situation], primary: Bools, rules: Rules, run: Run, search: Callable[..., Finding]
) -> tuple[Finding, bool]:
    """Return a pattern that holds under each of these kinds of knowledge, and whether it is the fallback."""
    fallback = False
    hidden = np.zeros_like(primary)
    for layer in layers:
        found = search(layer, primary, hidden, rules)
        if not found.verdict.passed:
            found, fallback = _fall_back(layer, found, run), True
        hidden, rules = hidden | found.hidden, found.rules
    for pattern in (hidden, ~layers[-1].known):
        findings = [_judge(layer, pattern & ~layer.known, rules, run) for layer in layers]
        if all(finding.verdict.passed for finding in findings):
            return findings[-1], fallback
        fallback, rules = True, weakest_legend(rules)
    raise EnclaveBug("FALLBACK_UNSAFE", "hiding everything new cannot be proved safe; nothing may be released")


def _problem(situation: Situation, must: Bools, fixed: Bools, wanting: Bools, rules: Rules) -> Problem:
    """Return the proposer's problem: of the cells hidden in any case, only those `wanting` need a witness."""
    values = situation.values
    constant = np.array([not key.period for key in situation.registry.keys], dtype=np.bool_)
    lower, upper = _bounds(situation, rules)
    reach, depth = needs(wanting | ~must, lower, upper, situation.latent, rules)
    rest = np.ones(situation.matrix.shape[0] - len(situation.registry.basis), dtype=np.bool_)
    return Problem(
        matrix=situation.matrix[np.concatenate([situation.registry.basis, rest])],
        values=values,
        fixed=fixed,
        must=must,
        rank=np.where(values == 0, 2, np.where(constant, 1, 0)),
        weight=information(values, rules),
        lower=lower,
        upper=upper,
        reach=reach,
        depth=np.minimum(depth, NO_UPPER),
    )


def _bounds(situation: Situation, rules: Rules) -> tuple[Ints, Ints]:
    """Return what the marks say about each cell if it is hidden: those of earlier releases, and this one's."""
    values = situation.values
    low, high = np.zeros(len(values), dtype=np.int64), np.full(len(values), NO_UPPER, dtype=np.int64)
    for mark in _marks(rules):
        here = situation.requested.copy()
        if rules.mark is MarkMode.TWO:
            here &= (values < rules.minimum_frequency) == (mark.code == HIDDEN)
        low[here] = mark.minimum or 0
        high[here] = NO_UPPER if mark.maximum is None else mark.maximum
    return np.maximum(low, situation.low), np.minimum(high, situation.high)


def _knowledge(situation: Situation, hidden: Bools, rules: Rules) -> Knowledge:
    """Return all that an outsider will hold under this pattern."""
    lower, upper = _bounds(situation, rules)
    rhs = np.zeros(situation.matrix.shape[0], dtype=np.int64)
    return Knowledge(situation.matrix, rhs, ~hidden, np.where(hidden, 0, situation.values), lower, upper)


def _judge(situation: Situation, hidden: Bools, rules: Rules, run: Run, hints: Sequence[Witness] = ()) -> Finding:
    """Attack the pattern."""
    knowledge = _knowledge(situation, hidden, rules)
    judgement = judge(knowledge, situation.latent, rules, hints=hints, run=run)
    return Finding(hidden, rules, judgement.verdict, judgement.attacked)


def _fall_back(situation: Situation, found: Finding, run: Run) -> Finding:
    """Hide all that is connected with unproven cells, then all, under a legend that says nothing."""
    rules = weakest_legend(found.rules)
    around = _judge(situation, found.hidden | situation.around(found.verdict.unproven), rules, run)
    return around if around.verdict.passed else _judge(situation, ~situation.known, rules, run)


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
