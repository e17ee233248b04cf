"""Attacks on published tables that are known to work against naive protection. Each test is named after its attack.

Every test asks three opinions: is it true and by the rules, does the engine's attacker find nothing, and does trying
every table that fits find nothing (`assert_promise`). And not everything may be hidden where that is avoidable.
"""

import random
from dataclasses import replace

import numpy as np
import pytest

from enclave.sdc.attacker import attack, intervals
from enclave.sdc.history import History, outside_view
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.table import Mark, ProtectedTable, Table, Variable
from tests.lib import brute_force, outsider
from tests.lib.safety import Evidence, ask, assert_promise, leaks_found_by_trying, shown_share
from tests.lib.tables import ONE_MARK, Place, again, at, cover, draw, hide, hierarchy, levels, small, table

RULES = Rules()
EVERY_TREATMENT_OF_ZEROS = pytest.mark.parametrize("zeros", list(Zeros))


def opinions_agree(truth: Table, printed: ProtectedTable) -> bool:
    """Whether programming and trying find the same interval for each hidden cell; the common answer is 'unsafe'."""
    view = outsider.view([printed], [ONE_MARK])
    tried = brute_force.intervals([printed], [ONE_MARK])
    programmed = intervals(view.knowledge, list(view.cells.values()))
    for key, (low, high) in zip(view.cells, programmed.tolist(), strict=True):
        least, greatest = tried[key]
        assert (low, min(high, brute_force.CEILING)) == (least, brute_force.CEILING if greatest is None else greatest)
    unsafe = [key for key, (_, greatest) in tried.items() if greatest is not None and greatest < 5]
    verdict = attack(view.knowledge, view.reach(5))
    assert {key for key, cell in view.cells.items() if cell in verdict.unproven} == set(unsafe)
    return not unsafe


# ---- one table -----------------------------------------------------------------------------------------------------


@EVERY_TREATMENT_OF_ZEROS
def test_one_cell_row(zeros: Zeros) -> None:
    """A row with one column only: the cell is its own margin."""
    protection, history = ask(table("sex\\region | A\nM | 3\nF | 40"), rules=Rules(zeros=zeros))
    assert_promise(history, Rules(zeros=zeros))
    (printed,) = protection.tables
    assert at(printed, sex="M", region="A") == at(printed, sex="M") == "C"


@EVERY_TREATMENT_OF_ZEROS
def test_one_non_zero_cell_in_a_row(zeros: Zeros) -> None:
    """The row total says all that the only cell with anybody in it would say."""
    rules = Rules(zeros=zeros)
    protection, history = ask(table("sex\\region | A B C\nM | 3 0 0\nF | 9 20 30\nX | 12 11 10"), rules=rules)
    assert_promise(history, rules)
    assert shown_share(protection) > 0.2


@EVERY_TREATMENT_OF_ZEROS
def test_two_ones_with_a_published_total(zeros: Zeros) -> None:
    """1 + 1 = 2: two hidden cells, and both known."""
    rules = Rules(zeros=zeros)
    protection, history = ask(table("region | A B C D\npersons | 1 1 8 20"), rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0]) == "30"
    assert at(protection.tables[0], region="D") == "20"
    assert at(protection.tables[0], region="C") == "C"


@EVERY_TREATMENT_OF_ZEROS
def test_one_and_one_and_thirty(zeros: Zeros) -> None:
    """1 + 1 + 30: two small cells protect each other from being exact, not from being small."""
    rules = Rules(zeros=zeros)
    protection, history = ask(table("region | A B C\npersons | 1 1 30"), rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0]) == "32"
    assert at(protection.tables[0], region="C") == "C"


@pytest.mark.parametrize("zeros", [Zeros.SHOW, Zeros.SHOW_OR_SECONDARY])
def test_all_zero_and_zeros_are_shown(zeros: Zeros) -> None:
    protection, history = ask(table("sex\\region | A B\nM | 0 0\nF | 0 0"), rules=Rules(zeros=zeros))
    assert_promise(history, Rules(zeros=zeros))
    assert shown_share(protection) == 1


@pytest.mark.parametrize("zeros", [Zeros.HIDE, Zeros.STRUCTURAL])
def test_all_zero_and_zeros_are_small(zeros: Zeros) -> None:
    """The total is zero too: nothing at all can be shown."""
    protection, history = ask(table("sex\\region | A B\nM | 0 0\nF | 0 0"), rules=Rules(zeros=zeros))
    assert_promise(history, Rules(zeros=zeros))
    assert shown_share(protection) == 0


@EVERY_TREATMENT_OF_ZEROS
def test_everything_below_five(zeros: Zeros) -> None:
    """No inner cell may be shown, the totals of five and more may."""
    rules = Rules(zeros=zeros)
    protection, history = ask(table("sex\\region | A B C\nM | 1 2 3\nF | 4 1 2\nX | 3 4 1"), rules=rules)
    assert_promise(history, rules)
    inner = [at(protection.tables[0], sex=s, region=r) for s in "MFX" for r in "ABC"]
    assert set(inner) == {"C"}
    if zeros is not Zeros.SHOW:
        assert at(protection.tables[0]) == "21"


