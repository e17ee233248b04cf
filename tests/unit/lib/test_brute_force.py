"""The third opinion is itself checked, against plain counting: every combination of small numbers is tried."""

import random

import numpy as np
import pytest

from enclave.sdc.attacker import intervals
from enclave.sdc.table import NO_UPPER, CellKey, Mark, Variable
from tests.lib import brute_force, outsider
from tests.lib.brute_force import Contradiction, Interval, Puzzle, TooLarge, every_table, set_up
from tests.lib.tables import ONE_MARK, cover, hide, hierarchy, levels, small, table


def counted(puzzle: Puzzle, most: int) -> list[tuple[int, ...]]:
    """Return every settling with unknowns up to `most`, found without any thought."""
    guesses = np.indices((most + 1,) * puzzle.size).reshape(puzzle.size, -1).T
    fits = np.ones(len(guesses), dtype=np.bool_)
    for line in puzzle.lines:
        total = sum(sign * guesses[:, i] for i, sign in line.terms)
        fits &= (line.low <= total) & (total <= line.high)
    return [tuple(guess) for guess in guesses[fits].tolist()]


def seen(puzzle: Puzzle, tables: list[tuple[int, ...]]) -> dict[CellKey, Interval]:
    sums = {key: [sum(t[i] for i in cell) for t in tables] for key, cell in puzzle.hidden.items()}
    return {key: (min(values), max(values)) for key, values in sums.items()}


@pytest.mark.parametrize("seed", range(25))
def test_it_finds_what_plain_counting_finds(seed: int) -> None:
    chance = random.Random(seed)
    a, b, c, d, e, f = (chance.choice((0, 0, 1, 1, 3)) for _ in range(6))
    truth = table(f"r\\k | x y z\np | {min(a, 1)} {b} {min(c, 1)}\nq | {min(d, 1)} {min(e, 1)} {min(f, 1)}")
    hidden = truth.values < chance.choice((2, 3))
    hidden[0, 0, 0] = False
    printed = [hide(truth, hidden)]
    puzzle = set_up(printed, [ONE_MARK])
    plain = counted(puzzle, int(truth.values[0, 0, 0]))
    assert sorted(every_table(puzzle)) == sorted(plain)
    assert brute_force.intervals(printed, [ONE_MARK]) == seen(puzzle, plain)


@pytest.mark.parametrize("seed", range(25))
def test_it_agrees_with_integer_programming_on_the_same_lines(seed: int) -> None:
    chance = random.Random(seed)
    area = levels("area", _T="n s", n="a b", s="c d")
    figures = [" ".join(str(chance.choice((0, 0, 1, 3, 7))) for _ in "abcd") for _ in range(3)]
    rows = [f"{row} | {line}" for row, line in zip("pqr", figures, strict=True)]
    truth = table("\n".join(["r\\area | a b c d", *rows]), variables=[area])
    printed = [hide(truth, small(truth))]
    view = outsider.view(printed, [ONE_MARK])
    found = intervals(view.knowledge, list(view.cells.values()))
    expected = brute_force.intervals(printed, [ONE_MARK])
    for key, (low, high) in zip(view.cells, found.tolist(), strict=True):
        least, greatest = expected[key]
        assert (low, min(high, brute_force.CEILING)) == (least, brute_force.CEILING if greatest is None else greatest)


def test_a_hole_in_a_row_is_filled_by_subtraction() -> None:
    truth = table("region | A B C\npersons | 3 9 20")
    assert list(brute_force.intervals([cover(truth, "region | _T A B C\npersons | . C . .")], [ONE_MARK]).values()) == [
        (3, 3)
    ]


def test_a_cell_that_nothing_bounds_has_no_greatest_value() -> None:
    truth = table("region | A B\npersons | 3 9")
    found = brute_force.intervals([cover(truth, "region | _T A B\npersons | C C .")], [ONE_MARK])
    assert list(found.values()) == [(9, None), (0, None)]


def test_marks_bound_what_they_hide() -> None:
    truth = table("region | A B\npersons | 3 9")
    two = (Mark("C", 1, 4), Mark("D", 5, None))
    found = brute_force.intervals([cover(truth, "region | _T A B\npersons | . C D")], [two])
    assert list(found.values()) == [(1, 4), (8, 11)]


