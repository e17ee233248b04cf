"""The language of derivations: what it reads, what it refuses, what it gives; with the derivations of 15/018."""

import numpy as np
import pytest

from enclave.errors import EnclaveBug, PolicyError
from enclave.policy.expression.evaluate import Classes, Column, Tables, evaluate
from enclave.policy.expression.nodes import Call, Missing, Value, Word, given_words, may_be_undefined, names
from enclave.policy.expression.parse import parse
from enclave.policy.expression.types import NUMBER, TRUTH, Kind, Scope, Type, type_of
from tests.lib.policy_files import codelists

SCOPE = Scope(
    variables={
        "a": NUMBER,
        "b": NUMBER,
        "insz": Type(Kind.KEY),
        "sex": Type(Kind.CODE, "sex"),
        "position": Type(Kind.CODE, "positions"),
        "status": Type(Kind.CODE),
    },
    schemes=frozenset({"bands"}),
    codelists=codelists(),
)
TABLES = Tables({"bands": Classes((0, 10, 20.5), ("LOW", "MID", "TOP"))}, {"position": codelists()["positions"]})
NOT_APPLICABLE, UNKNOWN, BY_DESIGN = Missing.NOT_APPLICABLE, Missing.UNKNOWN, Missing.BY_DESIGN


def given(text: str, **columns: Column) -> list[Value]:
    expression = parse(text)
    type_of(expression, SCOPE)
    return evaluate(expression, columns, len(next(iter(columns.values()))), TABLES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a + b * 2", [7, 10]),
        ("(a + b) * 2", [8, 12]),
        ("a - b - 1", [-3, -3]),
        ("a / b / 2", [1 / 6, 0.25]),
        ("1.5 * a", [1.5, 3.0]),
        ("a = 1 or b = 4", [True, True]),
        ("a = 1 and b = 4", [False, False]),
        ("not a = 1", [False, True]),
        ("a < 2 or a >= 2 and b > 100", [True, False]),
        ("a <= 1", [True, False]),
        ("a != 1", [False, True]),
        ("when(a = 1, b, 0)", [3, 0]),
        ("known(a)", [True, True]),
        ("undefined", [NOT_APPLICABLE, NOT_APPLICABLE]),
    ],
)
def test_what_expressions_give(text: str, wanted: list[Value]) -> None:
    assert given(text, a=[1, 2], b=[3, 4]) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "a b",
        "(a",
        "a)",
        "a = 'BW",
        "when(a = 1, 2)",
        "when(a, 1, 2)",
        "when(a = 1, 2, sex)",
        "'BW'",
        "a + sex",
        "a + (b = 1)",
        "not a",
        "a and b",
        "sex = 1",
        "a = 'M'",
        "sex = 'X'",
        "among(sex)",
        "among(sex, a)",
        "under(status, 'M')",
        "under(sex, 'X')",
        "under(when(a = 1, position, position), '1')",
        "class(a, 'other')",
        "class(sex, 'bands')",
        "class(a, b)",
        "total(a, b)",
        "total(sex, insz)",
        "insz + 1",
        "insz = 'A'",
        "known()",
        "nowhere",
        "when",
        "a; b",
        "open('x')",
        "a ** b",
        "__import__",
        "(" * 21 + "a" + ")" * 21,
    ],
)
def test_what_is_not_of_the_language_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(PolicyError, match="; ") as refusal:
        type_of(parse(text), SCOPE)
    assert refusal.value.code == "EXPRESSION"


def test_types() -> None:
    assert type_of(parse("a / b"), SCOPE) == NUMBER
    assert type_of(parse("a = b"), SCOPE) == TRUTH
    assert type_of(parse("class(a, 'bands')"), SCOPE) == Type(Kind.CODE, "bands")
    assert type_of(parse("when(a = 1, undefined, sex)"), SCOPE) == Type(Kind.CODE, "sex")
    assert type_of(parse("when(a = 1, sex, undefined)"), SCOPE) == Type(Kind.CODE, "sex")
    assert type_of(parse("when(a = 1, sex, status)"), SCOPE) == Type(Kind.CODE)


