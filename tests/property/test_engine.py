"""The engine on random tables: one to four variables with levels, one to three linked tables, one or two periods.

Tables are tiny, so that `brute_force` can try every table that fits and give its own opinion on every cell.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from enclave.sdc.attacker import intervals
from enclave.sdc.history import History, outside_view
from enclave.sdc.protection import Protection, protect
from enclave.sdc.registry import Registry
from enclave.sdc.safety_rules import MarkMode, Rules, Weights, Zeros
from enclave.sdc.table import NO_UPPER, OR, CellKey, Hierarchy, Knowledge, ProtectedTable, Table, TableSpec, Variable
from tests.lib import brute_force, outsider
from tests.lib.brute_force import CEILING, Interval, TooLarge
from tests.lib.safety import Evidence, assert_promise, assert_true_and_by_the_rules, leaks_found_by_programming, places
from tests.lib.safety import leaks_found_by_trying as tried
from tests.lib.tables import ONE_MARK, again, hide, small

few = settings(
    max_examples=int(os.environ.get("ENCLAVE_EXAMPLES", "40")),
    derandomize="ENCLAVE_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

FLAT, LEVEL, CHAIN = "flat", "level", "chain"
TWO_PERIODS = ("2009-Q2", "2009-Q3")


def variable(name: str, leaves: int, kind: str) -> Variable:
    """Return a variable with one level, with a group of its first two leaves, or with a group of its first alone."""
    codes = [f"{name}{i}" for i in range(leaves)]
    grouped = {FLAT: 0, LEVEL: 2, CHAIN: 1}[kind]
    tree = [(f"{name}g", "")] if grouped else []
    tree += [(code, f"{name}g" if i < grouped else "") for i, code in enumerate(codes)]
    return Variable(name, (Hierarchy(tuple(tree)),))


@st.composite
def linked_tables(draw: st.DrawFn, most: int = 3, periods: int = 2) -> tuple[Table, ...]:
    """Draw persons with their attributes in each period, and tables that count them."""
    variables = [
        variable(name, draw(st.integers(2, 3)), draw(st.sampled_from((FLAT, FLAT, LEVEL, CHAIN))))
        for name in "abcd"[: draw(st.integers(1, 4))]
    ]
    names = TWO_PERIODS[: draw(st.integers(1, periods))]
    constant = frozenset(draw(st.sets(st.sampled_from([v.id for v in variables])))) if len(names) > 1 else frozenset()
    leaf = {v.id: st.integers(0, len(v.leaves) - 1) for v in variables}
    persons = draw(
        st.lists(
            st.tuples(*(leaf[v.id] if v.id in constant else st.tuples(*[leaf[v.id]] * len(names)) for v in variables)),
            min_size=1,
            max_size=30,
        )
    )
    counts = np.zeros((len(names), *(len(v.leaves) for v in variables)), dtype=np.int64)
    for person in persons:
        for p in range(len(names)):
            counts[(p, *(value if isinstance(value, int) else value[p] for value in person))] += 1
    asked = draw(st.lists(asked_of(variables), min_size=1, max_size=most))
    return tuple(table_of(f"t{n}", variables, counts, ask, names, constant) for n, ask in enumerate(asked))


Asked = tuple[list[int], tuple[int, frozenset[str]] | None]
"""Which variables are crossed, and perhaps another one with the leaves that are selected."""


@st.composite
def asked_of(draw: st.DrawFn, variables: list[Variable]) -> Asked:
    """Draw one to three variables to cross, and in some cases a selection of another one."""
    order = draw(st.permutations(range(len(variables))))
    size = draw(st.integers(1, min(3, len(variables))))
    if size == len(variables) or not draw(st.booleans()):
        return order[:size], None
    leaves = variables[order[size]].leaves
    chosen = draw(st.sets(st.sampled_from(leaves), min_size=1, max_size=len(leaves) - 1))
    return order[:size], (order[size], frozenset(chosen))


def table_of(  # noqa: PLR0917  the parts of one small world
    name: str,
    variables: list[Variable],
    counts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]",
    asked: Asked,
    periods: tuple[str, ...],
    constant: frozenset[str],
) -> Table:
    """Return the table that crosses the chosen variables, in the order given, over those who are selected."""
    chosen, selected = asked
    filters: tuple[tuple[Variable, str], ...] = ()
    if selected is not None:
        axis, codes = selected
        inside = [i for i, leaf in enumerate(variables[axis].leaves) if leaf in codes]
        counts = np.take(counts, inside, axis=axis + 1)
        filters = ((variables[axis], OR.join(sorted(codes))),)
    others = tuple(i + 1 for i in range(len(variables)) if i not in chosen)
    kept = sorted(chosen)
    inner = np.moveaxis(counts.sum(axis=others), range(1, 1 + len(kept)), [1 + chosen.index(i) for i in kept])
    spec = TableSpec(name, tuple(variables[i] for i in chosen), periods, "clients", filters=filters, constant=constant)
    return Table.from_leaves(spec, inner)


rules = st.builds(
    Rules,
    zeros=st.sampled_from(list(Zeros)),
    mark=st.just(MarkMode.ONE),
    weights=st.sampled_from(list(Weights)),
)
two_marks = rules.map(lambda r: replace(r, mark=MarkMode.TWO))


def bytes_of(protection: Protection) -> bytes:
    """Return everything that is published, as bytes."""
    return b"".join(t.values.tobytes() + t.marks.tobytes() + t.structural.tobytes() for t in protection.tables)


def check(protection: Protection, by: Rules) -> None:
    """Ask both opinions, the third one where the tables are small enough to try them all."""
    history = History().then(protection.released())
    evidence = Evidence.of(history)
    assert_true_and_by_the_rules(history, by)
    assert not leaks_found_by_programming(evidence, by)
    try:
        leaks = tried(evidence, by, budget=4_000)
    except TooLarge:
        event("too large to try")
        return
    event("tried")
    assert not leaks


def capped(interval: Interval) -> Interval:
    low, high = interval
    return low, CEILING if high is None else min(high, CEILING)


# ---- the promise -----------------------------------------------------------------------------------------------------


@few
@given(tables=linked_tables(), by=rules)
def test_the_promise_holds(tables: tuple[Table, ...], by: Rules) -> None:
    check(protect(tables, by), by)


@few
@given(tables=linked_tables(), by=two_marks)
def test_the_promise_holds_with_two_marks(tables: tuple[Table, ...], by: Rules) -> None:
    check(protect(tables, by), by)


@few
@given(tables=linked_tables(), by=rules)
def test_the_promise_holds_when_tables_are_asked_one_by_one(tables: tuple[Table, ...], by: Rules) -> None:
    history = History()
    for table in tables:
        history = history.then(protect([table], by, history).released())
    assert_true_and_by_the_rules(history, by)
    assert not leaks_found_by_programming(Evidence.of(history), by)


@few
@given(tables=linked_tables(), by=rules)
def test_tables_of_large_counts_are_shown_whole(tables: tuple[Table, ...], by: Rules) -> None:
    """Nothing is hidden without need: figures of five and more, and zeros where they are shown, need no company."""
    assume(by.zeros in {Zeros.SHOW, Zeros.SHOW_OR_SECONDARY})
    larger = tuple(Table(t.spec, t.values * 5) for t in tables)
    assert all(printed.shown.all() for printed in protect(larger, by).tables)


# ---- the attacker ----------------------------------------------------------------------------------------------------


def known(table: Table, printed: ProtectedTable) -> tuple[Knowledge, Registry]:
    """Return what a reader of one table knows, in the engine's own cells and equations."""
    registry = Registry.of([table.spec])
    ids = registry.ids(0)
    size = len(registry.keys)
    public, values = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int64)
    public[ids] = printed.shown
    values[ids] = printed.values
    bounds = np.zeros(size, dtype=np.int64), np.full(size, NO_UPPER)
    return Knowledge(registry.matrix, registry.rhs, public, values, *bounds), registry


