"""Needs of sums, the attack on them, and earlier results without truth."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from enclave.errors import EnclaveBug, RequestError
from enclave.sdc.attacker import NO_DEPTH, Verdict, Witness
from enclave.sdc.earlier import completed
from enclave.sdc.need import Need, NeedKind, Target, _check_lowered, attack_target
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge, Mark
from enclave.sdc.work import Work
from tests.lib.tables import ONE_MARK, cover, table


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def bools(*values: int) -> Bools:
    return np.array(values, dtype=np.bool_)


def line(hidden: Bools, values: Ints) -> Knowledge:
    """One sum: the first cell is the total of all others."""
    matrix = sparse.csr_array(np.array([[-1, *[1] * (len(values) - 1)]], dtype=np.int64))
    none = np.zeros(len(values), dtype=np.int64)
    return Knowledge(matrix, ints(0), ~hidden, np.where(hidden, 0, values), none, np.full(len(values), NO_UPPER))


def test_an_interval_is_rounded_up_and_never_nothing() -> None:
    up, down = Need(NeedKind.INTERVAL, Fraction(10)).amounts(ints(100, 11, 1, 0, 50), bools(1, 1, 1, 1, 0))
    assert up.tolist() == [10, 2, 1, 1, 0]
    assert down.tolist() == [10, 2, 1, 0, 0]


def test_not_exact_means_one_more() -> None:
    up, down = Need(NeedKind.EXACT).amounts(ints(100, 0), bools(1, 1))
    assert (up.tolist(), down.tolist()) == ([1, 1], [0, 0])


@pytest.mark.parametrize(
    ("kind", "percent"),
    [(NeedKind.INTERVAL, None), (NeedKind.EXACT, Fraction(10)), (NeedKind.INTERVAL, Fraction(0))],
)
def test_a_need_has_a_percent_exactly_where_it_needs_one(kind: NeedKind, percent: Fraction | None) -> None:
    with pytest.raises(RequestError):
        Need(kind, percent)


def test_two_large_cells_of_a_line_protect_each_other() -> None:
    values = ints(2 * 10**12, 10**12, 10**12)
    target = Target(values, ints(0, 10**11, 0), ints(0, 10**11, 0))
    assert attack_target(line(bools(0, 1, 1), values), target).passed


@pytest.mark.parametrize(("up", "down"), [(7, 0), (0, 10)])
def test_a_small_neighbour_protects_one_direction_only(up: int, down: int) -> None:
    """The neighbour holds 6: the cell of 9 can rise by that at most. It can fall by all it has."""
    values = ints(15, 9, 6)
    verdict = attack_target(line(bools(0, 1, 1), values), Target(values, ints(0, up, 0), ints(0, down, 0)))
    assert not verdict.passed
    assert verdict.unproven == (1,)
    near = Target(values, ints(0, max(0, up - 1), 0), ints(0, max(0, down - 1), 0))
    assert attack_target(line(bools(0, 1, 1), values), near).passed


def test_a_cell_that_follows_at_once_has_lost() -> None:
    values = ints(15, 9, 6)
    verdict = attack_target(line(bools(0, 1, 0), values), Target(values, ints(0, 1, 0), ints(0, 0, 0)))
    assert (verdict.passed, verdict.unproven) == (False, (1,))


def test_what_is_public_must_be_the_truth() -> None:
    values = ints(15, 9, 6)
    told = line(bools(0, 1, 1), ints(16, 9, 6))
    with pytest.raises(EnclaveBug):
        attack_target(told, Target(values, ints(0, 1, 0), ints(0, 0, 0)))


def test_a_wrong_hint_is_not_believed() -> None:
    values = ints(15, 9, 6)
    hint = Witness(ints(1, 2), ints(7, -6))
    verdict = attack_target(line(bools(0, 1, 1), values), Target(values, ints(0, 7, 0), ints(0, 0, 0)), [hint])
    assert not verdict.passed


def test_a_planted_verdict_that_lowers_too_little_is_found() -> None:
    depth = ints(NO_DEPTH, -3)
    planted = Verdict(passed=True, unproven=(), witnesses=(Witness(ints(0, 1), ints(2, -2)),), witness_of=ints(-1, -1))
    with pytest.raises(EnclaveBug):
        _check_lowered(depth, planted)


GIVEN = table(
    """
    a\\b |  x   y   z
    p    |  2   9   8
    q    |  9   7  10
    """
)
BY_A = table(
    """
    a |   p   q
    n |  19  26
    """,
    name="by_a",
)
PATTERN = """
    a\\b | _T  x  y  z
    _T   |  -  -  -  -
    p    |  -  C  C  -
    q    |  -  C  C  -
    """


def test_earlier_results_get_numbers_that_fit() -> None:
    printed = cover(GIVEN, PATTERN)
    (released,) = completed([BY_A], [([printed], ONE_MARK)], joint=False).released
    found = released.table.values
    assert np.array_equal(found[printed.shown], GIVEN.values[printed.shown])
    assert np.all(found >= 0)
    assert np.array_equal(found[0, 0], found[0, 1:].sum(axis=0))


def test_numbers_that_fit_lie_within_what_marks_say() -> None:
    printed = cover(GIVEN, PATTERN)
    (released,) = completed([BY_A], [([printed], (Mark("C", 2, 9),))], joint=False).released
    hidden = released.table.values[~printed.shown]
    assert hidden.min() >= 2
    assert hidden.max() <= 9
    with pytest.raises(RequestError, match="HISTORY_CONTRADICTS"):
        completed([BY_A], [([printed], (Mark("C", 9, None),))], joint=False)


def test_a_table_that_differs_from_an_earlier_result_is_named_with_codes() -> None:
    other = table(
        """
        a |   p   q
        n |  18  27
        """,
        name="by_a",
    )
    with pytest.raises(RequestError, match=r"'by_a' differs at a=p ") as caught:
        completed([other], [([cover(GIVEN, PATTERN)], ONE_MARK)], joint=False)
    assert "18" not in str(caught.value)


def test_a_figure_that_an_earlier_mark_rules_out_is_named_with_codes() -> None:
    with pytest.raises(RequestError, match=r"HISTORY_DISAGREES: table 't' differs at a=p, b=y ") as caught:
        completed([GIVEN], [([cover(GIVEN, PATTERN)], (Mark("C", 0, 8),))], joint=False)
    assert "9" not in str(caught.value)


def test_without_earlier_results_there_is_no_history() -> None:
    assert completed([BY_A], [], joint=False).released == ()


def test_work_is_used_up_at_its_limit() -> None:
    work = Work(3)
    for left in (True, True, False):
        work.spend(0)
        assert work.used_up is not left
    assert not Work().used_up
