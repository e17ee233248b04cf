from dataclasses import replace

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.derive import HIDDEN, HIDDEN_CHANGE, NOT_APPLICABLE, derive, derived_spec, is_change, relations
from enclave.sdc.table import ProtectedTable, Table, TableSpec, Variable
from enclave.sdc.words import Words

TITLE = Words("titel", "titre", "title")
SEX = Variable.flat("sex", ["1", "2"])
POSITION = Variable.flat("position", ["11", "12", "2"])
PERIODS = ("2009-Q2", "2009-Q3", "2009-Q4")
SPEC = TableSpec("t1", (SEX, POSITION), PERIODS, "clients", constant=frozenset({"sex"}))


def source(hidden: tuple[tuple[int, int, int], ...] = ()) -> ProtectedTable:
    leaves = [[[40, 3, 57], [0, 0, 0]], [[30, 20, 50], [5, 6, 7]], [[31, 20, 50], [8, 6, 7]]]
    values = Table.from_leaves(SPEC, np.array(leaves)).values.copy()
    marks = np.full(SPEC.shape, "F")
    for place in hidden:
        values[place], marks[place] = 0, "C"
    return ProtectedTable(SPEC, values, marks, np.zeros(SPEC.shape, dtype=np.bool_))


def derivation(kind: Kind, **fields: object) -> Derivation:
    return replace(Derivation("d1", TITLE, Kind.SUM, "t1", select=(("position", ("11",)),)), kind=kind, **fields)  # type: ignore[arg-type]


def test_a_sum_adds_the_selected_categories_and_becomes_a_filtered_table() -> None:
    (made,) = derive([derivation(Kind.SUM, select=(("position", ("11", "2")),))], [source()])
    assert made.spec.dimensions == (SEX,)
    assert made.spec.filters == ((POSITION, "11|2"),)
    assert made.values.tolist() == [[97, 97, 0], [92, 80, 12], [96, 81, 15]]
    assert made.shown.all()


def test_a_hidden_operand_hides_the_sum_and_leaves_no_figure() -> None:
    (made,) = derive([derivation(Kind.SUM, select=(("position", ("11", "2")),))], [source(hidden=((0, 1, 1),))])
    assert made.marks[0].tolist() == ["F", HIDDEN, "F"]
    assert made.values[0].tolist() == [97, 0, 0]


def test_a_share_is_in_percent_rounded_half_to_even() -> None:
    made = derive([derivation(Kind.SHARE, select=(), denominator=(("position", "_T"),), decimals=1)], [source()])[0]
    assert made.decimals == 1
    assert made.values[0, 1].tolist() == [1000, 400, 30, 570]
    assert made.values[1, 2].tolist() == [1000, 278, 333, 389]


@pytest.mark.parametrize(("numerator", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (199, 100)])
def test_halves_are_rounded_to_even(numerator: int, expected: int) -> None:
    spec = TableSpec("t1", (Variable.flat("sex", ["1", "2"]),), PERIODS[:1], "clients")
    leaves = np.array([[numerator, 200 - numerator]])
    table = Table.from_leaves(spec, leaves)
    shown = ProtectedTable(spec, table.values, np.full(spec.shape, "F"), np.zeros(spec.shape, dtype=np.bool_))
    made = derive([derivation(Kind.SHARE, select=(), denominator=(("sex", "_T"),))], [shown])[0]
    assert made.values[0, 1] == expected


def test_a_share_of_nothing_is_not_applicable_and_a_hidden_denominator_hides() -> None:
    share = derivation(Kind.SHARE, select=(), denominator=(("position", "_T"),))
    made = derive([share], [source(hidden=((1, 1, 0),))])[0]
    assert made.marks[0, 2].tolist() == [NOT_APPLICABLE] * 4
    assert made.marks[1, 1].tolist() == [HIDDEN] * 4
    assert not made.values[~made.shown].any()


