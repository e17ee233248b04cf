"""Variables, specifications, tables and knowledge: what they promise, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from enclave.errors import RequestError
from enclave.sdc.table import (
    NO_UPPER,
    TOTAL,
    CellKey,
    Hierarchy,
    Knowledge,
    ProtectedTable,
    Table,
    TableSpec,
    Variable,
)

AREAS = Hierarchy((("north", ""), ("a", "north"), ("b", "north"), ("south", ""), ("c", "south"), ("d", "")))
COASTS = Hierarchy((("wet", ""), ("a", "wet"), ("c", "wet"), ("dry", ""), ("b", "dry"), ("d", "dry")))
AREA = Variable("area", (AREAS,))
SEX = Variable.flat("sex", ("m", "f"))


def refused(error: pytest.ExceptionInfo[RequestError]) -> str:
    return error.value.code


# ---- Hierarchy


@pytest.mark.parametrize(
    ("parents", "code"),
    [
        ((("a", ""), ("a", "")), "CODELIST_DUPLICATE"),
        ((("", ""),), "CODELIST_CODE"),
        (((TOTAL, ""),), "CODELIST_CODE"),
        ((("a|b", ""),), "CODELIST_CODE"),
        ((("a", "nowhere"),), "CODELIST_PARENT"),
        ((("a", TOTAL),), "CODELIST_PARENT"),
        ((("a", "a"),), "CODELIST_CYCLE"),
        ((("a", "b"), ("b", "a")), "CODELIST_CYCLE"),
        ((("a", "b"), ("b", "c"), ("c", "b")), "CODELIST_CYCLE"),
    ],
)
def test_a_tree_that_is_no_tree_is_refused(parents: tuple[tuple[str, str], ...], code: str) -> None:
    with pytest.raises(RequestError) as error:
        Hierarchy(parents)
    assert refused(error) == code


def test_children_stand_under_their_parent_in_canonical_order() -> None:
    assert AREAS.children == {"": ("north", "south", "d"), "north": ("a", "b"), "south": ("c",)}


def test_leaves_are_the_codes_without_children() -> None:
    assert AREAS.leaves == ("a", "b", "c", "d")


def test_a_parent_may_stand_after_its_children() -> None:
    assert Hierarchy((("a", "n"), ("n", ""), ("b", "n"))).leaves_under("n") == {"a", "b"}


@pytest.mark.parametrize(("code", "leaves"), [("", "abcd"), ("north", "ab"), ("south", "c"), ("d", "d"), ("a", "a")])
def test_leaves_under_a_code(code: str, leaves: str) -> None:
    assert AREAS.leaves_under(code) == set(leaves)


# ---- Variable


def test_a_variable_needs_a_hierarchy_with_codes() -> None:
    for hierarchies in ((), (Hierarchy(()),)):
        with pytest.raises(RequestError) as error:
            Variable("empty", hierarchies)
        assert refused(error) == "VARIABLE_EMPTY"


def test_two_hierarchies_must_share_their_leaves() -> None:
    with pytest.raises(RequestError) as error:
        Variable("area", (AREAS, Hierarchy((("a", ""), ("b", ""), ("c", "")))))
    assert refused(error) == "HIERARCHY_LEAVES"


def test_one_code_cannot_mean_two_groups_in_the_first_and_the_second_hierarchy() -> None:
    other = Hierarchy((("north", ""), ("a", "north"), ("c", "north"), ("b", ""), ("d", "")))
    with pytest.raises(RequestError) as error:
        Variable("area", (AREAS, other))
    assert refused(error) == "CODE_AMBIGUOUS"


def test_one_code_cannot_mean_two_groups_in_the_second_and_the_third_hierarchy() -> None:
    first = Hierarchy(tuple((leaf, "") for leaf in "abc"))
    second = Hierarchy((("x", ""), ("a", "x"), ("b", "x"), ("c", "")))
    third = Hierarchy((("x", ""), ("b", "x"), ("c", "x"), ("a", "")))
    with pytest.raises(RequestError) as error:
        Variable("v", (first, second, third))
    assert refused(error) == "CODE_AMBIGUOUS"


def test_the_same_group_may_stand_in_two_hierarchies() -> None:
    variable = Variable(
        "area", (AREAS, Hierarchy((("north", ""), ("a", "north"), ("b", "north"), ("c", ""), ("d", ""))))
    )
    assert variable.codes == (TOTAL, "north", "a", "b", "south", "c", "d")


def test_codes_stand_total_first_then_by_hierarchy() -> None:
    assert Variable("area", (AREAS, COASTS)).codes == (TOTAL, "north", "a", "b", "south", "c", "d", "wet", "dry")


def test_a_flat_variable_has_one_level() -> None:
    assert SEX.codes == (TOTAL, "m", "f")
    assert SEX.leaves == ("m", "f")
    assert SEX.sums == ((TOTAL, ("m", "f")),)


@pytest.mark.parametrize(
    ("code", "leaves"),
    [(TOTAL, "abcd"), ("north", "ab"), ("south", "c"), ("a", "a"), ("a|d", "ad"), ("d|north", "abd"), ("a|a", "a")],
)
def test_members_of_a_code_or_a_selection(code: str, leaves: str) -> None:
    assert AREA.members(code) == set(leaves)


@pytest.mark.parametrize("code", ["z", "", "a|z", "a|", "|", "a+b"])
def test_members_of_an_unknown_code_are_refused(code: str) -> None:
    with pytest.raises(RequestError) as error:
        AREA.members(code)
    assert refused(error) == "UNKNOWN_CODE"


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        (("b", "a"), "north"),
        (("a", "b", "c", "d"), TOTAL),
        (("d", "a"), "a|d"),
        (("north", "d"), "a|b|d"),
        (("c",), "south"),
        (("a",), "a"),
    ],
)
def test_a_selection_has_one_name_however_it_is_put_together(codes: tuple[str, ...], name: str) -> None:
    assert AREA.selection(codes) == name


def test_a_selection_with_an_unknown_code_is_refused() -> None:
    with pytest.raises(RequestError):
        AREA.selection(("a", "z"))


def test_sums_hold_each_parent_with_its_children_once() -> None:
    twice = Variable("area", (AREAS, COASTS, AREAS))
    assert twice.sums == (
        (TOTAL, ("north", "south", "d")),
        ("north", ("a", "b")),
        ("south", ("c",)),
        (TOTAL, ("wet", "dry")),
        ("wet", ("a", "c")),
        ("dry", ("b", "d")),
    )


def test_membership_says_which_leaves_each_code_adds_up() -> None:
    expected = [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert AREA.membership.tolist() == expected


# ---- TableSpec


def spec(**changes: object) -> TableSpec:
    return replace(TableSpec("t", (SEX, AREA), ("2009-Q2", "2009-Q3"), "clients"), **changes)  # type: ignore[arg-type]


def test_shape_counts_periods_and_codes() -> None:
    assert spec().shape == (2, 3, 7)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dimensions": (SEX, SEX)}, "DIMENSION_TWICE"),
        ({"filters": ((AREA, "a"),)}, "DIMENSION_TWICE"),
        ({"dimensions": (SEX,), "filters": ((AREA, "a"), (AREA, "b"))}, "DIMENSION_TWICE"),
        ({"periods": ()}, "PERIODS"),
        ({"periods": ("2009-Q2", "2009-Q2")}, "PERIODS"),
        ({"dimensions": (SEX,), "filters": ((AREA, "z"),)}, "UNKNOWN_CODE"),
    ],
)
def test_a_specification_that_makes_no_sense_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(RequestError) as error:
        spec(**changes)
    assert refused(error) == code


def test_a_key_leaves_out_variables_at_their_total() -> None:
    assert spec().key("2009-Q2", (TOTAL, "a")) == CellKey(
        "clients", "person", "count", "", "2009-Q2", frozenset({("area", "a")})
    )


def test_a_key_holds_the_filters() -> None:
    filtered = spec(dimensions=(SEX,), filters=((AREA, "a"),))
    assert filtered.key("2009-Q2", ("m",)) == spec().key("2009-Q2", ("m", "a"))


def test_a_filter_at_the_total_says_nothing() -> None:
    filtered = spec(dimensions=(SEX,), filters=((AREA, TOTAL),))
    assert filtered.key("2009-Q2", ("m",)) == spec().key("2009-Q2", ("m", TOTAL))


def test_the_order_of_dimensions_does_not_change_a_key() -> None:
    turned = spec(dimensions=(AREA, SEX))
    assert turned.key("2009-Q2", ("a", "m")) == spec().key("2009-Q2", ("m", "a"))


@pytest.mark.parametrize("field", ["population", "unit", "measure", "data_date"])
def test_other_populations_units_measures_and_dates_are_other_cells(field: str) -> None:
    other = spec(**{field: "other"})
    assert other.key("2009-Q2", ("m", "a")) != spec().key("2009-Q2", ("m", "a"))


def test_a_cell_of_constant_variables_is_one_cell_in_all_periods() -> None:
    constant = spec(constant=frozenset({"sex"}))
    assert constant.key("2009-Q2", ("m", TOTAL)) == constant.key("2009-Q3", ("m", TOTAL))
    assert constant.key("2009-Q2", (TOTAL, TOTAL)).period == ""
    assert constant.key("2009-Q2", ("m", "a")) != constant.key("2009-Q3", ("m", "a"))


def test_a_filter_on_a_changing_variable_ties_a_cell_to_its_period() -> None:
    constant = spec(dimensions=(SEX,), filters=((AREA, "a"),), constant=frozenset({"sex"}))
    assert constant.key("2009-Q2", ("m",)).period == "2009-Q2"


def test_without_constant_variables_the_total_belongs_to_its_period() -> None:
    assert spec().key("2009-Q2", (TOTAL, TOTAL)).period == "2009-Q2"


def test_a_key_needs_one_code_for_each_dimension() -> None:
    with pytest.raises(ValueError, match="zip"):
        spec().key("2009-Q2", ("m",))


# ---- Table


def test_margins_and_subtotals_are_added_up_from_the_inner_cells() -> None:
    inner = np.arange(16).reshape(2, 2, 4)
    made = Table.from_leaves(spec(), inner)
    assert made.values.shape == (2, 3, 7)
    assert made.values[:, 0, 0].tolist() == inner.sum(axis=(1, 2)).tolist()
    assert made.values[0, 1].tolist() == [6, 1, 0, 1, 2, 2, 3]
    assert made.values[1, 0].tolist() == [92, 42, 20, 22, 24, 24, 26]


def test_a_table_keeps_whole_numbers_in_one_block() -> None:
    made = Table.from_leaves(spec(), np.ones((2, 2, 4), dtype=np.int8))
    assert made.values.dtype == np.int64
    assert made.values.flags.c_contiguous


def test_a_table_without_dimensions_holds_one_figure_per_period() -> None:
    assert Table.from_leaves(spec(dimensions=()), np.array([3, 4])).values.tolist() == [3, 4]


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(RequestError) as error:
        Table(spec(), np.zeros((2, 3), dtype=np.int64))
    assert refused(error) == "TABLE_SHAPE"


# ---- Knowledge and ProtectedTable


def knowledge(**changes: object) -> Knowledge:
    zeros = np.zeros(3, dtype=np.int64)
    known = Knowledge(
        matrix=sparse.csr_array(np.array([[-1, 1, 1]], dtype=np.int64)),
        rhs=np.zeros(1, dtype=np.int64),
        public=np.zeros(3, dtype=np.bool_),
        values=zeros,
        lower=zeros,
        upper=np.full(3, NO_UPPER),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def test_knowledge_whose_parts_fit_is_taken() -> None:
    assert knowledge().public.shape == (3,)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("rhs", np.zeros(2, dtype=np.int64)),
        ("public", np.zeros(2, dtype=np.bool_)),
        ("values", np.zeros(4, dtype=np.int64)),
        ("lower", np.zeros(4, dtype=np.int64)),
        ("upper", np.zeros(4, dtype=np.int64)),
    ],
)
def test_knowledge_whose_parts_do_not_fit_is_refused(part: str, value: NDArray[np.int64]) -> None:
    with pytest.raises(RequestError) as error:
        knowledge(**{part: value})
    assert refused(error) == "KNOWLEDGE_SHAPE"


def protected(**changes: object) -> ProtectedTable:
    made = ProtectedTable(
        spec=spec(dimensions=(SEX,), periods=("2009-Q2",)),
        values=np.array([[9, 0, 0]]),
        marks=np.array([["F", "C", "D"]]),
        structural=np.zeros((1, 3), dtype=np.bool_),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_shown_is_where_no_mark_stands() -> None:
    assert protected().shown.tolist() == [[True, False, False]]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("values", np.zeros((1, 2), dtype=np.int64)),
        ("marks", np.array([["F"]])),
        ("structural", np.zeros((3,), dtype=np.bool_)),
    ],
)
def test_a_published_table_of_another_shape_is_refused(part: str, value: NDArray[np.int64]) -> None:
    with pytest.raises(RequestError) as error:
        protected(**{part: value})
    assert refused(error) == "TABLE_SHAPE"