def numbers(registry: Registry, tables: Iterable[ProtectedTable], wanted: Iterable[CellKey]) -> list[int]:
    """Return the engine's numbers of printed cells: it may know a selection by another name."""
    number = {key: int(registry.ids(n)[place]) for n, t in enumerate(tables) for place, key in places(t.spec)}
    return [number[key] for key in wanted]


def hidden_with(noise: int, *tables: Table) -> list[ProtectedTable]:
    """Hide what is small and, by the bits of a number, other cells: the same cell alike in all tables."""
    keys = dict.fromkeys(key for table in tables for _, key in places(table.spec))
    chosen = {key for i, key in enumerate(keys) if noise >> i & 1}
    return [
        hide(t, small(t) | np.array([key in chosen for _, key in places(t.spec)]).reshape(t.spec.shape)) for t in tables
    ]


@few
@given(tables=linked_tables(most=1), noise=st.integers(0, 2**400).map(lambda n: n & (n >> 3)))
def test_intervals_are_those_found_by_trying(tables: tuple[Table, ...], noise: int) -> None:
    """Any pattern at all: the engine's equations and its solver give what trying every table gives, cell by cell."""
    (table,) = tables
    (printed,) = hidden_with(noise, table)
    try:
        expected = brute_force.intervals([printed], [ONE_MARK], budget=4_000)
    except TooLarge:
        event("too large to try")
        return
    knowledge, registry = known(table, printed)
    cells = numbers(registry, [printed], expected)
    found = {key: (int(low), int(high)) for key, (low, high) in zip(expected, intervals(knowledge, cells), strict=True)}
    assert {key: capped(i) for key, i in found.items()} == {key: capped(i) for key, i in expected.items()}


