"""Chapter: what is hidden. Section: small counts, and what is hidden beside them."""

from enclave.sdc.safety_rules import Rules
from tests.lib.safety import ask, assert_promise, shown_share
from tests.lib.tables import at, draw, table, tidy


def test_counts_of_five_and_more_are_shown() -> None:
    """Where no count is below five, the table is printed as it is, with its totals."""
    truth = table(
        """
        sex\\region |  A  B
        M           | 12  5
        F           |  7 30
        """
    )
    protection, _ = ask(truth)
    assert draw(protection.tables[0]) == tidy(
        """
        sex\\region | _T  A  B
        _T          | 54 19 35
        M           | 17 12  5
        F           | 37  7 30
        """
    )


def test_small_counts_that_protect_each_other() -> None:
    """Counts of one to four are hidden. Six cells of two, and the total of twelve leaves room for any of them: each
    could be five or more for all that a reader knows, so that nothing else needs to be hidden.
    """
    truth = table(
        """
        sex\\region | A B C
        M           | 2 2 2
        F           | 2 2 2
        """
    )
    protection, history = ask(truth)
    assert_promise(history, Rules())
    assert at(protection.tables[0]) == "12"
    assert {at(protection.tables[0], sex=s, region=r) for s in "MF" for r in "ABC"} == {"C"}


def test_a_small_count_needs_company() -> None:
    """The total less the other regions would give the count away, so that at least one more cell is hidden. Readers
    cannot tell which of them is the small one: both carry the same mark.
    """
    truth = table("region | A B C\npersons | 3 20 30")
    protection, history = ask(truth)
    assert_promise(history, Rules())
    (printed,) = protection.tables
    assert at(printed, region="A") == "C"
    assert (printed.marks == "C").sum() == 2


def test_company_has_to_be_large_enough() -> None:
    """1 + 1 = 2: two hidden cells whose sum can be worked out to be two are both known to be small. A third, larger
    cell is hidden with them.
    """
    truth = table("region | A B C D\npersons | 1 1 9 20")
    protection, history = ask(truth)
    assert_promise(history, Rules())
    assert draw(protection.tables[0]) == tidy("region | _T A B C D\npersons | 31 C C C 20")


def test_so_few_persons_that_nothing_can_be_shown() -> None:
    """Where the total itself is below five the whole table is printed as marks. It is not refused: a refusal would
    say what the marks do not.
    """
    protection, history = ask(table("region | A B C\npersons | 1 2 1"))
    assert_promise(history, Rules())
    assert draw(protection.tables[0]) == tidy("region | _T A B C\npersons | C C C C")


def test_hiding_is_joint_over_rows_and_columns() -> None:
    """In a table with two ways to subtract, a hidden cell needs company in its row and in its column, and its company
    needs company too.
    """
    truth = table(
        """
        sex\\region |  A  B  C
        M           |  3 20 30
        F           |  9 12  8
        X           | 10 11 25
        """
    )
    protection, history = ask(truth)
    assert_promise(history, Rules())
    assert at(protection.tables[0]) == "128"
    assert shown_share(protection) >= 0.6


def test_a_higher_threshold_hides_more() -> None:
    """The threshold is the policy's; five is the least that the house allows."""
    truth = table("region | A B C\npersons | 8 20 30")
    usual, _ = ask(truth)
    assert draw(usual.tables[0]) == tidy("region | _T A B C\npersons | 58 8 20 30")
    strict = Rules(minimum_frequency=10)
    protection, history = ask(truth, rules=strict)
    assert_promise(history, strict)
    assert at(protection.tables[0], region="A") == "C"
