"""The oracle itself, on a table small enough to count by eye."""

from enclave.sdc.table import Hierarchy, TableSpec, Variable
from enclave.tabulation.reference import count_plainly

POSITION = Variable("position", (Hierarchy((("1", ""), ("11", "1"), ("12", "1"), ("2", ""))),))
SEX = Variable.flat("sex", ("M", "F"))
ROWS = [
    {"period": "2009-Q2", "person": "1", "sex": "M", "position": "11"},
    {"period": "2009-Q2", "person": "1", "sex": "M", "position": "11"},
    {"period": "2009-Q2", "person": "2", "sex": "M", "position": "12"},
    {"period": "2009-Q2", "person": "3", "sex": "F", "position": "2"},
    {"period": "2009-Q3", "person": "1", "sex": "M", "position": "2"},
]


def test_each_person_counts_once_in_each_cell_and_margin() -> None:
    counted = count_plainly(TableSpec("t", (POSITION,), ("2009-Q2",), "clients"), iter(ROWS))
    assert counted == {
        ("2009-Q2", "_T"): 3,
        ("2009-Q2", "1"): 2,
        ("2009-Q2", "11"): 1,
        ("2009-Q2", "12"): 1,
        ("2009-Q2", "2"): 1,
    }


def test_a_filter_leaves_others_out() -> None:
    spec = TableSpec("t", (POSITION,), ("2009-Q3", "2009-Q2"), "clients", filters=((SEX, "M"),))
    totals = {place[0]: figure for place, figure in count_plainly(spec, ROWS).items() if place[1] == "_T"}
    assert totals == {"2009-Q3": 1, "2009-Q2": 2}