@EVERY_TREATMENT_OF_ZEROS
def test_everything_below_five_even_the_total(zeros: Zeros) -> None:
    """Persons are so few that even their number may not be shown."""
    protection, history = ask(table("region | A B C\npersons | 1 2 1"), rules=Rules(zeros=zeros))
    assert_promise(history, Rules(zeros=zeros))
    assert shown_share(protection) == 0


@EVERY_TREATMENT_OF_ZEROS
def test_a_level_with_one_child(zeros: Zeros) -> None:
    """A province with one municipality prints the same count twice: hiding the one must hide the other."""
    area = levels("area", _T="N S W", N="n1", S="s1 s2", W="w1 w2")
    rules = Rules(zeros=zeros)
    truth = table("area | n1 s1 s2 w1 w2\npersons | 3 20 30 8 12", variables=[area])
    protection, history = ask(truth, rules=rules)
    assert_promise(history, rules)
    (printed,) = protection.tables
    assert at(printed, area="N") == at(printed, area="n1") == "C"
    assert shown_share(protection) >= 0.5


def test_a_chain_of_levels_with_one_child_each() -> None:
    area = levels("area", _T="N S", N="n1", n1="n11", n11="n111", S="s1 s2")
    protection, history = ask(table("area | n111 s1 s2\npersons | 2 20 30", variables=[area]))
    assert_promise(history, RULES)
    assert [at(protection.tables[0], area=code) for code in ("N", "n1", "n11", "n111")] == ["C"] * 4


@EVERY_TREATMENT_OF_ZEROS
def test_zero_margin(zeros: Zeros) -> None:
    """A row total of 0 gives away every cell of its row: such zeros protect nothing."""
    rules = Rules(zeros=zeros)
    protection, history = ask(table("sex\\region | A B C\nM | 0 0 0\nF | 3 20 30\nX | 12 11 10"), rules=rules)
    assert_promise(history, rules)
    assert shown_share(protection) > 0.2


@EVERY_TREATMENT_OF_ZEROS
def test_structural_against_sampling_zero(zeros: Zeros) -> None:
    """A zero that everybody knows cannot hide another cell; a zero that could be otherwise can."""
    impossible = frozenset({frozenset({("sex", "M"), ("work", "leave")})})
    rules = Rules(zeros=zeros, structural=impossible)
    protection, history = ask(table("sex\\work | leave job none\nM | 0 3 20\nF | 7 12 0\nX | 9 0 14"), rules=rules)
    assert_promise(history, rules)
    if zeros is not Zeros.HIDE:
        assert at(protection.tables[0], sex="M", work="leave") == "Z"


def test_a_structural_zero_is_no_hiding_place() -> None:
    """Every cheap way to hide the 3 moves the cell that cannot exist: another way has to be found."""
    impossible = frozenset({frozenset({("sex", "M"), ("work", "leave")})})
    rules = Rules(structural=impossible)
    protection, history = ask(table("sex\\work | leave job\nM | 0 3\nF | 50 60"), rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0], sex="M", work="leave") == "Z"
    assert at(protection.tables[0], sex="M") == at(protection.tables[0], sex="M", work="job") == "C"


def test_a_structural_zero_across_two_tables() -> None:
    """The impossible combination stands in neither table, only in the two together."""
    impossible = frozenset({frozenset({("age", "child"), ("work", "job")})})
    rules = Rules(structural=impossible)
    one = table("region\\age | child adult\nA | 3 20\nB | 6 30", name="one")
    other = table("region\\work | job none\nA | 18 5\nB | 30 6", name="other")
    _, history = ask(one, other, rules=rules)
    assert_promise(history, rules)


# ---- populations -----------------------------------------------------------------------------------------------------

REGION = Variable.flat("region", "ABC")
WORK = Variable.flat("work", ("job", "none", "leave"))


@EVERY_TREATMENT_OF_ZEROS
def test_all_against_all_but_one(zeros: Zeros) -> None:
    """All less all-but-one is a table of the one left out, printed by nobody."""
    rules = Rules(zeros=zeros)
    everybody = table("work | job none leave\npersons | 30 22 16", name="all")
    most = table("work | job none leave\npersons | 27 12 9", name="most", filters=[(REGION, "A|B")])
    rest = table("work | job none leave\npersons | 3 10 7", name="rest", filters=[(REGION, "C")])
    first, history = ask(everybody, rules=rules)
    assert shown_share(first) == 1
    second, history = ask(most, rules=rules, after=history)
    assert_promise(history, rules, also=[rest])
    assert at(second.tables[0], work="job") == "C"
    assert at(second.tables[0]) == "48"


@EVERY_TREATMENT_OF_ZEROS
def test_all_but_one_first_and_then_all(zeros: Zeros) -> None:
    """The same two tables in the other order: the wider one gives way."""
    rules = Rules(zeros=zeros)
    everybody = table("work | job none leave\npersons | 30 22 16", name="all")
    most = table("work | job none leave\npersons | 27 12 9", name="most", filters=[(REGION, "A|B")])
    rest = table("work | job none leave\npersons | 3 10 7", name="rest", filters=[(REGION, "C")])
    _, history = ask(most, rules=rules)
    second, history = ask(everybody, rules=rules, after=history)
    assert_promise(history, rules, also=[rest])
    assert at(second.tables[0]) == "68"


