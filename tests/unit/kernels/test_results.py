"""Declared results: checked here with clear words, worked out as the house works them out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.ledger.tables_csv import figure
from enclave.sdc.derivation import Derivation
from enclave.sdc.derive import derive as derive_in_the_house
from enclave.sdc.table import Hierarchy, ProtectedTable, TableSpec, Variable
from kernels import workbench
from kernels.workbench.derive import derive, percent
from kernels.workbench.errors import InputError
from kernels.workbench.results import Declaration, selected
from kernels.workbench.words import Words
from tests.lib.small_project import PERIODS, words

TITLE = words("A result")


def test_a_sum_adds_shown_figures(analyst: workbench.Project) -> None:
    result = analyst.sum("two", table="t1", select={"position": ["1", "2"]}, title=TITLE)
    assert result.numbers.to_dict("index")["M"] == {"2009-Q2": 20, "2009-Q3": 20}


def test_a_hidden_operand_hides_the_result(analyst: workbench.Project) -> None:
    result = analyst.sum("some", table="t1", select={"position": ["11", "2"]}, title=TITLE)
    assert result.numbers.loc["M", "2009-Q2"] is pd.NA
    assert result.table.text.loc["M label M (en)", "2009-Q2"] == "C"
    change = analyst.change("step", table="t1", title=TITLE)
    assert change.numbers.loc[("M", "11"), "2009-Q3"] is pd.NA


def test_the_legend_is_true_of_results(analyst: workbench.Project) -> None:
    total = analyst.sum("some", table="t1", select={"position": ["11", "2"]}, title=TITLE)
    change = analyst.change("step", table="t1", title=TITLE)
    assert "C: a figure that goes in is hidden" in repr(total)
    assert "X: one of the two figures is hidden; a change can also be negative" in repr(change)
    assert "X" in set(change.frame["CONF_STATUS"])
    assert "fewer than 5" not in repr(total) + repr(change)


def test_a_share_is_in_percent_with_its_decimals(analyst: workbench.Project) -> None:
    result = analyst.share("part", table="t1", denominator={"position": "_T"}, decimals=1, title=TITLE)
    assert result.numbers.loc[("_T", "1"), "2009-Q2"] == 75.0
    assert result.table.text.loc[("total", "1 label 1 (en)"), "2009-Q2"] == "75.0"


def test_a_share_of_nothing_is_no_figure_and_not_hidden(analyst: workbench.Project) -> None:
    result = analyst.share("part", table="t1", denominator={"position": "2"}, title=TITLE)
    cells = _cells(result.frame, ["sex", "position"])
    assert cells["M", "1", "2009-Q3"] == (-1, "F", "N")
    assert cells["M", "11", "2009-Q3"] == (-1, "C", "A")


def test_a_change_leaves_out_the_quarters_before(analyst: workbench.Project) -> None:
    result = analyst.change("step", table="t1", lag=1, title=TITLE)
    assert list(result.numbers.columns) == ["2009-Q3"]
    assert result.numbers.loc[("_T", "1"), "2009-Q3"] == 10


Make = Callable[[workbench.Project], Any]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: p.sum("Bad Id", table="t1", select={"position": ["1"]}, title=TITLE), "cannot be an id"),
        (lambda p: p.sum("t1", table="t1", select={"position": ["1"]}, title=TITLE), "choose another id"),
        (lambda p: p.sum("a", table="t9", select={"position": ["1"]}, title=TITLE), "it has t1, t2"),
        (lambda p: p.sum("a", table="t1", select={}, title=TITLE), "a sum needs `select`"),
        (lambda p: p.sum("a", table="t1", select={"position": []}, title=TITLE), "without a code"),
        (lambda p: p.sum("a", table="t1", select={"wage": ["1"]}, title=TITLE), "it has sex, position"),
        (lambda p: p.sum("a", table="t1", select={"position": ["9"]}, title=TITLE), "'9' is not a code of 'position'"),
        (lambda p: p.sum("a", table="t1", select={"position": ["1", "11"]}, title=TITLE), "overlap"),
        (lambda p: p.sum("a", table="t1", select={"position": ["1"]}, title={"en": "x"}), "Dutch, French and English"),
        (lambda p: p.share("a", table="t1", denominator={}, title=TITLE), "a share needs `denominator`"),
        (lambda p: p.share("a", table="t1", denominator={"sex": "X"}, title=TITLE), "'X' is not a code of 'sex'"),
        (lambda p: p.share("a", table="t1", denominator={"sex": "_T"}, decimals=7, title=TITLE), "0 to 6"),
        (lambda p: p.change("a", table="t1", lag=0, title=TITLE), "a change needs `lag`"),
        (lambda p: p.change("a", table="t1", lag=2, title=TITLE), "before the first quarter"),
    ],
)
def test_what_does_not_fit_is_said_at_once(analyst: workbench.Project, make: Make, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make(analyst)


def test_what_the_policy_does_not_allow_is_refused(analyst: workbench.Project) -> None:
    analyst._facts = {**analyst._facts, "operations": ["sum"]}
    with pytest.raises(InputError, match="OPERATION_NOT_ALLOWED: the policy allows sum, not change"):
        analyst.change("step", table="t1", title=TITLE)


def test_what_is_sent_is_read_by_the_house_as_it_was_meant(analyst: workbench.Project) -> None:
    sent = analyst.share("part", table="t1", denominator={"position": "_T"}, select={"sex": "M"}, title=TITLE)
    read = Derivation.from_mapping(sent.declaration.sent(), "a notebook")
    assert (read.id, read.kind.value, read.table, read.decimals) == ("part", "share", "t1", 1)
    assert (read.select, read.denominator) == ((("sex", ("M",)),), (("position", "_T"),))


@pytest.mark.parametrize(
    ("part", "whole", "decimals", "expected"),
    [
        (1, 8, 0, 12),
        (3, 8, 0, 38),
        (1, 8, 1, 12.5),
        (1, 3, 2, 33.33),
        (2, 3, 2, 66.67),
        (1, 400, 1, 0.2),
        (3, 400, 1, 0.8),
    ],
)
def test_halves_are_rounded_to_even(part: int, whole: int, decimals: int, expected: float) -> None:
    assert percent(part, whole, decimals) == expected


SPEC = TableSpec(
    "t1",
    (
        Variable.flat("sex", ("M", "F")),
        Variable("position", (Hierarchy((("1", ""), ("11", "1"), ("12", "1"), ("2", ""))),)),
    ),
    PERIODS,
    "clients",
)
DECLARED = (
    {"kind": "sum", "select": {"position": ["11", "2"]}},
    {"kind": "sum", "select": {"sex": ["M"], "position": ["1", "2"]}},
    {"kind": "share", "denominator": {"position": "_T"}, "decimals": 2},
    {"kind": "share", "denominator": {"position": "2"}, "select": {"position": ["11", "12"]}, "decimals": 0},
    {"kind": "share", "denominator": {"sex": "_T", "position": "1"}, "select": {"sex": ["F"]}, "decimals": 1},
    {"kind": "change", "lag": 1},
    {"kind": "change", "lag": 1, "select": {"position": ["1"]}},
)


@settings(deadline=None)
@given(
    figures=st.lists(st.integers(0, 30), min_size=30, max_size=30),
    hidden=st.lists(st.booleans(), min_size=30, max_size=30),
    number=st.sampled_from(range(len(DECLARED))),
)
def test_the_look_ahead_is_what_the_house_works_out(figures: list[int], hidden: list[bool], number: int) -> None:
    raw = {"id": "r", "title": TITLE, "table": "t1", **DECLARED[number]}
    marks = np.where(np.array(hidden).reshape(SPEC.shape), "C", "F")
    values = np.where(marks == "F", np.array(figures).reshape(SPEC.shape), 0)
    source = ProtectedTable(SPEC, values, marks, np.zeros(SPEC.shape, dtype=np.bool_))
    (expected,) = derive_in_the_house([Derivation.from_mapping(raw, "test")], [source])
    found = derive(_declaration(raw), _frame(source), ["sex", "position"])
    names = [v.id for v in expected.spec.dimensions]
    assert _cells(_frame(expected), names) == _cells(found, names)


def _declaration(raw: dict[str, Any]) -> Declaration:
    options = {name: raw[name] for name in ("denominator", "lag", "decimals") if name in raw}
    return Declaration("r", Words.of(TITLE, "title"), raw["kind"], "t1", selected(raw.get("select")), **options)


def _frame(table: ProtectedTable) -> pd.DataFrame:
    """Return a table of the house in the form in which the gateway sends tables."""
    axes = [table.spec.periods, *(v.codes for v in table.spec.dimensions)]
    names = ["TIME_PERIOD", *(v.id for v in table.spec.dimensions)]
    frame = pd.MultiIndex.from_product(axes, names=names).to_frame(index=False)
    marks = table.marks.ravel()
    frame["OBS_VALUE"] = [
        float(figure(value, table.decimals)) if mark == "F" else None
        for value, mark in zip(table.values.ravel().tolist(), marks, strict=True)  # noqa: PD011  not of pandas
    ]
    kind = "Float64" if table.decimals or (marks == "N").any() else "Int64"
    frame["CONF_STATUS"] = np.where(marks == "N", "F", marks)
    frame["OBS_STATUS"] = np.where(marks == "N", "N", "A")
    return frame.astype({"OBS_VALUE": "Float64"}).astype({"OBS_VALUE": kind})


def _cells(frame: pd.DataFrame, names: list[str]) -> dict[tuple[str, ...], tuple[Any, ...]]:
    keys = frame[[*names, "TIME_PERIOD"]].itertuples(index=False, name=None)
    shown = zip(frame["OBS_VALUE"].fillna(-1), frame["CONF_STATUS"], frame["OBS_STATUS"], strict=True)
    return dict(zip(keys, shown, strict=True))