def test_a_share_of_a_negative_total() -> None:
    spec = TableSpec("t1", (Variable.flat("sex", ["1", "2"]),), PERIODS[:1], "clients", measure="balance")
    values = Table.from_leaves(spec, np.array([[1, -9]])).values
    shown = ProtectedTable(spec, values, np.full(spec.shape, "F"), np.zeros(spec.shape, dtype=np.bool_))
    made = derive([derivation(Kind.SHARE, select=(), denominator=(("sex", "_T"),))], [shown])[0]
    assert made.values[0].tolist() == [100, -12, 112]  # -12.5 and 112.5


def test_a_structural_zero_of_nothing_is_not_applicable_and_no_zero() -> None:
    table = source()
    table.structural[0, 2] = True
    made = derive([derivation(Kind.SHARE, select=(), denominator=(("position", "_T"),))], [table])[0]
    assert made.marks[0, 2].tolist() == [NOT_APPLICABLE] * 4
    assert not made.structural[0, 2].any()


def test_a_share_of_selected_categories() -> None:
    share = derivation(
        Kind.SHARE, select=(("position", ("11", "12")),), denominator=(("position", "_T"), ("sex", "_T"))
    )
    made = derive([share], [source()])[0]
    assert made.spec.filters == ((POSITION, "11|12"),)
    assert made.values[1].tolist() == [52, 42, 9]  # 61, 50 and 11 of 118


def test_a_selection_without_its_own_denominator_restricts_both_sides() -> None:
    share = derivation(Kind.SHARE, select=(("position", ("11", "12")),), denominator=(("sex", "_T"),))
    made = derive([share], [source()])[0]
    assert made.values[1].tolist() == [100, 82, 18]  # 50 and 11 of 61


def test_a_change_starts_after_its_lag_and_needs_both_periods() -> None:
    change = derivation(Kind.CHANGE, select=(), lag=1)
    made = derive([change], [source(hidden=((0, 1, 2), (2, 2, 3)))])[0]
    assert made.spec.periods == PERIODS[1:]
    assert made.values[0, 1].tolist() == [0, -10, 0, -7]
    assert made.marks[0, 1].tolist() == ["F", "F", HIDDEN_CHANGE, "F"]
    assert made.marks[1, 2].tolist() == ["F", "F", "F", HIDDEN_CHANGE]
    assert not made.spec.constant


def test_structural_zeros_stay_structural_only_when_all_operands_are() -> None:
    table = source()
    table.structural[0, 2, [1, 3]] = True
    both = derive([derivation(Kind.SUM, select=(("position", ("11", "2")),))], [table])[0]
    one = derive([derivation(Kind.SUM, select=(("position", ("11", "12")),))], [table])[0]
    assert both.structural[0].tolist() == [False, False, True]
    assert not one.structural.any()


@pytest.mark.parametrize(
    "made",
    [derivation(Kind.SUM, select=(("position", ("11", "2")),)), derivation(Kind.CHANGE, select=(), lag=2)],
)
def test_relations_say_exactly_how_the_figures_arise(made: Derivation) -> None:
    matrix = relations(made, SPEC)
    assert matrix is not None
    assert np.array_equal(matrix @ source().values.ravel(), derive([made], [source()])[0].values.ravel())


def test_a_share_has_no_linear_relation() -> None:
    assert relations(derivation(Kind.SHARE, select=(), denominator=(("sex", "_T"),)), SPEC) is None


def test_measures_tell_figures_apart_that_only_look_alike() -> None:
    kinds = [
        derivation(Kind.CHANGE, select=(), lag=1),
        derivation(Kind.CHANGE, select=(), lag=2),
        derivation(Kind.SHARE, select=(), denominator=(("sex", "_T"),)),
        derivation(Kind.SHARE, select=(), denominator=(("position", "_T"),)),
    ]
    specs = [derived_spec(made, SPEC) for made in kinds]
    assert len({spec.measure for spec in specs}) == len(specs)
    assert derived_spec(derivation(Kind.SUM), SPEC).measure == "count"


ENTRY = {"id": "d1", "title": {"nl": "a", "fr": "b", "en": "c"}, "kind": "sum", "table": "t1", "select": {"sex": ["1"]}}


