"""Chapter: what is hidden. Section: totals and levels."""

from enclave.sdc.safety_rules import Rules
from enclave.sdc.table import Variable
from tests.lib.safety import ask, assert_promise
from tests.lib.tables import at, draw, hierarchy, levels, table, tidy

RULES = Rules()


def test_levels_are_printed_with_their_parts() -> None:
    """A variable with levels is printed with every level: the total, provinces, municipalities."""
    area = levels("area", _T="north south", north="a b", south="c d")
    protection, _ = ask(table("area | a b c d\npersons | 5 6 7 8", variables=[area]))
    assert draw(protection.tables[0]) == tidy("area | _T north a b south c d\npersons | 26 11 5 6 15 7 8")


def test_a_level_with_one_part_prints_it_twice() -> None:
    """A province with one municipality shows the same figure under two names. Hidden once, it is hidden twice."""
    area = levels("area", _T="north south", north="a", south="c d")
    protection, history = ask(table("area | a c d\npersons | 3 20 30", variables=[area]))
    assert_promise(history, RULES)
    assert at(protection.tables[0], area="north") == at(protection.tables[0], area="a") == "C"


def test_a_small_part_of_a_small_whole() -> None:
    """A small province: its municipalities are hidden, the province is hidden, and a neighbour at the province's level
    is hidden with it.
    """
    area = levels("area", _T="north south west", north="a b", south="c d", west="e f")
    protection, history = ask(table("area | a b c d e f\npersons | 1 2 20 30 15 9", variables=[area]))
    assert_promise(history, RULES)
    (printed,) = protection.tables
    assert {at(printed, area=code) for code in ("a", "b", "north")} == {"C"}
    assert "C" in {at(printed, area=code) for code in ("south", "west", "_T")}


def test_two_sets_of_classes_that_cross() -> None:
    """Ages in classes of the school and in classes of the labour market: their differences are thin slices, and a slice
    of fewer than five is protected though neither set of classes names it.
    """
    age = Variable(
        "age",
        (
            hierarchy(_T="young old", young="y17 y18", old="y19 y20"),
            hierarchy(_T="pupil adult", pupil="y17", adult="y18 y19 y20"),
        ),
    )
    protection, history = ask(table("age | y17 y18 y19 y20\npersons | 12 3 9 20", variables=[age]))
    assert_promise(history, RULES)
    assert at(protection.tables[0], age="y18") == "C"
    assert {at(protection.tables[0], age=code) for code in ("young", "y17")} & {"C"}