@few
@given(tables=linked_tables(), noise=st.integers(0, 2**400).map(lambda n: n & (n >> 3)))
def test_two_ways_to_write_what_is_known_agree(tables: tuple[Table, ...], noise: int) -> None:
    """Linked tables, any pattern: integer programming and trying agree on which cells reach five."""
    printed = hidden_with(noise, *tables)
    evidence = Evidence(tuple(printed), (ONE_MARK,) * len(printed), tables)
    try:
        leaks = tried(evidence, Rules(), budget=4_000)
    except TooLarge:
        event("too large to try")
        return
    assert {leak.key for leak in leaks} == set(leaks_found_by_programming(evidence, Rules()))
    view = outsider.view(printed, evidence.marks)
    low_high = intervals(view.knowledge, [view.cells[leak.key] for leak in leaks])
    assert [capped((int(low), int(high))) for low, high in low_high] == [capped(leak.interval) for leak in leaks]


@few
@given(tables=linked_tables(), noise=st.integers(0, 2**400).map(lambda n: n & (n >> 3)))
def test_the_outside_view_says_all_that_an_outsider_can_know(tables: tuple[Table, ...], noise: int) -> None:
    """Linked tables, any pattern: the engine's outside view gives each hidden cell the interval that trying gives."""
    printed = hidden_with(noise, *tables)
    knowledge, registry = outside_view([(printed, ONE_MARK)])
    try:
        expected = brute_force.intervals(printed, [ONE_MARK] * len(printed), budget=4_000)
    except TooLarge:
        event("too large to try")
        return
    cells = numbers(registry, printed, expected)
    found = {key: (int(low), int(high)) for key, (low, high) in zip(expected, intervals(knowledge, cells), strict=True)}
    assert {key: capped(i) for key, i in found.items()} == {key: capped(i) for key, i in expected.items()}


# ---- the same again --------------------------------------------------------------------------------------------------


@few
@given(tables=linked_tables(), by=rules)
def test_the_same_request_gives_the_same_bytes(tables: tuple[Table, ...], by: Rules) -> None:
    assert bytes_of(protect(tables, by)) == bytes_of(protect(tables, by))


