"""Attacking again what is already decided: before a commit, and whenever anybody asks.

Nothing is proposed here. The pattern is taken as printed, all releases of a population are put together, and the
attacker has the last word. `attack_together` is the look from inside, which knows the figures behind the marks and so
what a correction of the data left alone; `attack_printed` is the look of anybody who holds the releases.

Both first ask for the whole promise, of everything at once. Where a cell lacks a proof, the releases are judged one
after the other, each by what it adds to those before it (`judge_what_is_new`): a cell that earlier releases, or what a
correction left alone, had bounded before a release said anything is no fault of that release. What is excused is worked
out here, from the releases in their order, whatever the proposer thought of it; the first release answers for
everything that it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from enclave.sdc.attacker import Verdict, Witness
from enclave.sdc.derive import HIDDEN
from enclave.sdc.history import History, Released, outside_view
from enclave.sdc.judgement import Judgement, Run, judge, judge_what_is_new
from enclave.sdc.latent import Pairs
from enclave.sdc.safety_rules import MarkMode, Rules, sensitive
from enclave.sdc.situation import Situation
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge, Mark, ProtectedTable

Printed = tuple[Sequence[ProtectedTable], Sequence[Mark]]
"""What one release prints: its tables and the legend of their marks."""


@dataclass(frozen=True, eq=False)
class Derived:
    """A derived table of counts, such as sums: its cells are `relation @` the cells of table `source`."""

    table: ProtectedTable
    source: int
    relation: sparse.csr_array


def attack_together(
    releases: Sequence[Sequence[Released]],
    rules: Rules,
    derived: Sequence[Derived] = (),
    *,
    hints: Sequence[Witness] = (),
    run: Run = map,
) -> Judgement:
    """Attack everything printed; `releases` are the tables of each release, in the order in which they came.

    `derived` are tables of a second stage worked out from these; they enter as further cells and equations, after all
    releases. `hints` are witnesses of an earlier attack on all releases, believed only where they still fit. A release
    that shows a count which the primary rule hides, or whose legend says more than the rules allow, fails as well.
    """
    whole = _seen(releases, rules)
    if not _by_the_rules(whole, releases, rules):
        return Judgement(_FAILED, 0)
    knowledge, latent = _with_results(_knowledge(whole), whole, derived), _latent(whole, derived)
    found = judge(knowledge, latent, rules, hints=_widened(hints, whole, derived), run=run)
    if found.passed:  # then everything held before any part of this was printed, too
        return found
    for number in range(1, len(releases) + 1):
        known_witnesses = hints if number == len(releases) else ()
        found = _last_of(releases[:number], rules, known_witnesses, run)
        if not found.passed:
            return found
    return _results_after(whole, derived, rules, run) if derived else found


def attack_printed(
    releases: Sequence[Printed], rules: Rules, impossible: Sequence[Pairs] = (), *, run: Run = map
) -> Judgement:
    """Attack what these releases print, in the order in which they came, without any truth."""
    knowledge, registry = outside_view(releases, impossible)
    found = judge(knowledge, registry.latent, rules, run=run)
    for number in () if found.passed else range(1, len(releases) + 1):
        asked = [table.spec for table in releases[number - 1][0]]
        before, registry = outside_view(releases[: number - 1], impossible, asked=asked)
        after, _ = outside_view(releases[:number], impossible)
        found = judge_what_is_new(before, after, registry.latent, rules, run=run)
        if not found.passed:
            return found
    return found


_FAILED = Verdict(passed=False, unproven=(), witnesses=(), witness_of=np.zeros(0, dtype=np.int64))


def _seen(releases: Sequence[Sequence[Released]], rules: Rules, asked: Sequence[Released] = ()) -> Situation:
    """Return what stands after these releases; `asked` are tables of which nothing was printed yet."""
    printed = tuple(released for tables in releases for released in tables)
    return Situation.of([released.table for released in asked], rules, History(printed))


def _by_the_rules(whole: Situation, releases: Sequence[Sequence[Released]], rules: Rules) -> bool:
    """Whether no figure is shown that the primary rule hides, and no mark says more than the rules let it say."""
    primary = sensitive(whole.values, whole.structural, rules)
    printed = [released for tables in releases for released in tables]
    shown = [whole.registry.ids(number)[released.protected.shown] for number, released in enumerate(printed)]
    marks = {mark for released in printed for mark in released.marks}
    return not any(primary[cells].any() for cells in shown) and all(_is_allowed(mark, rules) for mark in marks)


def _is_allowed(mark: Mark, rules: Rules) -> bool:
    """Whether a mark says no more of a cell than that it is hidden or, under two marks, on which side it lies."""
    least = mark.minimum or 0
    if mark.maximum is None:
        return least <= (rules.minimum_frequency if rules.mark is MarkMode.TWO else rules.least_hidden)
    small = least <= rules.least_hidden and mark.maximum >= rules.minimum_frequency - 1
    return rules.mark is MarkMode.TWO and small


def _knowledge(situation: Situation) -> Knowledge:
    """Return what a reader holds: a cell that no release shows is hidden, whatever stands in its place."""
    public, rhs = situation.public, np.zeros(situation.matrix.shape[0], dtype=np.int64)
    values = np.where(public, situation.values, 0)
    return Knowledge(situation.matrix, rhs, public, values, situation.low, situation.high)


def _readers(situation: Situation) -> tuple[Situation, ...]:
    """Return the situation of who knows what a correction left alone, and of who does not: both are kept from more."""
    return (situation, situation.unaware()) if situation.corrected else (situation,)


def _last_of(releases: Sequence[Sequence[Released]], rules: Rules, hints: Sequence[Witness], run: Run) -> Judgement:
    """Judge the last of these releases by what it adds."""
    silent, seen = _seen(releases[:-1], rules, asked=releases[-1]), _seen(releases, rules)
    for before, after in zip(_readers(silent), _readers(seen), strict=True):
        known = _knowledge(before), _knowledge(after)
        found = judge_what_is_new(*known, seen.latent, rules, hints=hints, run=run)
        if not found.passed:
            break
    return found


def _results_after(whole: Situation, derived: Sequence[Derived], rules: Rules, run: Run) -> Judgement:
    """Judge results by what they add to the releases that they were worked out from."""
    for reader in _readers(whole):
        before, after = (
            _with_results(_knowledge(reader), whole, parts) for parts in ([_silent(d) for d in derived], derived)
        )
        found = judge_what_is_new(before, after, _latent(whole, derived), rules, run=run)
        if not found.passed:
            break
    return found


def _silent(part: Derived) -> Derived:
    """Return the results before anything of them is shown."""
    nothing = np.zeros_like(part.table.values)
    return replace(part, table=replace(part.table, values=nothing, marks=np.full(nothing.shape, HIDDEN)))


def _latent(whole: Situation, derived: Sequence[Derived]) -> Bools:
    """Return which cells nobody prints; results are printed."""
    return np.concatenate([whole.latent, np.zeros(sum(d.table.values.size for d in derived), dtype=np.bool_)])


def _with_results(knowledge: Knowledge, whole: Situation, derived: Sequence[Derived]) -> Knowledge:
    for part in derived:
        knowledge = _with_derived(knowledge, whole.registry.ids(part.source), part)
    return knowledge


def _widened(hints: Sequence[Witness], whole: Situation, derived: Sequence[Derived]) -> Sequence[Witness]:
    """Work out what the results would be under witnesses for the releases; leave out what speaks of other cells."""
    knowledge = _knowledge(whole)
    hints = [hint for hint in hints if hint.cells.max(initial=0) < len(whole.values)]
    for part in derived:
        ids = whole.registry.ids(part.source)
        hints = [_extended(hint, knowledge, ids, part) for hint in hints]
        knowledge = _with_derived(knowledge, ids, part)
    return hints


def _with_derived(knowledge: Knowledge, ids: Ints, part: Derived) -> Knowledge:
    """Append the derived cells, and one equation for each that ties it to the cells it was worked out from."""
    cells, new = len(knowledge.values), part.table.values.size
    relation = sparse.coo_array(part.relation)
    columns = ids.ravel()[relation.coords[1]]
    operands = sparse.csr_array((relation.data, (relation.coords[0], columns)), shape=(new, cells))
    own = -sparse.eye_array(new, dtype=np.int64, format="csr")
    above = sparse.hstack([knowledge.matrix, sparse.csr_array((knowledge.matrix.shape[0], new), dtype=np.int64)])
    matrix = sparse.csr_array(sparse.vstack([above, sparse.hstack([operands, own])], format="csr"))
    shown = part.table.shown.ravel()
    return Knowledge(
        matrix,
        np.concatenate([knowledge.rhs, np.zeros(new, dtype=np.int64)]),
        np.concatenate([knowledge.public, shown]),
        np.concatenate([knowledge.values, part.table.values.ravel()]),
        np.concatenate([knowledge.lower, np.zeros(new, dtype=np.int64)]),
        np.concatenate([knowledge.upper, np.full(new, NO_UPPER, dtype=np.int64)]),
    )


def _extended(hint: Witness, knowledge: Knowledge, ids: Ints, part: Derived) -> Witness:
    """Work the hidden derived cells out that a witness reaches: those whose operands it moves."""
    table = knowledge.values.copy()
    table[hint.cells] = hint.values
    moved = np.zeros(len(table), dtype=np.int64)
    moved[hint.cells] = 1
    own = np.flatnonzero((abs(part.relation) @ moved[ids.ravel()] > 0) & ~part.table.shown.ravel())
    figures = (part.relation @ table[ids.ravel()])[own]
    return Witness(np.concatenate([hint.cells, len(table) + own]), np.concatenate([hint.values, figures]))
