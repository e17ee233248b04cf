"""What one pass must count, and tables out of cubes."""

from dataclasses import replace

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.sdc.table import Hierarchy, TableSpec, Variable
from enclave.tabulation.cube import count
from enclave.tabulation.tables import Plan, assemble, inner_cells

SEX = Variable.flat("sex", ("M", "F"))
POSITION = Variable("position", (Hierarchy((("1", ""), ("11", "1"), ("12", "1"), ("2", ""))),))
REGION = Variable.flat("region", ("BR", "FL", "WA"))
SPEC = TableSpec("t", (SEX, POSITION), ("2009-Q2",), "clients")
CUBE = count(
    {
        "person": np.array([1, 2, 3, 4, 5, 6]),
        "sex": np.array([0, 0, 1, 1, 1, 1]),
        "position": np.array([0, 1, 1, 2, 2, 2]),
        "region": np.array([0, 1, 2, 0, 1, 2]),
    },
    "person",
    (REGION, SEX, POSITION),
)


def refusal(*specs: TableSpec) -> str:
    with pytest.raises(RequestError) as caught:
        Plan(specs)
    return caught.value.code


def test_a_plan_holds_every_variable_and_period_once() -> None:
    other = TableSpec("u", (REGION, SEX), ("2010-Q1", "2009-Q2"), "clients", filters=((POSITION, "1"),))
    plan = Plan((SPEC, other))
    assert [variable.id for variable in plan.variables] == ["sex", "position", "region"]
    assert plan.periods == ("2009-Q2", "2010-Q1")
    assert plan.unit == "person"


def test_tables_that_cannot_be_counted_together_are_refused() -> None:
    other_sex = replace(SPEC, dimensions=(Variable.flat("sex", ("F", "M")), POSITION))
    assert refusal() == "NOT_ONE_POPULATION"
    assert refusal(SPEC, replace(SPEC, population="workers")) == "NOT_ONE_POPULATION"
    assert refusal(SPEC, replace(SPEC, unit="employer")) == "NOT_ONE_POPULATION"
    assert refusal(SPEC, replace(SPEC, measure="wage")) == "MEASURE_UNKNOWN"
    assert refusal(SPEC, other_sex) == "VARIABLE_DIFFERS"
    assert refusal(SPEC, replace(SPEC, dimensions=(), filters=((other_sex.dimensions[0], "F"),))) == "VARIABLE_DIFFERS"


def test_one_variable_may_have_more_hierarchies_in_one_table_than_in_another() -> None:
    more = Variable("position", (*POSITION.hierarchies, Hierarchy((("x", ""), ("11", "x"), ("12", ""), ("2", "x")))))
    assert Plan((SPEC, replace(SPEC, dimensions=(more,)))).variables == (SEX, POSITION)


def test_inner_cells_add_up_what_the_table_does_not_cross() -> None:
    assert inner_cells(CUBE, SPEC).tolist() == [[1, 1, 0], [0, 1, 3]]
    assert inner_cells(CUBE, replace(SPEC, dimensions=(POSITION, SEX))).tolist() == [[1, 0], [1, 1], [0, 3]]
    assert inner_cells(CUBE, replace(SPEC, dimensions=())).tolist() == 6


@pytest.mark.parametrize(
    ("code", "expected"),
    [("BR", [1, 0, 1]), ("BR|FL", [1, 1, 2]), ("FL|BR", [1, 1, 2]), ("_T", [1, 2, 3]), ("WA", [0, 1, 1])],
)
def test_filters_are_codes_or_selections(code: str, expected: list[int]) -> None:
    spec = replace(SPEC, dimensions=(POSITION,), filters=((REGION, code),))
    assert inner_cells(CUBE, spec).tolist() == expected


def test_filters_take_subtotals_and_work_together() -> None:
    spec = replace(SPEC, dimensions=(SEX,), filters=((POSITION, "1"), (REGION, "FL|WA")))
    assert inner_cells(CUBE, spec).tolist() == [1, 1]


def test_tables_have_margins_and_subtotals_and_the_periods_of_their_spec() -> None:
    spec = replace(SPEC, dimensions=(POSITION,), periods=("2010-Q1", "2009-Q2"))
    early, late = (np.array([4, 0, 2]),), (np.array([1, 1, 0]),)
    (table,) = assemble(Plan((spec,)), {"2009-Q2": early, "2010-Q1": late})
    assert POSITION.codes == ("_T", "1", "11", "12", "2")
    assert table.values.tolist() == [[2, 2, 1, 1, 0], [6, 4, 4, 0, 2]]