@few
@given(tables=linked_tables(), by=rules)
def test_the_order_of_tables_does_not_matter_for_safety(tables: tuple[Table, ...], by: Rules) -> None:
    check(protect(tables[::-1], by), by)


@few
@given(tables=linked_tables(), by=rules)
def test_a_table_twice_is_a_table_once(tables: tuple[Table, ...], by: Rules) -> None:
    copies = tuple(again(table, name=f"{table.spec.id}_again") for table in tables)
    protection = protect((*tables, *copies), by)
    check(protection, by)
    assert bytes_of(protection)[: len(bytes_of(protection)) // 2] * 2 == bytes_of(protection)


@few
@given(tables=linked_tables(), by=rules)
def test_asking_again_shows_nothing_new(tables: tuple[Table, ...], by: Rules) -> None:
    first = protect(tables, by)
    second = protect(tables, by, History().then(first.released()))
    assert bytes_of(first) == bytes_of(second)


def test_no_hash_seed_changes_a_byte() -> None:
    """Sets and dictionaries of names stand behind the registry: their order must not reach the outcome."""
    root = Path(__file__).resolve().parents[2]
    program = "from tests.property.test_engine import digest; print(digest())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]
        for seed in ("0", "1", "2")
    }
    assert found == {digest()}


def digest() -> str:
    """Return a hash over the outcome of a few requests with levels, filters and linked tables."""
    chance = np.random.default_rng(17)
    variables = [variable("a", 3, LEVEL), variable("b", 3, FLAT), variable("c", 2, FLAT)]
    outcome = hashlib.sha256()
    for _ in range(6):
        counts = chance.choice([0, 0, 1, 2, 6, 11], size=(1, 3, 3, 2)).astype(np.int64)
        tables = [
            table_of(f"t{i}", variables, counts, (chosen, None), TWO_PERIODS[:1], frozenset()) for i, chosen in pairs()
        ]
        part = counts[:, :2].sum(axis=1)
        spec = TableSpec("f", tuple(variables[1:]), TWO_PERIODS[:1], "clients", filters=((variables[0], "a1|a0"),))
        first = protect(tables, Rules())
        second = protect([Table.from_leaves(spec, part)], Rules(), History().then(first.released()))
        outcome.update(bytes_of(first) + bytes_of(second))
    return outcome.hexdigest()


def pairs() -> list[tuple[int, list[int]]]:
    return list(enumerate(([0, 1], [0, 2], [2, 1])))


# ---- what is printed -------------------------------------------------------------------------------------------------


@few
@given(tables=linked_tables(), by=rules)
def test_margins_add_up_where_they_are_shown(tables: tuple[Table, ...], by: Rules) -> None:
    for printed in protect(tables, by).tables:
        for axis, dimension in enumerate(printed.spec.dimensions, start=1):
            place = {code: i for i, code in enumerate(dimension.codes)}
            for parent, children in dimension.sums:
                total = np.take(printed.values, place[parent], axis=axis)
                parts = np.take(printed.values, [place[c] for c in children], axis=axis)
                whole = np.take(printed.shown, [place[c] for c in children], axis=axis).all(axis=axis)
                shown = np.take(printed.shown, place[parent], axis=axis)
                assert np.array_equal(total[whole & shown], parts.sum(axis=axis)[whole & shown])
                assert np.all(total[shown] >= parts.sum(axis=axis)[shown])


def test_the_promise_is_checked_on_a_table_that_leaks() -> None:
    """The checks of this file can fail: a hidden cell with no company is seen by both opinions."""
    table = table_of("t", [variable("a", 3, FLAT)], np.array([[3, 9, 20]]), ([0], None), TWO_PERIODS[:1], frozenset())
    evidence = Evidence((hide(table, small(table)),), (ONE_MARK,), (table,))
    assert [leak.interval for leak in tried(evidence, Rules())] == [(3, 3)]
    assert leaks_found_by_programming(evidence, Rules())
    assert_promise(History(), Rules())