def test_what_an_expression_reads_and_can_give() -> None:
    expression = parse("when(a = 1, 'IN', when(b = 1, 'OUT', undefined))")
    assert names(expression) == {"a", "b"}
    assert given_words(expression) == {"IN", "OUT"}
    assert may_be_undefined(expression)
    assert may_be_undefined(parse("a / b"))
    assert not may_be_undefined(parse("a + b"))


@pytest.mark.parametrize("kind", list(Missing))
def test_each_kind_of_missing_stays_itself(kind: Missing) -> None:
    assert given("a + b * 2", a=[kind, 1, 0], b=[1, kind, 0]) == [kind, kind, 0]
    assert given("known(a)", a=[kind, 0]) == [False, True]
    assert given("when(a = 1, 1, 0)", a=[kind, 0]) == [kind, 0]
    assert given("when(a = 1, b, 0)", a=[1, 0], b=[kind, kind]) == [kind, 0]


def test_zero_is_a_value_and_not_missing() -> None:
    assert given("a + 0", a=[0, BY_DESIGN]) == [0, BY_DESIGN]


def test_classes_hold_their_lower_bound() -> None:
    numbers = [-1, 0, 9.99, 10, 20.4, 20.5, 1000, UNKNOWN]
    wanted = [UNKNOWN, "LOW", "LOW", "MID", "MID", "TOP", "TOP", UNKNOWN]
    assert given("class(a, 'bands')", a=numbers) == wanted


def test_codes_are_climbed_and_listed() -> None:
    positions = ["111", "211", "34", UNKNOWN]
    assert given("under(position, '1')", position=positions) == [True, False, False, UNKNOWN]
    assert given("among(position, '34', '35')", position=positions) == [False, False, True, UNKNOWN]
    assert given("position = '211'", position=positions) == [False, True, False, UNKNOWN]
    assert given("position != '211'", position=positions) == [True, False, True, UNKNOWN]


def test_totals_stand_at_every_row_of_their_key() -> None:
    assert given("total(a, insz)", a=[1, 2, 4], insz=["x", "y", "x"]) == [5, 2, 5]


def test_a_total_with_a_part_that_nobody_knows_is_not_the_total_of_the_rest() -> None:
    assert given("total(a, insz)", a=[1, UNKNOWN, 2], insz=["x", "x", "x"]) == [UNKNOWN] * 3
    assert given("total(a, insz)", a=[UNKNOWN, BY_DESIGN, 2], insz=["x", "x", "x"]) == [UNKNOWN] * 3


def test_what_is_not_applicable_adds_nothing_to_a_total() -> None:
    assert given("total(a, insz)", a=[NOT_APPLICABLE, 3, NOT_APPLICABLE], insz=["x"] * 3) == [3, 3, 3]
    assert given("total(a, insz)", a=[NOT_APPLICABLE], insz=["x"]) == [NOT_APPLICABLE]
    assert given("total(a, insz)", a=[1], insz=[UNKNOWN]) == [UNKNOWN]


@pytest.mark.parametrize("column", [[4, 0, 10], (4, 0, 10), np.array([4, 0, 10]), np.array([4.0, 0.0, 10.0])])
def test_columns_are_lists_tuples_or_arrays(column: Column) -> None:
    assert given("(a - 2) / a * 100", a=column) == [50.0, NOT_APPLICABLE, 80.0]


def test_the_maximal_full_time_equivalent_of_a_household() -> None:
    """Everybody of 18 to 59 counts as full-time, but for students under 25: the definition behind work intensity."""
    given_to: dict[str, Column] = {
        "a": [17, 18, 59, 60, 24, 25],
        "sex": ["M", "M", "M", "M", "F", "F"],
        "insz": ["x"] * 5 + ["y"],
    }
    text = "total(when(a >= 18 and a <= 59 and not (sex = 'F' and a < 25), 1, 0), insz)"  # F stands for a student here
    assert given(text, **given_to) == [2, 2, 2, 2, 2, 1]


def test_the_evaluator_stops_at_what_was_not_checked() -> None:
    for expression in (Call("open", ()), Call("under", (Word("1"), Word("1")))):
        with pytest.raises(EnclaveBug):
            evaluate(expression, {}, 1, TABLES)
