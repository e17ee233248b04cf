"""Attacking again what is decided: safe and planted patterns, results, hints, corrections, and the outsider's look."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from enclave.sdc.attacker import Witness
from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.derive import derive, relations
from enclave.sdc.history import History, Released
from enclave.sdc.protection import Protection, protect
from enclave.sdc.recheck import Derived, Printed, attack_printed, attack_together
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.table import Mark, ProtectedTable, Table, Variable
from enclave.sdc.words import Words
from tests.lib.tables import ONE_MARK, again, cover, hide, small, table

RULES = Rules()
REGION = Variable.flat("region", "ABC")
TRUTH = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8\nX | 10 11 12")

Releases = list[tuple[Released, ...]]


def release(requests: Sequence[Sequence[Table]], rules: Rules = RULES) -> tuple[Releases, list[Protection]]:
    """Protect and release one request after the other."""
    releases: Releases = []
    protections = []
    for tables in requests:
        history = History(tuple(one for released in releases for one in released))
        protections.append(protect(tables, rules, history))
        releases.append(protections[-1].released())
    return releases, protections


def planted(truth: Table, printed: ProtectedTable, marks: tuple[Mark, ...] = tuple(ONE_MARK)) -> tuple[Released, ...]:
    """Return a release of one table with a pattern by hand."""
    return (Released(truth, printed, marks),)


def printed(releases: Releases) -> list[Printed]:
    """Return what an outsider holds of these releases."""
    return [([one.protected for one in tables], tables[0].marks) for tables in releases]


def verdicts(releases: Releases, rules: Rules = RULES) -> tuple[bool, bool]:
    """Return what the look from inside and the look from outside come to."""
    return attack_together(releases, rules).passed, attack_printed(printed(releases), rules).passed


def shown(truth: Table) -> ProtectedTable:
    return hide(truth, np.zeros(truth.spec.shape, dtype=np.bool_))


@pytest.mark.parametrize("mark", list(MarkMode))
@pytest.mark.parametrize("zeros", list(Zeros))
def test_what_the_engine_protects_passes(zeros: Zeros, mark: MarkMode) -> None:
    rules = Rules(zeros=zeros, mark=mark)
    releases, _ = release([[TRUTH], [table("region\\job | y n\nA | 12 10\nB | 4 39\nC | 50 0", name="u")]], rules)
    assert attack_together(releases, rules).passed
    assert attack_together(releases, rules).attacked > 0


def test_primary_suppression_alone_fails() -> None:
    assert verdicts([planted(TRUTH, hide(TRUTH, small(TRUTH)))]) == (False, False)


def test_two_patterns_each_safe_and_unsafe_together_fail_in_either_order() -> None:
    left = cover(TRUTH, "sex\\region | _T A B C\n_T | . . . .\nM | . C C .\nF | . C C .\nX | . . . .")
    twin = again(TRUTH, name="u")
    right = cover(twin, "sex\\region | _T A B C\n_T | . . . .\nM | . C . C\nF | . C . C\nX | . . . .")
    one, other = planted(TRUTH, left), planted(twin, right)
    assert verdicts([one]) == verdicts([other]) == (True, True)
    assert verdicts([one, other]) == verdicts([other, one]) == (False, False)


def test_a_small_rest_that_nobody_prints_fails_also_where_everything_is_shown() -> None:
    """All less all-but-one is three persons: no cell is hidden, and yet they are known."""
    everybody = table("work | job none\npersons | 30 22", name="all")
    most = table("work | job none\npersons | 27 12", name="most", filters=[(REGION, "A|B")])
    assert verdicts([planted(everybody, shown(everybody)), planted(most, shown(most))]) == (False, False)


def test_a_rest_of_nobody_is_no_harm() -> None:
    everybody = table("work | job none\npersons | 30 22", name="all")
    same = table("work | job none\npersons | 30 22", name="most", filters=[(REGION, "A|B")])
    assert verdicts([planted(everybody, shown(everybody)), planted(same, shown(same))]) == (True, True)


def test_a_small_count_in_plain_sight_fails() -> None:
    assert not attack_together([planted(TRUTH, shown(TRUTH))], RULES).passed


def test_a_zero_shown_fails_where_zeros_are_small() -> None:
    truth = table("region | A B C\npersons | 0 9 8")
    for zeros, safe in ((Zeros.SHOW, True), (Zeros.HIDE, False)):
        assert attack_together([planted(truth, shown(truth))], Rules(zeros=zeros)).passed is safe


def test_a_zero_that_only_the_printed_table_calls_impossible_fails() -> None:
    truth = table("region | A B C\npersons | 0 9 8")
    called = replace(shown(truth), structural=truth.values == 0)
    impossible = frozenset({frozenset({("region", "A")})})
    rules = Rules(zeros=Zeros.STRUCTURAL)
    assert not attack_together([planted(truth, called)], rules).passed
    assert attack_together([planted(truth, called)], replace(rules, structural=impossible)).passed


@pytest.mark.parametrize("mark", [Mark("C", 0, 4), Mark("C", 1, None)])
def test_a_legend_that_says_more_than_the_rules_fails(mark: Mark) -> None:
    """The pattern alone is safe; the legend tells that every hidden cell is small, or holds somebody."""
    releases, _ = release([[TRUTH]])
    assert not attack_together([tuple(replace(one, marks=(mark,)) for one in releases[0])], RULES).passed


def test_a_mark_that_no_legend_explains_hides_nothing_from_the_attack() -> None:
    pattern = hide(TRUTH, small(TRUTH))
    odd = replace(pattern, marks=np.where(pattern.marks == "C", "Q", pattern.marks))
    assert not attack_together([planted(TRUTH, odd)], RULES).passed


# ---- two marks -----------------------------------------------------------------------------------------------------

TWO_MARKS = Rules(zeros=Zeros.SHOW, mark=MarkMode.TWO)


def test_a_mark_that_calls_a_cell_smaller_than_small_fails() -> None:
    """Small is all below the threshold: a legend that leaves the last of it out tells more than the rules let it."""
    releases, _ = release([[TRUTH]], TWO_MARKS)
    narrow = [
        replace(one, marks=tuple(m if m.maximum is None else replace(m, maximum=m.maximum - 1) for m in one.marks))
        for one in releases[0]
    ]
    assert attack_together(releases, TWO_MARKS).passed
    assert not attack_together([tuple(narrow)], TWO_MARKS).passed


def of_region(name: str, codes: str, figures: str) -> Table:
    """Return work in some regions."""
    return table(f"work | job none leave\npersons | {figures}", name=name, filters=[(REGION, codes)])


WORK_OF_ALL = table("work | job none leave\npersons | 8 6 4", name="work")


def test_under_two_marks_a_rest_may_come_to_hold_all_of_a_small_count() -> None:
    """Nobody is in C: the small count of all is that of A and B, at least 1 where before it could be none.

    The last request asks for its parts. They cannot reach the threshold, whatever is printed of them, so that the
    releases are judged one by one.
    """
    nobody = of_region("nobody", "C", "0 0 0")
    parts = table("region\\work | job none leave\nA | 6 4 3\nB | 2 2 1\nC | 0 0 0", name="parts")
    releases, protections = release([[WORK_OF_ALL], [nobody], [parts]], TWO_MARKS)
    assert protections[1].tables[0].shown.all()
    assert protections[2].known_before[0].any()
    assert verdicts(releases[:2], TWO_MARKS) == verdicts(releases, TWO_MARKS) == (True, True)


def test_under_two_marks_a_rest_may_not_become_smaller_than_its_mark() -> None:
    """One person of C on leave, marked as at least 1 and fewer than 5: A and B can hold no more than three of four."""
    releases, (first, _) = release([[WORK_OF_ALL], [of_region("few", "C", "6 5 1")]], TWO_MARKS)
    assert verdicts(releases, TWO_MARKS) == (True, True)
    few = releases[1][0].table
    pattern = cover(few, "work | _T job none leave\npersons | D D D C")
    assert verdicts([releases[0], planted(few, pattern, first.marks)], TWO_MARKS) == (False, False)


# ---- results of stage 2 --------------------------------------------------------------------------------------------


def sum_of(codes: tuple[str, ...], source: ProtectedTable) -> Derived:
    """Return the sum over some regions, honestly derived."""
    derivation = Derivation("d", Words("a", "b", "c"), Kind.SUM, source.spec.id, (("region", codes),))
    (result,) = derive([derivation], [source])
    relation = relations(derivation, source.spec)
    assert relation is not None
    return Derived(result, 0, relation)


def test_an_honest_sum_adds_nothing() -> None:
    releases, _ = release([[TRUTH]])
    part = sum_of(("A", "B"), releases[0][0].protected)
    assert (~part.table.shown).any()
    found = attack_together(releases, RULES, [part])
    assert found.passed
    assert found.attacked > attack_together(releases, RULES).attacked


def test_a_sum_that_shows_what_its_operands_hide_fails() -> None:
    """The sum of a hidden pair, filled in from the truth, gives one of them away beside a third."""
    truth = table("region | A B C D\npersons | 3 4 20 30")
    releases = [planted(truth, cover(truth, "region | _T A B C D\npersons | . C C C ."))]
    part = sum_of(("B", "C"), releases[0][0].protected)
    assert attack_together(releases, RULES, [part]).passed
    leaking = replace(part, table=replace(part.table, values=np.array([24]), marks=np.array(["F"])))
    assert not attack_together(releases, RULES, [leaking]).passed


def test_witnesses_of_the_releases_serve_the_results_too_and_wrong_ones_do_no_harm() -> None:
    releases, (protection,) = release([[TRUTH]])
    part = sum_of(("A", "B"), releases[0][0].protected)
    hints = protection.verdict.witnesses
    assert attack_together(releases, RULES, [part], hints=hints).passed
    wrong = [Witness(hint.cells, hint.values + 1) for hint in hints]
    foreign = [Witness(np.arange(500), np.zeros(500, dtype=np.int64))]
    assert attack_together(releases, RULES, [part], hints=[*wrong, *foreign]).passed
    unsafe = [planted(TRUTH, hide(TRUTH, small(TRUTH)))]
    assert not attack_together(unsafe, RULES, hints=[*hints, *wrong, *foreign]).passed


def test_results_are_attacked_once_where_everything_holds_together() -> None:
    """Judging them by what they add as well would take two more attacks, without the witnesses that are there."""
    releases, (protection,) = release([[TRUTH]])
    part = sum_of(("A", "B"), releases[0][0].protected)
    attacks: list[int] = []

    def run(task: Callable[[Any], Any], parts: Iterable[Any]) -> Iterable[Any]:
        attacks.append(1)
        return map(task, parts)

    assert attack_together(releases, RULES, [part], hints=protection.verdict.witnesses, run=run).passed
    assert len(attacks) == 1


# ---- what was known before -----------------------------------------------------------------------------------------


def by_sex(name: str, men: int, women: int, date: str, region: str = "") -> Table:
    filters = [(REGION, region)] if region else []
    return table(f"sex | M F\npersons | {men} {women}", name=name, data_date=date, filters=filters)


CORRECTED = [
    [by_sex("all", 13, 12, "")],
    [by_sex("rest", 9, 11, "2", "A|C")],
    [by_sex("all2", 14, 12, "2")],
]
"""All but B, then all: whoever knows that the total of women did not change knows the one woman of B."""


def test_what_a_correction_left_alone_is_no_fault_of_the_release_after_it() -> None:
    releases, protections = release(CORRECTED)
    assert protections[-1].known_elsewhere
    assert verdicts(releases) == (True, True)
    releases, protections = release([*CORRECTED, [by_sex("b", 5, 1, "2", "B")]])
    assert protections[-1].known_before[0].any()
    assert verdicts(releases) == (True, True)


def test_a_release_after_a_correction_may_still_not_say_more() -> None:
    """Women of B are known by the correction. Men of B are not: showing all men gives 5 - 1 of them away."""
    requests = [*CORRECTED[:2], [by_sex("all2", 12, 12, "2")]]
    releases, _ = release(requests)
    assert verdicts(releases)[0]
    last = requests[-1][0]
    pattern = cover(last, "sex | _T M F\npersons | C . C")
    assert verdicts([*releases[:2], planted(last, pattern)]) == (False, False)


def test_what_only_the_informed_reader_knew_is_not_told_to_everybody() -> None:
    """Who knows that the women were left alone knew the one woman of B. Printing all women tells everybody else."""
    releases, _ = release(CORRECTED[:2])
    last = CORRECTED[2][0]
    pattern = cover(last, "sex | _T M F\npersons | C C .")
    assert verdicts([*releases, planted(last, pattern)]) == (False, False)


def parts_of_a_small_group() -> tuple[Released, Table]:
    """Return an unsafe release of the past that gives the 3 of A away, and a request for the parts of A."""
    truth = table("region | A B\npersons | 3 20", variables=[Variable.flat("region", "AB")])
    parts = table("region\\sex | M F\nA | 1 2\nB | 9 11", name="parts")
    (unsafe,) = planted(truth, cover(truth, "region | _T A B\npersons | . C ."))
    return unsafe, parts


def test_an_unsafe_release_of_the_past_is_seen_whatever_comes_after_it() -> None:
    """The proposer excuses the cell as known before; the look at all releases does not."""
    unsafe, parts = parts_of_a_small_group()
    second = protect([parts], RULES, History((unsafe,)))
    assert second.known_before[0].any()
    assert verdicts([(unsafe,)]) == verdicts([(unsafe,), second.released()]) == (False, False)


def inner_cells() -> tuple[Table, Table, Table]:
    """Return two tables that bound the inner cells of a third before anybody asks for it.

    Men of A with a job are at most the men of A and those of A with a job, each hidden and each able to be five, but
    not both at once.
    """
    by_sex_ = table("region\\sex | M F\nA | 2 3\nB | 30 40\nC | 25 35", name="s")
    by_job = table("region\\job | y n\nA | 1 4\nB | 50 20\nC | 28 32", name="j")
    cells = """
        job = y
        region\\sex | M F
        A | 1 0
        B | 20 30
        C | 10 18
        job = n
        region\\sex | M F
        A | 1 3
        B | 10 10
        C | 15 17
        """
    return by_sex_, by_job, table(cells, name="x")


def test_inner_cells_that_earlier_tables_bound_are_judged_as_they_stood() -> None:
    one, other, inner = inner_cells()
    releases, protections = release([[one, other], [inner]])
    assert verdicts(releases) == (True, True), protections[-1].known_before
    unsafe = planted(inner, hide(inner, small(inner) & (inner.values < 3)))
    assert verdicts([releases[0], unsafe])[0] is False


def test_a_release_after_itself_adds_nothing() -> None:
    releases, _ = release([*CORRECTED, [again(CORRECTED[-1][0], name="once_more")]])
    assert verdicts(releases) == (True, True)


def test_results_after_a_correction_are_judged_by_what_they_add() -> None:
    """A sum over regions of which one is known since a correction: hidden, and no smaller than it was known to be."""
    first = table("region | A B C\npersons | 9 1 8", name="first")
    second = table("region | A B C\npersons | 10 1 8", name="second", data_date="2")
    releases, _ = release([[first], [second]])
    source = len(releases[0])
    part = replace(sum_of(("B", "C"), releases[1][0].protected), source=source)
    found = attack_together(releases, RULES, [part])
    assert found.passed
