"""Chapter: what is hidden. Section: everything released before."""

from enclave.sdc.safety_rules import Rules
from enclave.sdc.table import Variable
from tests.lib.safety import ask, assert_promise
from tests.lib.tables import again, at, draw, table, tidy

RULES = Rules()
REGION = Variable.flat("region", ("A", "B", "C"))


def test_the_same_request_gives_the_same_table() -> None:
    """What was hidden stays hidden, and what was shown stays shown."""
    truth = table("region | A B C\npersons | 3 20 30")
    first, history = ask(truth)
    second, history = ask(again(truth, name="again"), after=history)
    assert_promise(history, RULES)
    assert draw(first.tables[0]) == draw(second.tables[0])


def test_all_and_all_but_one() -> None:
    """Everybody was published. A table of everybody but region C is, by subtraction, a table of region C: it is
    protected as if that were asked.
    """
    everybody = table("work | job none leave\npersons | 30 22 16", name="all")
    most = table("work | job none leave\npersons | 27 12 9", name="most", filters=[(REGION, "A|B")])
    rest = table("work | job none leave\npersons | 3 10 7", name="rest", filters=[(REGION, "C")])
    first, history = ask(everybody)
    assert draw(first.tables[0]) == tidy("work | _T job none leave\npersons | 68 30 22 16")
    second, history = ask(most, after=history)
    assert_promise(history, RULES, also=[rest])
    assert at(second.tables[0], work="job") == "C"


def test_a_selection_that_leaves_out_fewer_than_five() -> None:
    """Everybody but three persons: any figure would, by subtraction, be a figure of those three. The table is printed
    as marks. It is not refused.
    """
    _, history = ask(table("work | job none\npersons | 30 22", name="all"))
    most = table("work | job none\npersons | 28 21", name="most", filters=[(REGION, "A|B")])
    protection, history = ask(most, after=history)
    assert_promise(history, RULES, also=[table("work | job none\npersons | 2 1", name="r", filters=[(REGION, "C")])])
    assert draw(protection.tables[0]) == tidy("work | _T job none\npersons | C C C")


def test_a_selection_of_fewer_than_five() -> None:
    """Three persons are chosen: a table of marks, not a refusal."""
    _, history = ask(table("work | job none\npersons | 30 22", name="all"))
    few = table("work | job none\npersons | 2 1", name="few", filters=[(REGION, "C")])
    protection, history = ask(few, after=history)
    assert_promise(history, RULES)
    assert draw(protection.tables[0]) == tidy("work | _T job none\npersons | C C C")


def test_a_correction_of_the_data() -> None:
    """New data correct one region. Readers may know that the others did not change: a figure hidden before, that did
    not change, stays hidden, since showing it now would show it then.
    """
    before = table("region | A B C\npersons | 3 9 20", data_date="2016-01-01")
    after = table("region | A B C\npersons | 6 9 20", name="t2", data_date="2016-06-01")
    first, history = ask(before)
    second, history = ask(after, after=history)
    assert_promise(history, RULES)
    for region in ("B", "C"):
        if at(first.tables[0], region=region) == "C":
            assert at(second.tables[0], region=region) == "C"


def test_another_years_population_is_no_correction() -> None:
    """Next year's clients are other persons. Their tables are protected on their own, and can show what last year's
    could not.
    """
    _, history = ask(table("region | A B C\npersons | 3 20 30", population="clients of 2016"))
    protection, history = ask(table("region | A B C\npersons | 8 20 30", population="clients of 2017"), after=history)
    assert_promise(history, RULES)
    assert draw(protection.tables[0]) == tidy("region | _T A B C\npersons | 58 8 20 30")