def test_an_entry_is_read() -> None:
    assert Derivation.from_mapping(ENTRY, "f.yaml, entry 1").select == (("sex", ("1",)),)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"colour": "red"}, "DERIVATION_UNKNOWN_KEY"),
        ({"kind": "mean"}, "DERIVATION_KIND"),
        ({"kind": 3}, "DERIVATION_TEXT"),
        ({"id": "D 1"}, "DERIVATION_ID"),
        ({"id": "../d"}, "DERIVATION_ID"),
        ({"title": {"nl": "a"}}, "WORDS_LANGUAGES"),
        ({"title": {"nl": "a", "fr": "b", "en": 3}}, "WORDS_TEXT"),
        ({"title": {"nl": "a", "fr": " ", "en": "c"}}, "WORDS_MISSING"),
        ({"title": {"nl": "a", "fr": "b\u202e", "en": "c"}}, "WORDS_UNPRINTABLE"),
        ({"select": {}}, "DERIVATION_SHAPE"),
        ({"select": {"sex": []}}, "DERIVATION_SHAPE"),
        ({"select": {"sex": "1"}}, "DERIVATION_CODES"),
        ({"select": {"sex": [1]}}, "DERIVATION_CODES"),
        ({"select": ["sex"]}, "DERIVATION_PAIRS"),
        ({"denominator": {"sex": "_T"}}, "DERIVATION_SHAPE"),
        ({"kind": "share"}, "DERIVATION_SHAPE"),
        ({"kind": "change"}, "DERIVATION_SHAPE"),
        ({"kind": "change", "lag": True}, "DERIVATION_NUMBER"),
        ({"kind": "change", "lag": "4"}, "DERIVATION_NUMBER"),
        ({"kind": "change", "lag": -1}, "DERIVATION_SHAPE"),
        ({"lag": 1}, "DERIVATION_SHAPE"),
        ({"decimals": 1}, "DERIVATION_SHAPE"),
        ({"kind": "share", "denominator": {"sex": "_T"}, "decimals": 7}, "DERIVATION_SHAPE"),
    ],
)
def test_a_wrong_entry_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(RequestError) as refused:
        Derivation.from_mapping({**ENTRY, **change}, "f.yaml, entry 1")
    assert refused.value.code == code


def test_an_entry_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(RequestError, match="DERIVATION_ENTRY"):
        Derivation.from_mapping(["d1"], "f.yaml, entry 1")


def test_a_dimension_may_not_stand_twice() -> None:
    with pytest.raises(RequestError, match="stands twice"):
        derivation(Kind.SUM, select=(("sex", ("1",)), ("sex", ("2",))))


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (derivation(Kind.SUM, table="t9"), "DERIVATION_TABLE"),
        (derivation(Kind.SUM, id="t1"), "DERIVATION_TWICE"),
        (derivation(Kind.SUM, select=(("age", ("1",)),)), "DERIVATION_DIMENSION"),
        (derivation(Kind.SUM, select=(("sex", ("3",)),)), "DERIVATION_CODE"),
        (derivation(Kind.SUM, select=(("sex", ("1", "_T")),)), "DERIVATION_OVERLAP"),
        (derivation(Kind.SUM, select=(("sex", ("1", "1")),)), "DERIVATION_OVERLAP"),
        (derivation(Kind.SHARE, select=(), denominator=(("sex", "3"),)), "DERIVATION_CODE"),
        (derivation(Kind.CHANGE, select=(), lag=3), "DERIVATION_LAG"),
    ],
)
def test_a_derivation_that_does_not_fit_its_table_is_refused(made: Derivation, code: str) -> None:
    with pytest.raises(RequestError) as refused:
        derive([made], [source()])
    assert refused.value.code == code


def test_nothing_is_derived_from_a_derived_table() -> None:
    change = derive([derivation(Kind.CHANGE, select=(), lag=1)], [source()])[0]
    with pytest.raises(RequestError, match="DERIVATION_OF_DERIVED"):
        derive([derivation(Kind.SUM, id="d2", table="d1")], [change])


def test_a_hidden_change_has_a_mark_of_its_own_since_it_can_be_negative() -> None:
    made = derive([derivation(Kind.CHANGE, select=(), lag=1)], [source(hidden=((0, 1, 2),))])[0]
    assert is_change(made.spec)
    assert set(np.unique(made.marks)) == {"F", HIDDEN_CHANGE}