@EVERY_TREATMENT_OF_ZEROS
def test_the_part_left_out_has_fewer_than_five(zeros: Zeros) -> None:
    """Even the total of the selection would tell that the part left out is small: a table of marks, no refusal."""
    rules = Rules(zeros=zeros)
    everybody = table("work | job none\npersons | 30 22", name="all")
    most = table("work | job none\npersons | 28 21", name="most", filters=[(REGION, "A|B")])
    rest = table("work | job none\npersons | 2 1", name="rest", filters=[(REGION, "C")])
    _, history = ask(everybody, rules=rules)
    second, history = ask(most, rules=rules, after=history)
    assert_promise(history, rules, also=[rest])
    assert shown_share(second) == 0


@EVERY_TREATMENT_OF_ZEROS
def test_a_selection_of_fewer_than_five(zeros: Zeros) -> None:
    """The selection itself is small: a table of marks, no refusal."""
    rules = Rules(zeros=zeros)
    _, history = ask(table("work | job none\npersons | 30 22", name="all"), rules=rules)
    second, history = ask(
        table("work | job none\npersons | 2 1", name="few", filters=[(REGION, "C")]), rules=rules, after=history
    )
    assert_promise(history, rules)
    assert shown_share(second) == 0


def test_two_complements_that_leave_out_one_small_group() -> None:
    """A|B and then B|C|D against all: what is left out is A, then C|D; D alone follows from nothing, A and C|D do."""
    region = Variable.flat("region", "ABCD")
    parts = {"A": (3, 9), "B": (20, 14), "C": (8, 2), "D": (1, 11)}

    def select(codes: str) -> Table:
        job, none = (sum(parts[c][i] for c in codes) for i in (0, 1))
        filters = [(region, "|".join(codes))] if len(codes) < 4 else []
        return table(f"work | job none\npersons | {job} {none}", name=codes.lower(), filters=filters)

    history = History()
    for codes in ("ABCD", "AB", "BCD", "ABD"):
        _, history = ask(select(codes), after=history)
        assert_promise(history, RULES, also=[select("A"), select("C"), select("CD")])


def test_a_tracker_pads_a_small_set() -> None:
    """Ask for the small set with a pad, then for the pad: each is large, the difference is small."""
    padded = table("work | job none\npersons | 22 19", name="padded", filters=[(REGION, "A|C")])
    pad = table("work | job none\npersons | 20 10", name="pad", filters=[(REGION, "A")])
    wanted = table("work | job none\npersons | 2 9", name="wanted", filters=[(REGION, "C")])
    _, history = ask(padded)
    _, history = ask(pad, after=history)
    assert_promise(history, RULES, also=[wanted])


def test_overlapping_selections_that_contain_each_other_nowhere() -> None:
    """A|B and B|C and A|C with the total: each single region follows, though no selection contains another."""
    parts = {"A": (2, 30), "B": (40, 10), "C": (15, 12)}

    def select(codes: str) -> Table:
        job, none = (sum(parts[c][i] for c in codes) for i in (0, 1))
        return table(
            f"work | job none\npersons | {job} {none}", name=codes.lower(), filters=[(REGION, "|".join(codes))]
        )

    history = History()
    for codes in ("AB", "BC", "AC"):
        _, history = ask(select(codes), after=history)
        assert_promise(history, RULES, also=[select(c) for c in "ABC"])


@pytest.mark.parametrize("selection_first", [True, False])
def test_two_filters_that_cross(selection_first: bool) -> None:
    """Work of regions A and C; regions of those with or without a job: both add up to one block that nobody prints.

    9 + 6 - 11 = 4: the block less region C leaves region A.
    """
    by_work = table("work | job none leave\npersons | 9 6 8", name="by_work", filters=[(REGION, "A|C")])
    by_region = table("region | A B C\npersons | 4 12 11", name="by_region", filters=[(WORK, "job|none")])
    history = History()
    for each in (by_work, by_region) if selection_first else (by_region, by_work):
        _, history = ask(each, after=history)
        assert_promise(history, RULES)


def test_a_filtered_table_is_no_crossing() -> None:
    """A table of sex and region for some kinds of work names three variables, and yet crosses work with nothing."""
    rules = Rules(zeros=Zeros.SHOW)
    region = levels("region", _T="N S", N="A B", S="C D")
    slice_of_work = [(WORK, "none|leave")]
    history = History()
    for each in (
        table("work | job none leave\npersons | 8 2 1", name="one", filters=[(region, "B")]),
        table("sex\\region | A B C D\nM | 1 0 1 2\nF | 1 3 1 4", variables=[region], filters=slice_of_work),
        table("sex\\work | job none leave\nM | 11 4 0\nF | 10 4 5", name="three"),
    ):
        _, history = ask(each, rules=rules, after=history)
        assert_promise(history, rules)


