"""Chapter: what is hidden. Section: sums, whose primary cells must stay uncertain by an interval."""

import numpy as np

from enclave.sdc.history import History, Released
from enclave.sdc.safety_rules import Zeros
from enclave.sdc.table import Bools, Mark, Table
from tests.lib.sums import EXACT, ask_sums, assert_sums_safe, bounds_of, fewest, leaks
from tests.lib.tables import at, cover, hide, levels, table


def only(of: Table, *cells: dict[str, str]) -> Bools:
    """Mark these cells as primary."""
    found = np.zeros(of.spec.shape, dtype=np.bool_)
    for where in cells:
        found[(0, *(v.codes.index(where.get(v.id, "_T")) for v in of.spec.dimensions))] = True
    return found


def test_a_primary_cell_may_lie_ten_percent_off() -> None:
    given = table(
        """
        act\\size |  1   2   3
        A         | 30  10  12
        B         | 11  20  14
        C         | 15  16  17
        """
    )
    asked = ask_sums(given, primary=[only(given, {"act": "A", "size": "1"})])
    assert_sums_safe(asked)
    ((_, bounds),) = [(key, found) for key, found in bounds_of(asked).items() if key in asked.primary_keys]
    low, high = bounds
    assert low <= 27
    assert high is None or high >= 33
    assert asked.secondary == fewest(asked) == 3


def test_a_need_is_rounded_to_the_safe_side() -> None:
    """Ten percent of 11 is 1.1: the cell must be able to be 13, and 9."""
    given = table(
        """
        act\\size |  1   2
        A         | 11   1
        B         |  1  50
        """
    )
    asked = ask_sums(given, primary=[only(given, {"act": "A", "size": "1"})])
    assert_sums_safe(asked)
    (bounds,) = [found for key, found in bounds_of(asked).items() if key in asked.primary_keys]
    assert bounds[0] <= 9
    assert bounds[1] is None or bounds[1] >= 13


def test_four_by_four_with_two_hidden_in_every_line_that_is_still_exact() -> None:
    """Two cells are hidden in every row and in every column, in two blocks of two; but one block holds nothing beside
    its diagonal, so that all of it follows: its cells cannot fall below zero.
    """
    given = table(
        """
        r\\c |  1  2  3  4
        A    |  7  0  5  5
        B    |  0  0  5  5
        C    |  5  5  6  6
        D    |  5  5  6  6
        """
    )
    pattern = cover(
        given,
        """
        r\\c | _T  1  2  3  4
        _T   |  -  -  -  -  -
        A    |  -  C  C  -  -
        B    |  -  C  C  -  -
        C    |  -  -  -  C  C
        D    |  -  -  -  C  C
        """,
    )
    asked = ask_sums(given, primary=[only(given, {"r": "A", "c": "1"})], need=EXACT)
    assert leaks([pattern], (Mark("C", 0, None),), asked) == list(asked.primary_keys)
    assert_sums_safe(asked)


def test_ten_less_seven_in_linked_tables() -> None:
    """The total of B is 10 in one table; a 7 that another prints gives the 3 away unless both are seen together."""
    one = table(
        """
        act\\size |  1   2
        B         |  3   7
        C         | 20  30
        """,
        name="one",
    )
    other = table(
        """
        size\\cj |  x   y
        1        | 13  10
        2        | 17  20
        """,
        name="other",
    )
    asked = ask_sums(one, other, primary=[only(one, {"act": "B", "size": "1"}), only(other)])
    assert_sums_safe(asked)
    first, second = asked.protection.tables
    for size in ("1", "2"):
        assert at(first, size=size) == at(second, size=size)


def test_a_level_with_one_child_is_hidden_with_it() -> None:
    area = levels("area", _T="N S", N="n", S="s1 s2")
    given = table(
        """
        area\\sex |  M   F
        n         |  9  20
        s1        | 15  16
        s2        | 14  13
        """,
        variables=[area],
    )
    asked = ask_sums(given, primary=[only(given, {"area": "n", "sex": "M"})])
    assert_sums_safe(asked)
    (printed,) = asked.protection.tables
    assert at(printed, area="n", sex="M") == at(printed, area="N", sex="M") == "C"


def test_an_empty_level_protects_nothing() -> None:
    area = levels("area", _T="N S", N="n1 n2", S="s1 s2")
    given = table(
        """
        area\\sex |  M   F
        n1        |  9   0
        n2        |  0   0
        s1        | 15  16
        s2        | 14  13
        """,
        variables=[area],
    )
    for zeros in (Zeros.SHOW, Zeros.SHOW_OR_SECONDARY):
        asked = ask_sums(given, primary=[only(given, {"area": "n1", "sex": "M"})], zeros=zeros)
        assert_sums_safe(asked)
        if zeros is Zeros.SHOW:
            (printed,) = asked.protection.tables
            assert printed.shown[given.values == 0].all()


def test_a_row_with_one_cell_takes_its_total_along() -> None:
    given = table(
        """
        act\\size |  1   2
        A         |  8   0
        B         | 20  30
        C         | 15  25
        """
    )
    asked = ask_sums(given, primary=[only(given, {"act": "A", "size": "1"})], zeros=Zeros.SHOW)
    assert_sums_safe(asked)
    assert at(asked.protection.tables[0], act="A") == "C"


def test_zeros_that_count_as_primary_are_not_known_to_be_zero() -> None:
    given = table(
        """
        act\\size |  1   2
        A         |  8   0
        B         | 20  30
        """
    )
    asked = ask_sums(given, primary=[only(given)], zeros=Zeros.HIDE)
    assert at(asked.protection.tables[0], act="A", size="2") == "C"
    ask = ask_sums(given, primary=[only(given, {"act": "A", "size": "2"})])
    assert_sums_safe(ask)


def test_without_work_everything_connected_is_hidden() -> None:
    given = table(
        """
        act\\size |  1   2
        A         |  8   5
        B         | 20  30
        """
    )
    asked = ask_sums(given, primary=[only(given, {"act": "A", "size": "1"})], work=0)
    assert_sums_safe(asked)
    assert asked.protection.fallback
    assert not asked.protection.tables[0].shown.any()


def test_what_was_shown_before_cannot_be_protected_and_the_verdict_says_so() -> None:
    given = table(
        """
        act\\size |  1   2
        A         |  8   5
        B         | 20  30
        """
    )
    nothing = hide(given, np.zeros(given.spec.shape, dtype=np.bool_))
    before = History((Released(given, nothing, (Mark("C", 0, None),)),))
    asked = ask_sums(given, primary=[only(given, {"act": "A", "size": "1"})], history=before)
    assert not asked.protection.verdict.passed
    assert len(asked.protection.verdict.unproven) == 1


def test_what_was_hidden_before_stays_hidden() -> None:
    given = table(
        """
        act\\size |  1   2   3
        A         |  8   9   7
        B         | 20  30  25
        C         | 12  14  16
        """
    )
    first = ask_sums(given, primary=[only(given, {"act": "A", "size": "1"})])
    before = History(first.protection.released())
    second = ask_sums(given, primary=[only(given)], history=before)
    assert np.array_equal(second.protection.tables[0].marks, first.protection.tables[0].marks)
