"""Chapter: what is hidden. Section: what a mark says."""

from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.table import Mark
from tests.lib.safety import ask, assert_promise
from tests.lib.tables import at, table

TRUTH = """
    sex\\region |  A  B  C
    M           |  3 20 30
    F           |  9 12  8
    X           | 10 11 25
    """


def test_one_mark_for_all() -> None:
    """By default one mark stands for "fewer than five, or withheld so that such a number cannot be derived". Of no
    hidden cell can anybody show that it is below five, so nobody can tell which ones are the small counts.
    """
    rules = Rules(mark=MarkMode.ONE)
    protection, history = ask(table(TRUTH), rules=rules)
    assert_promise(history, rules)
    assert protection.marks == (Mark("C", 0, None),)


def test_one_mark_where_every_zero_is_shown() -> None:
    """A reader who sees every zero knows that a mark stands for somebody: the legend says at least one, and the
    protection reckons with it.
    """
    rules = Rules(zeros=Zeros.SHOW)
    protection, history = ask(table(TRUTH), rules=rules)
    assert_promise(history, rules)
    assert protection.marks == (Mark("C", 1, None),)


def test_two_marks() -> None:
    """Where a policy insists, C stands for a small count and D for a cell hidden to protect one. C then says "fewer
    than five", and no more than that can be worked out: the cell could be any number that its mark allows.
    """
    rules = Rules(mark=MarkMode.TWO)
    protection, history = ask(table(TRUTH), rules=rules)
    assert_promise(history, rules)
    assert protection.marks == (Mark("C", 0, 4), Mark("D", 5, None))
    assert at(protection.tables[0], sex="M", region="A") == "C"
    assert "D" in protection.tables[0].marks