def test_two_margins_bound_the_rest_of_a_slice() -> None:
    """Sex and work of everybody, and sex by work of those outside A: nobody prints sex by work of A.

    Men of A are one more than the women outside A without a job, those of A without a job at most eight less them: the
    men of A without a job are at most four.
    """
    rules = Rules(zeros=Zeros.SHOW)
    history = History()
    for each in (
        table("work | job none leave\npersons | 1 7 1", name="inside", filters=[(REGION, "A")]),
        table("work | job none leave\npersons | 0 2 1", name="outside", filters=[(REGION, "B|C")]),
        table("work | job none leave\npersons | 1 9 2", name="work"),
        table("sex | M F\npersons | 4 8", name="sex"),
        table("sex\\work | job none leave\nM | 0 1 1\nF | 0 1 0", name="slice", filters=[(REGION, "B|C")]),
    ):
        _, history = ask(each, rules=rules, after=history)
    rest = table("sex\\work | job none leave\nM | 0 1 1\nF | 1 6 0", name="rest", filters=[(REGION, "A")])
    assert_promise(history, rules, also=[rest])


def test_a_zero_hidden_before_is_covered_by_the_legend() -> None:
    """A release that falls back may hide a zero. A later one that shows every zero may not say 'at least 1' of it."""
    rules = Rules(zeros=Zeros.SHOW)
    history = History()
    for each in (
        table("work | job none leave\npersons | 8 2 1", name="one", filters=[(REGION, "B")]),
        table("sex\\region | A B C\nM | 1 0 3\nF | 1 3 5", name="two", filters=[(WORK, "none|leave")]),
        table("sex\\work | job none leave\nM | 11 4 0\nF | 10 4 5", name="three"),
    ):
        _, history = ask(each, rules=rules, after=history)
        assert_promise(history, rules)


def test_one_selection_under_two_names() -> None:
    """The group 'north' and the selection of its parts are the same persons."""
    area = levels("area", _T="north south", north="a b", south="c d")
    by_name = table("work | job none leave\npersons | 3 20 8", name="name", filters=[(area, "north")])
    by_parts = table("work | job none leave\npersons | 3 20 8", name="parts", filters=[(area, "b|a")])
    first, history = ask(by_name)
    second, history = ask(by_parts, after=history)
    assert_promise(history, RULES)
    assert draw(first.tables[0]) == draw(second.tables[0])


def test_one_selection_under_two_names_in_two_different_tables() -> None:
    """Each table alone would hide another neighbour of the same small cell: the two names must be known as one."""
    area = levels("area", _T="north south", north="a b", south="c d")
    by_name = table("work | job none leave\npersons | 3 20 19", name="name", filters=[(area, "north")])
    by_parts = table("sex\\work | job none leave\nM | 1 18 19\nF | 2 2 0", name="parts", filters=[(area, "b|a")])
    first, history = ask(by_name)
    second, history = ask(by_parts, after=history)
    assert_promise(history, RULES)
    for work in ("_T", "job", "none", "leave"):
        assert at(first.tables[0], work=work) == at(second.tables[0], work=work)


def test_a_selection_beside_the_levels_it_adds_up() -> None:
    """A table holds the level, a filter names its parts, and a third table lacks the variable altogether."""
    area = levels("area", _T="north south", north="a b", south="c d")
    by_area = table("area\\work | job none\na | 2 9\nb | 6 7\nc | 12 30\nd | 20 9", variables=[area], name="areas")
    by_sex = table("work\\sex | M F\njob | 25 15\nnone | 20 35", name="sexes")
    selected = table("work\\sex | M F\njob | 6 2\nnone | 8 8", name="selected", filters=[(area, "a|b")])
    _, history = ask(by_area, by_sex)
    _, history = ask(selected, after=history)
    assert_promise(history, RULES)


def test_a_selection_of_everybody_is_the_total() -> None:
    plain = table("work | job none leave\npersons | 3 20 8", name="plain")
    selected = table("work | job none leave\npersons | 3 20 8", name="selected", filters=[(REGION, "A|B|C")])
    first, history = ask(plain)
    second, history = ask(selected, after=history)
    assert_promise(history, RULES)
    assert draw(first.tables[0]) == draw(second.tables[0])


# ---- groupings -------------------------------------------------------------------------------------------------------


@EVERY_TREATMENT_OF_ZEROS
def test_shifted_class_boundaries(zeros: Zeros) -> None:
    """Age in two sets of classes that are shifted against each other: the difference of two classes is a thin slice."""
    age = Variable(
        "age",
        (hierarchy(_T="c1 c2", c1="y18 y19", c2="y20 y21"), hierarchy(_T="d1 d2 d3", d1="y18", d2="y19 y20", d3="y21")),
    )
    rules = Rules(zeros=zeros)
    truth = table("age | y18 y19 y20 y21\npersons | 8 2 9 30", variables=[age])
    protection, history = ask(truth, rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0]) == "49"


@EVERY_TREATMENT_OF_ZEROS
def test_non_nested_hierarchies(zeros: Zeros) -> None:
    """Municipalities under provinces and under job-centre areas that cross the provinces."""
    area = Variable(
        "area",
        (hierarchy(_T="P Q", P="a b", Q="c d"), hierarchy(_T="X Y", X="a c", Y="b d")),
    )
    rules = Rules(zeros=zeros)
    protection, history = ask(
        table("sex\\area | a b c d\nM | 3 20 12 9\nF | 7 14 30 11", variables=[area]), rules=rules
    )
    assert_promise(history, rules)
    assert at(protection.tables[0]) == "106"