def test_two_tables_are_taken_together() -> None:
    one = table("sex\\region | A B\nM | 2 9\nF | 8 2", name="one")
    other = table("region\\age | y o\nA | 5 5\nB | 2 9", name="other")
    drawn = cover(one, "sex\\region | _T A B\n_T | . . C\nM | . C C\nF | . C C")
    found = brute_force.intervals(
        [drawn, cover(other, "region\\age | _T y o\n_T|. . .\nA|. . .\nB|. C .")], [ONE_MARK] * 2
    )
    assert found[one.spec.key("2009-Q2", ("_T", "B"))] == (11, 11)


def test_what_does_not_change_ties_the_periods() -> None:
    picture = "period = Q1\nsex\\work | y n\nM | 2 9\nF | 8 9\nperiod = Q2\nsex\\work | y n\nM | 11 0\nF | 8 9"
    marks = "period = Q1\nsex\\work | _T y n\n_T | . . .\nM | C C .\nF | C . C\nperiod = Q2\n"
    marks += "sex\\work | _T y n\n_T | . . .\nM | . . .\nF | . . ."
    tied = table(picture, constant=["sex"])
    free = table(picture)
    assert (2, 2) in brute_force.intervals([cover(tied, marks)], [ONE_MARK]).values()
    assert (2, 2) not in brute_force.intervals(
        [cover(free, marks.replace("F | C . C", "F | C C C"))], [ONE_MARK]
    ).values()


def test_cells_known_to_be_equal_are_equal() -> None:
    old = table("region | A B\npersons | 3 9", data_date="1")
    new = table("region | A B\npersons | 3 30", data_date="2")
    printed = [cover(old, "region | _T A B\npersons | . C C"), cover(new, "region | _T A B\npersons | . C .")]
    a_old, a_new = (t.spec.key("2009-Q2", ("A",)) for t in (old, new))
    assert brute_force.intervals(printed, [ONE_MARK] * 2)[a_old] == (0, 12)
    assert brute_force.intervals(printed, [ONE_MARK] * 2, [(a_old, a_new)])[a_old] == (3, 3)


def test_what_cannot_exist_is_zero() -> None:
    truth = table("sex\\region | A B\nM | 0 9\nF | 6 2")
    printed = [cover(truth, "sex\\region | _T A B\n_T | . . .\nM | . C C\nF | . C C")]
    impossible = frozenset({frozenset({("sex", "M"), ("region", "A")})})
    assert set(brute_force.intervals(printed, [ONE_MARK], (), impossible).values()) == {(0, 0), (9, 9), (6, 6), (2, 2)}


def test_filters_are_groups_of_inner_cells() -> None:
    region = Variable.flat("region", "ABC")
    all_of_them = table("sex | M F\npersons | 20 12")
    most = table("sex | M F\npersons | 18 6", name="most", filters=[(region, "A|B")])
    rest = hide(table("sex | M F\npersons | 2 6", name="rest", filters=[(region, "C")]), small(most) | True)
    printed = [hide(t, t.values < 0) for t in (all_of_them, most)]
    found = brute_force.intervals([*printed, rest], [ONE_MARK] * 3)
    assert sorted(found.values()) == [(2, 2), (6, 6), (8, 8)]


def test_a_second_hierarchy_is_used() -> None:
    age = Variable(
        "age", (hierarchy(_T="young old", young="a b", old="c"), hierarchy(_T="early late", early="a", late="b c"))
    )
    truth = table("age | a b c\npersons | 9 2 9", variables=[age])
    printed = [cover(truth, "age | _T young a b old c early late\npersons | . C C C . . . .")]
    assert brute_force.intervals(printed, [ONE_MARK])[truth.spec.key("2009-Q2", ("b",))] == (2, 2)


def test_a_contradiction_is_said() -> None:
    truth = table("region | A B\npersons | 3 9")
    with pytest.raises(Contradiction):
        brute_force.intervals([cover(truth, "region | _T A B\npersons | . C C")], [(Mark("C", 0, 4),)])


def test_a_search_that_takes_too_long_gives_up_instead_of_answering() -> None:
    truth = table("r\\k | x y z\np | 5 3 1\nq | 2 4 6\ns | 2 2 2")
    with pytest.raises(TooLarge):
        brute_force.intervals([hide(truth, small(truth))], [ONE_MARK], budget=3)


def test_one_name_for_two_variables_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves"):
        set_up([hide(t, small(t)) for t in (table("v | a b\np | 1 2"), table("v | a c\np | 1 2"))], [ONE_MARK] * 2)


def test_nothing_is_bounded_by_the_ceiling_alone() -> None:
    assert brute_force.UNBOUNDED < NO_UPPER
