"""The promise, checked on what was published: is it true, by the rules, and what can be worked out from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from enclave.sdc.attacker import NO_DEPTH, attack
from enclave.sdc.history import History, Released
from enclave.sdc.protection import Protection, protect
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.table import CellKey, Mark, ProtectedTable, Table, TableSpec
from tests.lib import outsider
from tests.lib.brute_force import Budget, Equal, Explorer, Interval, broken, set_up
from tests.lib.tables import ONE_MARK, hide


def ask(*tables: Table, rules: Rules | None = None, after: History | None = None) -> tuple[Protection, History]:
    """Protect one request and return it with the history that it makes."""
    history = after or History()
    protection = protect(tables, rules or Rules(), history)
    return protection, history.then(protection.released())


def shown_share(protection: Protection) -> float:
    """Return which part of the printed cells is shown."""
    shown = sum(int(t.shown.sum()) for t in protection.tables)
    return shown / sum(t.shown.size for t in protection.tables)


@dataclass(frozen=True)
class Leak:
    """A hidden cell of which something can be shown that its mark does not say."""

    key: CellKey
    truth: int
    interval: Interval

    @property
    def exact(self) -> bool:
        """Whether the very figure comes back."""
        return self.interval == (self.truth, self.truth)


@dataclass(frozen=True)
class Evidence:
    """Everything published so far, with the truth beside it. The last `unseen` tables were never printed.

    `excused`: hidden cells that were known to be small before anybody asked for them (`assert_known_before`).
    """

    printed: tuple[ProtectedTable, ...]
    marks: tuple[tuple[Mark, ...], ...]
    truth: tuple[Table, ...]
    unseen: int = 0
    excused: frozenset[CellKey] = frozenset()

    @classmethod
    def of(cls, history: History, also: Sequence[Table] = (), excused: frozenset[CellKey] = frozenset()) -> "Evidence":
        """Gather the releases; `also`: tables that nobody printed, but whose small counts must stay unknown too."""
        return cls(
            tuple(r.protected for r in history.released) + tuple(hide(t, np.ones(t.spec.shape, bool)) for t in also),
            tuple(r.marks for r in history.released) + (ONE_MARK,) * len(also),
            tuple(r.table for r in history.released) + tuple(also),
            len(also),
            excused,
        )

    def values(self) -> dict[CellKey, int]:
        """Return the true value of each cell."""
        return {key: int(t.values[place]) for t in self.truth for place, key in places(t.spec)}

    def unchanged(self) -> Equal:
        """Return the printed cells that are the same in two states of the data: the worst that a reader can know."""
        first: dict[CellKey, list[CellKey]] = {}
        values = self.values()
        printed = self.printed[: len(self.printed) - self.unseen]
        for key in dict.fromkeys(key for t in printed for _, key in places(t.spec)):
            first.setdefault(key._replace(data_date=""), []).append(key)
        return [
            (one, other)
            for keys in first.values()
            for i, one in enumerate(keys)
            for other in keys[i + 1 :]
            if values[one] == values[other]
        ]

    def needs(self, rules: Rules) -> dict[CellKey, Interval]:
        """Return for each hidden cell the interval that no reader may narrow: (least, greatest).

        One mark: any hidden cell could be at the threshold. Two marks: a small cell could be all that "fewer than the
        threshold" can be; of its parts that nobody prints, no reader may know more than that they are small.
        What everybody knows to be empty has no need: nothing can protect it, and it may protect nothing.
        """
        threshold, truth = rules.minimum_frequency, self.values()
        needs = {key: (NO_DEPTH, threshold) for key in self._hidden() if 0 < truth[key] < threshold}
        needs |= dict.fromkeys(self._least(), (NO_DEPTH, threshold))
        if rules.mark is MarkMode.TWO:
            least = self._least()
            needs = {key: (least.get(key, NO_DEPTH), threshold - 1) for key in needs if truth[key] < threshold}
        return {key: need for key, need in needs.items() if not structural(key, rules) and key not in self.excused}

    def _hidden(self) -> list[CellKey]:
        return [key for t in self.printed for place, key in places(t.spec) if t.marks[place] != "F"]

    def _least(self) -> dict[CellKey, int]:
        """Return for each hidden cell that was printed the least value that its marks allow, where they say "small"."""
        found: dict[CellKey, int] = {}
        printed = len(self.printed) - self.unseen
        for table, legend in zip(self.printed[:printed], self.marks[:printed], strict=True):
            minimum = {mark.code: mark.minimum or 0 for mark in legend if mark.maximum is not None}
            for place, key in places(table.spec):
                mark = str(table.marks[place])
                if mark in minimum:
                    found[key] = (
                        max(found[key], minimum[mark]) if found.get(key, NO_DEPTH) < NO_DEPTH else minimum[mark]
                    )
                elif mark != "F":
                    found.setdefault(key, NO_DEPTH)
        return found


def places(spec: TableSpec) -> list[tuple[tuple[int, ...], CellKey]]:
    """Return place and meaning of every cell of a table."""
    found = []
    for place in np.ndindex(spec.shape):
        codes = tuple(v.codes[i] for v, i in zip(spec.dimensions, place[1:], strict=True))
        found.append((place, spec.key(spec.periods[place[0]], codes)))
    return found


def structural(key: CellKey, rules: Rules) -> bool:
    """Whether the policy says that nobody can be in this cell."""
    return any(combination <= key.pairs for combination in rules.structural)


Meaning = tuple[str, str, str, str, str, frozenset[tuple[str, frozenset[str]]]]
"""What a cell counts, whatever its groups are called."""


def meaning(key: CellKey, spec: TableSpec) -> Meaning:
    """Return what a cell counts: two names of one group give the same."""
    variables = {v.id: v for v in (*spec.dimensions, *(v for v, _ in spec.filters))}
    groups = {(name, variables[name].members(code)) for name, code in key.pairs}
    wide = {(name, members) for name, members in groups if members == set(variables[name].leaves)}
    return (key.population, key.unit, key.measure, key.data_date, key.period, frozenset(groups - wide))


def leaks_found_by_programming(evidence: Evidence, rules: Rules) -> list[CellKey]:
    """Return the hidden cells whose need the engine's attacker cannot prove, from an outsider's own equations."""
    seen = outsider.view(evidence.printed, evidence.marks, evidence.unchanged(), rules.structural)
    reach = seen.reach(0)
    depth = np.full(reach.shape, NO_DEPTH, dtype=np.int64)
    for key, (low, high) in evidence.needs(rules).items():
        reach[seen.cells[key]] = max(reach[seen.cells[key]], high or 0)
        depth[seen.cells[key]] = min(depth[seen.cells[key]], low)
    verdict = attack(seen.knowledge, reach, depth)
    assert verdict.passed == (not verdict.unproven)
    return [key for key in evidence.needs(rules) if seen.cells[key] in verdict.unproven]


def leaks_found_by_trying(evidence: Evidence, rules: Rules, budget: int = 200_000) -> list[Leak]:
    """Return the hidden cells whose need is not met by any table that fits."""
    puzzle = set_up(evidence.printed, evidence.marks, evidence.unchanged(), rules.structural)
    found = broken(Explorer(puzzle, Budget(budget)), evidence.needs(rules))
    truth = evidence.values()
    return [Leak(key, truth[key], interval) for key, interval in found.items()]


def assert_promise(
    history: History,
    rules: Rules,
    *,
    also: Sequence[Table] = (),
    excused: frozenset[CellKey] = frozenset(),
    brute: bool = True,
) -> None:
    """Fail unless all that was published is true, follows the rules, and discloses nothing, in three opinions."""
    evidence = Evidence.of(history, also, excused)
    assert_true_and_by_the_rules(history, rules)
    leaks = leaks_found_by_trying(evidence, rules) if brute else []
    assert not leaks, f"trying every table that fits shows {leaks}"
    unproven = leaks_found_by_programming(evidence, rules)
    assert not unproven, f"the attacker finds no witness for {unproven}"


def all_hidden(before: History, asked: Iterable[Table]) -> History:
    """Return the history with the tables asked now printed as marks that say nothing."""
    return before.then(Released(t, hide(t, np.ones(t.spec.shape, bool)), ONE_MARK) for t in asked)


def known_before(protection: Protection, before: History, rules: Rules) -> frozenset[CellKey]:
    """Return the hidden cells that the engine excuses, after checking that the release is not what bounds them.

    With every cell of the request hidden, under a legend that says nothing, the history alone must bound them.
    """
    excused = {
        key
        for table, known in zip(protection.tables, protection.known_before, strict=True)
        for place, key in places(table.spec)
        if known[place]
    }
    if excused:
        known = Evidence.of(all_hidden(before, protection.truth))
        seen = outsider.view(known.printed, known.marks, known.unchanged(), rules.structural)
        reach = seen.reach(0)
        reach[[seen.cells[key] for key in excused]] = rules.minimum_frequency
        unproven = attack(seen.knowledge, reach).unproven
        assert {seen.cells[key] for key in excused} <= set(unproven), "a cell is excused that could still be protected"
    return frozenset(excused)


def assert_true_and_by_the_rules(history: History, rules: Rules) -> None:
    """Fail unless shown figures are true, hidden ones leave no trace, and each cell has one status everywhere."""
    status: dict[Meaning, bool] = {}
    for released in history.released:
        table, printed = released.table, released.protected
        assert printed.spec == table.spec
        assert printed.decimals == 0
        assert np.array_equal(printed.values, np.where(printed.shown, table.values, 0))
        promises = {mark.code: mark for mark in released.marks}
        assert set(np.unique(printed.marks)) <= {"F", *promises}
        for place, key in places(table.spec):
            shown, value = bool(printed.shown[place]), int(table.values[place])
            assert status.setdefault(meaning(key, table.spec), shown) == shown, f"both shown and hidden: {key}"
            if not shown:
                _assert_mark_is_true(promises[str(printed.marks[place])], value, key)
            _assert_zero_as_asked(key, value, printed, place, rules)
            assert not (shown and 0 < value < rules.minimum_frequency), f"a small count is shown: {key}"
        if rules.zeros is Zeros.SHOW and released.marks[0].minimum:
            assert printed.shown[table.values == 0].all(), "a zero is hidden though all zeros are to be shown"


def _assert_mark_is_true(mark: Mark, value: int, key: CellKey) -> None:
    assert mark.minimum is None or value >= mark.minimum, f"the mark says more than is there: {key}"
    assert mark.maximum is None or value <= mark.maximum, f"the mark says less than is there: {key}"


def _assert_zero_as_asked(
    key: CellKey, value: int, printed: ProtectedTable, place: tuple[int, ...], rules: Rules
) -> None:
    known = structural(key, rules)
    if known:
        assert printed.shown[place] or rules.zeros is Zeros.HIDE, f"a zero that everybody knows is hidden: {key}"
    assert bool(printed.structural[place]) == (known and bool(printed.shown[place])), key
    if value == 0 and rules.zeros is Zeros.HIDE:
        assert not printed.shown[place], f"a zero is shown: {key}"
    if value == 0 and rules.zeros is Zeros.STRUCTURAL and not known:
        assert not printed.shown[place], f"a zero that could be otherwise is shown: {key}"