def test_two_groupings_in_two_requests() -> None:
    """Non-nested groupings asked one after the other, by filters: together they cut out a small piece."""
    area = Variable("area", (hierarchy(_T="P Q", P="a b", Q="c d"), hierarchy(_T="X Y", X="a c", Y="b d")))
    parts = {"a": (3, 9), "b": (20, 8), "c": (12, 30), "d": (9, 7)}

    def select(name: str, codes: str) -> Table:
        job, none = (sum(parts[c][i] for c in codes) for i in (0, 1))
        return table(f"work | job none\npersons | {job} {none}", name=name.lower(), filters=[(area, name)])

    history = History()
    for name, codes in (("P", "ab"), ("X", "ac"), ("Q", "cd"), ("Y", "bd"), ("b", "b")):
        _, history = ask(select(name, codes), after=history)
        assert_promise(history, RULES, also=[select(c, c) for c in "abcd"])


# ---- linked tables ---------------------------------------------------------------------------------------------------


@EVERY_TREATMENT_OF_ZEROS
def test_the_same_cell_under_two_names(zeros: Zeros) -> None:
    """Two tables print the same margin: hidden in the one, it is hidden in the other."""
    rules = Rules(zeros=zeros)
    one = table("region\\sex | M F\nA | 2 1\nB | 20 30\nC | 14 9", name="one")
    other = table("region\\age | young old\nA | 3 0\nB | 25 25\nC | 12 11", name="other")
    protection, history = ask(one, other, rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0], region="A") == at(protection.tables[1], region="A") == "C"


@EVERY_TREATMENT_OF_ZEROS
def test_ten_less_seven(zeros: Zeros) -> None:
    """B = 10 - 7: a table that is safe alone, and the missing figure stands in its sister."""
    rules = Rules(zeros=zeros)
    one = table("region\\sex | M F\nA | 7 3\nB | 20 30\nC | 40 12", name="one")
    other = table("sex\\age | young old\nM | 30 37\nF | 20 25", name="other")
    third = table("age\\region | A B C\nyoung | 4 25 21\nold | 6 25 31", name="third")
    protection, history = ask(one, other, third, rules=rules)
    assert_promise(history, rules)
    assert shown_share(protection) > 0.3


def test_a_margin_printed_first_and_its_inside_later() -> None:
    """A x B printed first, then A x B x C whose margin it is: the second must respect what the first hides."""
    first = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8", name="first")
    second = table(
        """
        work = job
        sex\\region | A B C
        M | 1 15 12
        F | 4 6 3
        work = none
        sex\\region | A B C
        M | 2 5 18
        F | 5 6 5
        """,
        name="second",
    )
    _, history = ask(first)
    _, history = ask(second, after=history)
    assert_promise(history, RULES)


def cube(even: str, odd: str) -> tuple[Table, ...]:
    """Return the three two-way tables of a 2 x 2 x 2 table, and the table itself."""
    e000, e011, e101, e110 = even.split()
    o111, o001, o010, o100 = odd.split()
    front = f"a = 0\nb\\c | 0 1\n0 | {e000} {o001}\n1 | {o010} {e011}\n"
    back = f"a = 1\nb\\c | 0 1\n0 | {o100} {e101}\n1 | {e110} {o111}"
    inside = table(front + back, name="inside")
    a, b, c = inside.spec.dimensions
    inner = inside.values[:, 1:, 1:, 1:]
    pairs = (((a, b), 3), ((a, c), 2), ((b, c), 1))
    two_way = (
        Table.from_leaves(replace(inside.spec, id=f"{v.id}{w.id}", dimensions=(v, w)), inner.sum(axis=axis))
        for (v, w), axis in pairs
    )
    return (*two_way, inside)


@pytest.mark.parametrize("at_once", [True, False], ids=["one request", "three requests"])
def test_three_margins_give_the_inside_away(at_once: bool) -> None:
    """A x B, A x C and B x C hold figures of five and more only, and yet one cell of A x B x C is at most 4."""
    *margins, inside = cube("3 4 4 4", "1 2 2 2")
    history = History()
    for tables in [margins] if at_once else [[margin] for margin in margins]:
        _, history = ask(*tables, after=history)
    assert_promise(history, RULES, also=[inside])


def test_the_inside_asked_after_its_three_margins() -> None:
    """No request is infeasible: the inside can still be asked, and what is printed of it discloses nothing."""
    *margins, inside = cube("3 4 4 4", "1 2 2 2")
    _, history = ask(*margins)
    _, history = ask(inside, after=history)
    assert_promise(history, RULES)


@pytest.mark.parametrize("slice_first", [True, False])
def test_three_margins_and_a_slice_give_the_rest_away(*, slice_first: bool) -> None:
    """A x B x C of one region is large everywhere. With the three margins of all, the others are the cube once more."""
    *margins, inside = cube("3 4 4 4", "1 2 2 2")
    everybody = [Table.from_leaves(t.spec, t.values[:, 1:, 1:] + 20) for t in margins]
    region_a = replace(inside.spec, id="region_a", filters=((REGION, "A"),))
    others = Table(replace(inside.spec, id="others", filters=((REGION, "B|C"),)), inside.values)
    large = Table.from_leaves(region_a, np.full((1, 2, 2, 2), 10))
    history = History()
    for tables in ([large], everybody) if slice_first else (everybody, [large]):
        protection, history = ask(*tables, after=history)
    assert_promise(history, RULES, also=[others])
    assert shown_share(protection) > 0


