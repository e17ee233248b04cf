"""Chapter: what is hidden. Section: tables that share cells, and periods that share persons."""

from enclave.sdc.safety_rules import Rules
from tests.lib.safety import ask, assert_promise
from tests.lib.tables import at, draw, table, tidy

RULES = Rules()


def test_a_margin_in_two_tables_is_one_cell() -> None:
    """Region is a margin of both tables. Its small count is hidden in both, and so is what protects it."""
    by_sex = table(
        """
        region\\sex | M  F
        A           | 2  1
        B           | 20 30
        C           | 14  9
        """,
        name="by_sex",
    )
    by_age = table(
        """
        region\\age | young old
        A           |     3   0
        B           |    25  25
        C           |    12  11
        """,
        name="by_age",
    )
    protection, history = ask(by_sex, by_age)
    assert_promise(history, RULES)
    first, second = protection.tables
    for region in ("_T", "A", "B", "C"):
        assert at(first, region=region) == at(second, region=region)
    assert at(first, region="A") == "C"


def test_a_figure_missing_here_and_printed_there() -> None:
    """10 - 7 = 3: the second table prints the 7 that the first would hide beside the 3. Both tables are protected
    together, so that it is hidden in both or another way is found.
    """
    one = table(
        """
        region\\sex |  M  F
        A           |  7  3
        B           | 20 30
        """,
        name="one",
    )
    other = table(
        """
        sex\\region | A  B
        M           | 7 20
        F           | 3 30
        """,
        name="other",
    )
    protection, history = ask(one, other)
    assert_promise(history, RULES)
    first, second = protection.tables
    assert at(first, sex="M", region="A") == at(second, sex="M", region="A")


def test_tables_that_share_nothing_do_not_hinder_each_other() -> None:
    """Another population is other persons: a hidden cell in the one table costs nothing in the other."""
    small = table("region | A B C\npersons | 3 20 30", name="small", population="clients of 2016")
    large = table("region | A B C\npersons | 8 20 30", name="large", population="clients of 2017")
    protection, history = ask(small, large)
    assert_promise(history, RULES)
    assert draw(protection.tables[1]) == tidy("region | _T A B C\npersons | 58 8 20 30")


def test_what_does_not_change_is_one_cell_in_all_periods() -> None:
    """Nobody changes group. The group's size is printed under each quarter and is the same figure: hidden once, it is
    hidden in all quarters.
    """
    truth = table(
        """
        period = 2009-Q2
        group\\work | job none
        G1          |   1    2
        G2          |  20   30
        G3          |   8   12
        period = 2009-Q3
        group\\work | job none
        G1          |   3    0
        G2          |  25   25
        G3          |  13    7
        """,
        constant=["group"],
    )
    protection, history = ask(truth)
    assert_promise(history, RULES)
    (printed,) = protection.tables
    for group in ("_T", "G1", "G2", "G3"):
        assert at(printed, group=group) == at(printed, group=group, period="2009-Q3")
    assert at(printed, group="G1") == "C"


def test_what_can_change_is_another_cell_in_each_period() -> None:
    """Region can change from one quarter to the next. Its totals are figures of their own in each quarter."""
    truth = table(
        """
        period = 2009-Q2
        region  | A  B  C
        persons | 3 20 30
        period = 2009-Q3
        region  | A  B  C
        persons | 9 20 30
        """
    )
    protection, history = ask(truth)
    assert_promise(history, RULES)
    (printed,) = protection.tables
    assert at(printed, region="A") == "C"
    assert at(printed, region="A", period="2009-Q3") == "9"
