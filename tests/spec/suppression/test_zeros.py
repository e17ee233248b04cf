"""Chapter: what is hidden. Section: zeros. The policy says which of four treatments they get."""

from enclave.sdc.safety_rules import Rules, Zeros
from tests.lib.safety import ask, assert_promise
from tests.lib.tables import at, draw, table, tidy

WITH_ZEROS = """
    sex\\work | job none leave
    M         |  20    0     7
    F         |   0   30     9
    """


def test_zeros_are_shown() -> None:
    """`show`: every zero is printed, always. A hidden cell then holds somebody, and the legend says so."""
    rules = Rules(zeros=Zeros.SHOW)
    protection, history = ask(table(WITH_ZEROS), rules=rules)
    assert_promise(history, rules)
    assert draw(protection.tables[0]) == tidy(
        """
        sex\\work | _T job none leave
        _T        | 66  20   30    16
        M         | 27  20    0     7
        F         | 39   0   30     9
        """
    )
    assert protection.marks[0].minimum == 1


def test_zeros_are_shown_or_hidden_to_protect() -> None:
    """`show_or_secondary`, the default: a zero is no secret, but it may be hidden where that protects a small count.
    A mark can then stand for nobody at all, and the legend says so.
    """
    rules = Rules(zeros=Zeros.SHOW_OR_SECONDARY)
    truth = table(
        """
        sex\\work | job none
        M         |   3    0
        F         |   0    4
        """
    )
    protection, history = ask(truth, rules=rules)
    assert_promise(history, rules)
    assert protection.marks[0].minimum == 0
    plain, _ = ask(table(WITH_ZEROS), rules=rules)
    assert at(plain.tables[0], sex="M", work="none") == "0"


def test_zeros_are_hidden() -> None:
    """`hide`: nobody is fewer than five too. Every zero is hidden like a small count."""
    rules = Rules(zeros=Zeros.HIDE)
    protection, history = ask(table(WITH_ZEROS), rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0], sex="M", work="none") == at(protection.tables[0], sex="F", work="job") == "C"


def test_only_impossible_zeros_are_shown() -> None:
    """`structural`: a zero is hidden like a small count, unless the combination cannot exist. Such a zero is no secret
    and is printed with a sign of its own (Z). It can protect nothing, since everybody knows what it is.
    """
    rules = Rules(zeros=Zeros.STRUCTURAL, structural=frozenset({frozenset({("sex", "M"), ("work", "leave")})}))
    truth = table(
        """
        sex\\work | job none leave
        M         |  20   14     0
        F         |   0   30     9
        X         |  12    8     7
        """
    )
    protection, history = ask(truth, rules=rules)
    assert_promise(history, rules)
    assert at(protection.tables[0], sex="M", work="leave") == "Z"
    assert at(protection.tables[0], sex="F", work="job") == "C"


def test_a_table_of_zeros() -> None:
    """Where zeros are shown, a table of nobody is printed as zeros; where they are hidden, as marks."""
    truth = table("region | A B\npersons | 0 0")
    shown, _ = ask(truth, rules=Rules(zeros=Zeros.SHOW))
    assert draw(shown.tables[0]) == tidy("region | _T A B\npersons | 0 0 0")
    hidden, _ = ask(truth, rules=Rules(zeros=Zeros.HIDE))
    assert draw(hidden.tables[0]) == tidy("region | _T A B\npersons | C C C")


def test_a_zero_total_gives_its_parts_away() -> None:
    """Nobody in the row means nobody in any of its cells: such zeros cannot hide the column's small count."""
    rules = Rules()
    truth = table(
        """
        sex\\region | A  B  C
        M           | 0  0  0
        F           | 3 20 30
        X           | 9  8  7
        """
    )
    _, history = ask(truth, rules=rules)
    assert_promise(history, rules)