@EVERY_TREATMENT_OF_ZEROS
def test_four_by_four_with_two_hidden_in_every_line(zeros: Zeros) -> None:
    """Two hidden cells in every line look safe, and each of them is exact, since zeros stop every way round."""
    rules = Rules(zeros=zeros)
    truth = table("r\\k | w x y z\np | 0 3 20 30\nq | 12 2 4 40\ns | 15 16 4 0\nt | 3 17 18 2")
    protection, history = ask(truth, rules=rules)
    assert_promise(history, rules)
    assert shown_share(protection) > 0.2


# ---- time ------------------------------------------------------------------------------------------------------------


@EVERY_TREATMENT_OF_ZEROS
def test_a_margin_constant_over_quarters(zeros: Zeros) -> None:
    """Nobody changes sex: the total of men in one quarter fills the hole in the next."""
    rules = Rules(zeros=zeros)
    truth = table(
        """
        period = 2009-Q2
        sex\\work | job none
        M | 2 1
        F | 20 30
        X | 8 12
        period = 2009-Q3
        sex\\work | job none
        M | 0 3
        F | 25 25
        X | 13 7
        """,
        constant=["sex"],
    )
    protection, history = ask(truth, rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0], sex="M") == at(protection.tables[0], sex="M", period="2009-Q3") == "C"


def test_a_margin_constant_over_quarters_printed_in_two_requests() -> None:
    """The second quarter is asked later: what was hidden of the constant margin stays hidden."""

    def quarter(name: str, men: str) -> Table:
        picture = f"period = {name}\nsex\\work | job none\nM | {men}\nF | 20 30\nX | 8 12"
        return table(picture, name=name.lower(), constant=["sex"])

    _, history = ask(quarter("2009-Q2", "2 1"))
    second, history = ask(quarter("2009-Q3", "0 3"), after=history)
    assert_promise(history, RULES)
    assert at(second.tables[0], sex="M") == "C"


def test_two_constant_variables_in_two_tables() -> None:
    """Group and sex do not change, so neither does their crossing, though no table prints it."""
    by_group = table(
        "period = 1\ngroup\\work | job none\ng | 6 0\nh | 0 9\nperiod = 2\ngroup\\work | job none\ng | 6 0\nh | 9 0",
        name="group",
        constant=["group", "sex"],
    )
    by_sex = table(
        "period = 1\nsex\\work | job none\nM | 6 2\nF | 0 7\nperiod = 2\nsex\\work | job none\nM | 8 0\nF | 7 0",
        name="sex",
        constant=["group", "sex"],
    )
    _, history = ask(by_group, by_sex)
    assert_promise(history, RULES)


def test_a_table_asked_again_unchanged_is_printed_unchanged() -> None:
    """The same request on the same data gives the same figures and the same marks, and nothing new to know."""
    truth = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8\nX | 10 11 12")
    first, history = ask(truth)
    second, history = ask(again(truth, name="again"), after=history)
    assert_promise(history, RULES)
    assert draw(first.tables[0]) == draw(second.tables[0])


@EVERY_TREATMENT_OF_ZEROS
def test_a_table_asked_again_after_new_data_arrived(zeros: Zeros) -> None:
    """A correction moves one person: the two tables differ by that person alone."""
    rules = Rules(zeros=zeros)
    before = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8\nX | 10 11 12", data_date="2016-01-01")
    after = table("sex\\region | A B C\nM | 4 19 30\nF | 9 12 8\nX | 10 11 12", name="t2", data_date="2016-06-01")
    _, history = ask(before, rules=rules)
    second, history = ask(after, rules=rules, after=history)
    assert_promise(history, rules)
    assert shown_share(second) > 0


def test_a_correction_that_lifts_a_small_count_over_the_threshold() -> None:
    """The 3 becomes 6. Its old neighbour did not change: showing it now would give the 3 away."""
    before = table("region | A B C\npersons | 3 9 20", data_date="1")
    after = table("region | A B C\npersons | 6 9 20", name="t2", data_date="2")
    first, history = ask(before)
    second, history = ask(after, after=history)
    assert_promise(history, RULES)
    hidden = [code for code in "BC" if at(first.tables[0], region=code) == "C"]
    assert [at(second.tables[0], region=code) for code in hidden] == ["C"] * len(hidden)


def test_a_correction_that_lowers_a_count_under_the_threshold() -> None:
    """The 6 was shown; after the correction it is 3, and everything around it is known not to have changed."""
    before = table("sex\\region | A B C\nM | 6 20 30\nF | 9 12 8", data_date="1")
    after = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8", name="t2", data_date="2")
    _, history = ask(before)
    second, history = ask(after, after=history)
    assert_promise(history, RULES)
    assert at(second.tables[0], sex="M", region="A") == "C"


def test_next_years_population_is_another_one() -> None:
    """Last year's cohorts are other persons: their figures say nothing about this year's, and stay out of it."""
    last = table("region | A B C\npersons | 9 20 31", population="clients of 2016")
    this = table("region | A B C\npersons | 3 20 31", population="clients of 2017")
    _, history = ask(last)
    second, history = ask(this, after=history)
    assert_promise(history, RULES)
    assert at(second.tables[0]) == "54"


# ---- requests --------------------------------------------------------------------------------------------------------


@EVERY_TREATMENT_OF_ZEROS
def test_jointly_unsafe_requests(zeros: Zeros) -> None:
    """Each of two requests is safe alone and the two together are not: the later one has to look at the earlier."""
    rules = Rules(zeros=zeros)
    one = table("region\\sex | M F\nA | 3 9\nB | 20 30\nC | 8 12", name="one")
    other = table("region\\sex | M F\nA | 3 9\nB | 20 30\nC | 8 12", name="other")
    wider = table(
        """
        work = job
        region\\sex | M F
        A | 2 5
        B | 11 21
        C | 3 7
        work = none
        region\\sex | M F
        A | 1 4
        B | 9 9
        C | 5 5
        """,
        name="wider",
    )
    first, alone = ask(one, rules=rules)
    assert_promise(alone, rules)
    _, second_alone = ask(wider, rules=rules)
    assert_promise(second_alone, rules)
    second, history = ask(wider, rules=rules, after=alone)
    assert_promise(history, rules)
    third, history = ask(other, rules=rules, after=history)
    assert_promise(history, rules)
    assert draw(first.tables[0]) == draw(third.tables[0])
    assert shown_share(second) > 0.2


def test_safe_alone_and_unsafe_together_is_seen_as_unsafe() -> None:
    """The planted case: two patterns, each safe, whose union gives the 3 away. All opinions must say so."""
    truth = table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8\nX | 10 11 12")
    left = cover(truth, "sex\\region | _T A B C\n_T | . . . .\nM | . C C .\nF | . C C .\nX | . . . .")
    right = cover(again(truth, name="u"), "sex\\region | _T A B C\n_T | . . . .\nM | . C . C\nF | . C . C\nX | . . . .")
    for each in (left, right):
        assert not leaks_found_by_trying(Evidence((each,), (ONE_MARK,), (truth,)), RULES)
    joint = Evidence((left, right), (ONE_MARK, ONE_MARK), (truth, again(truth, name="u")))
    assert truth.spec.key("2009-Q2", ("M", "A")) in {leak.key for leak in leaks_found_by_trying(joint, RULES)}
    view = outsider.view(joint.printed, joint.marks)
    assert not attack(view.knowledge, view.reach(5)).passed


# ---- marks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zeros", [Zeros.SHOW, Zeros.SHOW_OR_SECONDARY])
def test_a_legend_with_two_marks(zeros: Zeros) -> None:
    """One mark says 'fewer than five', the other 'five or more': together with a total they can say which."""
    rules = Rules(mark=MarkMode.TWO, zeros=zeros)
    protection, history = ask(table("sex\\region | A B C\nM | 3 20 30\nF | 9 12 8\nX | 10 1 12"), rules=rules)
    assert_promise(history, rules)
    assert shown_share(protection) > 0


@pytest.mark.parametrize("zeros", list(Zeros))
@pytest.mark.parametrize("figures", ["1 9 30", "4 8 30", "1 1 30", "4 4 30", "0 4 9", "2 2 2", "0 0 3"])
def test_a_legend_with_two_marks_in_one_row(figures: str, zeros: Zeros) -> None:
    """A 4 beside an 8 with the total 12: C at most 4 and D at least 5 leave C = 4 - only if D cannot move up."""
    rules = Rules(mark=MarkMode.TWO, zeros=zeros)
    _, history = ask(table(f"region | A B C\npersons | {figures}"), rules=rules)
    assert_promise(history, rules)


def test_a_mark_that_says_too_much_is_seen() -> None:
    """The same pattern under one mark is safe, under two it gives the count away."""
    truth = table("region | A B C\npersons | 4 5 30")
    one = cover(truth, "region | _T A B C\npersons | . C C .")
    two = cover(truth, "region | _T A B C\npersons | . C D .")
    legend = (Mark("C", 0, 4), Mark("D", 5, None))
    assert not leaks_found_by_trying(Evidence((one,), (ONE_MARK,), (truth,)), RULES)
    assert brute_force.intervals([two], [legend])[truth.spec.key("2009-Q2", ("A",))] == (0, 4)
    tight = table("region | A B C\npersons | 1 5 30")
    covered = cover(tight, "region | _T A B C\npersons | . C D .")
    (leak,) = leaks_found_by_trying(Evidence((covered,), (legend,), (tight,)), Rules(mark=MarkMode.TWO))
    assert leak.interval == (0, 1)


# ---- planted wrong verdicts ------------------------------------------------------------------------------------------


def test_planted_four_by_four_is_exact_and_rejected() -> None:
    """Two hidden cells in every row and column, and every one of them exact."""
    truth = table("r\\k | w x y z\np | 0 3 20 30\nq | 12 2 4 40\ns | 15 16 4 0\nt | 3 17 18 2")
    pattern = cover(
        truth,
        """
        r\\k | _T w x y z
        _T   |  . . . . .
        p    |  . C C . .
        q    |  . . C C .
        s    |  . . . C C
        t    |  . C . . C
        """,
    )
    assert not opinions_agree(truth, pattern)
    leaks = leaks_found_by_trying(Evidence((pattern,), (ONE_MARK,), (truth,)), RULES)
    assert len(leaks) == 8
    assert all(leak.interval[1] is not None and leak.interval[1] < 5 for leak in leaks)


def test_planted_two_hidden_in_every_line_that_are_exact() -> None:
    """Zeros at a cell that would have to fall and at a cell that would have to rise: nothing can move at all."""
    truth = table("r\\k | w x y z\np | 0 0 20 30\nq | 12 2 4 40\ns | 15 16 4 3\nt | 3 17 18 2")
    pattern = cover(
        truth,
        """
        r\\k | _T w x y z
        _T   |  . . . . .
        p    |  . C C . .
        q    |  . . C C .
        s    |  . . . C C
        t    |  . C . . C
        """,
    )
    leaks = leaks_found_by_trying(Evidence((pattern,), (ONE_MARK,), (truth,)), RULES)
    assert len(leaks) == 8
    assert all(leak.exact for leak in leaks)
    assert not opinions_agree(truth, pattern)


def test_planted_ten_less_seven_is_rejected() -> None:
    """Each table is safe alone; the figure missing in the one stands in the other."""
    one = table("region\\sex | M F\nA | 7 3\nB | 20 30", name="one")
    other = table("sex\\region | A B\nM | 7 20\nF | 3 30", name="other")
    first = cover(one, "region\\sex | _T M F\n_T | . . .\nA | . C C\nB | . C C")
    second = cover(other, "sex\\region | _T A B\n_T | . . .\nM | . . .\nF | . C C")
    assert not leaks_found_by_trying(Evidence((first,), (ONE_MARK,), (one,)), RULES)
    joint = Evidence((first, second), (ONE_MARK,) * 2, (one, other))
    assert {leak.interval for leak in leaks_found_by_trying(joint, RULES)} == {(3, 3)}
    view = outsider.view(joint.printed, joint.marks)
    assert not attack(view.knowledge, view.reach(5)).passed


def test_planted_filtered_table_that_is_no_crossing() -> None:
    """Three tables of one population: of region B at most 3 can be without a job, and the engine sees it."""
    region = levels("region", _T="N S", N="A B", S="C D")
    one = table("work | job none leave\npersons | 8 2 1", name="one", filters=[(region, "B")])
    two = table("sex\\region | A B C D\nM | 1 0 1 2\nF | 1 3 1 4", variables=[region], filters=[(WORK, "none|leave")])
    three = table("sex\\work | job none leave\nM | 11 4 0\nF | 10 4 5", name="three")
    printed = [
        cover(one, "work | _T job none leave\npersons | . C C C"),
        cover(two, "sex\\region | _T N A B S C D\n_T|C C C C . C C\nM|C C C . C C C\nF|. C C C C C C"),
        cover(three, "sex\\work | _T job none leave\n_T | . C . C\nM | . C C .\nF | . . C C"),
    ]
    legend = (Mark("C", 1, None),)
    knowledge, registry = outside_view([(printed, legend)])
    cell = int(registry.ids(0)[Place({"work": "none"}).index(one.spec)])
    assert brute_force.intervals(printed, [legend] * 3)[one.spec.key("2009-Q2", ("none",))] == (1, 3)
    assert intervals(knowledge, [cell]).tolist() == [[1, 3]]


@pytest.mark.parametrize("seed", range(40))
def test_primary_suppression_alone_is_rejected(seed: int) -> None:
    """Hide only what is small: both attackers find the same intervals, and reject the same patterns."""
    chance = random.Random(seed)
    rows, columns = chance.choice(((2, 2), (2, 3), (3, 3), (3, 4)))
    figures = [[chance.choice((0, 0, 1, 2, 3, 4, 6, 9)) for _ in range(columns)] for _ in range(rows)]
    body = "\n".join(f"r{i} | " + " ".join(map(str, line)) for i, line in enumerate(figures))
    truth = table("r\\k | " + " ".join("wxyz"[:columns]) + "\n" + body)
    pattern = hide(truth, small(truth))
    safe = opinions_agree(truth, pattern)
    alone = [line for line in figures if sum(0 < value < 5 for value in line) == 1]
    if alone and all(sum(line) >= 5 for line in alone):
        assert not safe


@pytest.mark.parametrize("seed", range(40))
def test_random_patterns_are_judged_alike(seed: int) -> None:
    """Any pattern at all, levels and zeros included: both attackers find the same."""
    chance = random.Random(seed)
    area = levels("area", _T="N S", N="a b", S="c d")
    body = "\n".join(f"{row} | " + " ".join(str(chance.choice((0, 1, 3, 6, 9))) for _ in "abcd") for row in "pq")
    truth = table("r\\area | a b c d\n" + body, variables=[area])
    noise = np.array([chance.random() < 0.3 for _ in range(truth.values.size)]).reshape(truth.values.shape)
    opinions_agree(truth, hide(truth, small(truth) | noise))
