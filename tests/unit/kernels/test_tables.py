"""Released tables and the codebook in the notebook: what is hidden stays hidden, and is never zero."""

import pandas as pd
import pytest

from kernels import workbench
from kernels.workbench.errors import InputError
from tests.lib.small_project import PROJECT
from tests.lib.unix_server import UnixServer
from tests.unit.kernels.conftest import API, Opened


def test_a_hidden_figure_is_missing_in_numbers_and_a_mark_in_text(analyst: workbench.Project) -> None:
    table = analyst.table("t1", period="2009-Q2", rows=["sex"], columns=["position"])
    assert table.numbers.loc["M", "11"] is pd.NA
    assert table.numbers.dtypes.unique().tolist() == [pd.Int64Dtype()]
    assert table.text.loc["M label M (en)", "11 label 11 (en)"] == "C"
    assert table.text.loc["M label M (en)", "2 label 2 (en)"] == "5"


def test_hidden_figures_make_no_sum(analyst: workbench.Project) -> None:
    numbers = analyst.table("t1", period="2009-Q2", rows=["sex"], columns=["position"]).numbers
    assert numbers[["11", "12"]].sum(axis=1, skipna=False).loc["M"] is pd.NA


def test_a_shown_zero_is_a_zero(analyst: workbench.Project) -> None:
    table = analyst.table("t1", period="2009-Q3", rows=["sex"], columns=["position"])
    assert table.numbers.loc["M", "2"] == 0
    assert table.text.loc["M label M (en)", "2 label 2 (en)"] == "0"


def test_the_legend_stands_below(analyst: workbench.Project) -> None:
    table = analyst.table("t1", period="2009-Q2")
    assert "C: fewer than 5 (en)" in repr(table)
    assert "C: fewer than 5 (en)" in table._repr_html_()


def test_a_dimension_that_is_named_nowhere_is_at_its_total(analyst: workbench.Project) -> None:
    numbers = analyst.table("t1", period="2009-Q2", rows=["sex"]).numbers
    assert numbers["OBS_VALUE"].to_dict() == {"_T": 40, "M": 20, "F": 20}


def test_where_and_levels_choose_cells(analyst: workbench.Project) -> None:
    men = analyst.table("t1", period="2009-Q2", rows=["position"], where={"sex": "M"}, levels={"position": 1})
    assert men.numbers["OBS_VALUE"].to_dict() == {"_T": 20, "1": 15, "2": 5}


def test_columns_alone_make_one_row(analyst: workbench.Project) -> None:
    numbers = analyst.table("t1", period="2009-Q2", columns=["sex"]).numbers
    assert numbers.to_numpy().tolist() == [[40, 20, 20]]


def test_two_dimensions_down_and_time_across(analyst: workbench.Project) -> None:
    table = analyst.table("t1")
    assert table.numbers.to_dict("index")["F", "1"] == {"2009-Q2": 15, "2009-Q3": 20}
    assert table.text.index.names == ["Sex (en)", "Position (en)"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"rows": ["region"]}, "NOT_A_DIMENSION"),
        ({"rows": ["sex"], "columns": ["sex"]}, "DIMENSION_TWICE"),
        ({"rows": ["sex"], "where": {"position": "99"}}, "UNKNOWN_CODE"),
        ({"period": "1999-Q1"}, "UNKNOWN_PERIOD"),
    ],
)
def test_words_that_do_not_fit_the_table_are_refused(analyst: workbench.Project, words: dict, code: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=f"^{code}: "):
        analyst.table("t1", **words)


def test_an_unknown_table_is_refused_with_those_there_are(analyst: workbench.Project) -> None:
    with pytest.raises(InputError, match="it has t1, t2"):
        analyst.table("t9")


def test_the_tables_of_the_policy_show_their_whole_titles(analyst: workbench.Project, server: UnixServer) -> None:
    facts = dict(server.answers[f"GET {API}/projects/{PROJECT}"])  # type: ignore[arg-type]
    long = "a title that goes on and on until nobody reads it any more, yet stands there whole"
    facts["tables"] = [{**facts["tables"][0], "title": {"nl": long, "fr": long, "en": long}}]
    server.answers[f"GET {API}/projects/{PROJECT}"] = facts
    tables = workbench.open().tables
    assert list(tables) == ["t1"]
    assert len(tables) == 1
    assert long in repr(tables)
    assert long in tables._repr_html_()


def test_staff_may_look_at_the_release_too(staff: workbench.Project) -> None:
    assert not staff.table("t1", released=True).is_raw


def test_before_the_first_release_the_gateways_sentence_is_shown(
    analyst: workbench.Project, server: UnixServer
) -> None:
    server.refuse(f"GET {API}/projects/{PROJECT}/tables/t1", 404, "NO_STAGE_ONE", "release it first")
    with pytest.raises(InputError, match="NO_STAGE_ONE: release it first"):
        analyst.table("t1")


def test_the_codebook_has_objects_a_frame_and_three_languages(analyst: workbench.Project) -> None:
    position = analyst.codebook["position"]
    assert position.leaves == ("11", "12", "2")
    assert position.members("1") == {"11", "12"}
    assert position.by_code["1"].valid_from == "2003-03-31"
    assert position.frame[["code", "parent", "level", "label_fr"]].to_numpy().tolist()[1] == [
        "11",
        "1",
        2,
        "label 11 (fr)",
    ]
    assert set(analyst.codebook.frame["variable"]) == {"sex", "position"}
    assert "label 11 (nl)" in position._repr_html_()


def test_an_unknown_variable_is_refused_with_those_there_are(analyst: workbench.Project) -> None:
    with pytest.raises(InputError, match="it has sex, position"):
        analyst.codebook["wage"]


def test_the_language_is_that_of_the_person_unless_another_is_asked_for(opened: Opened) -> None:
    project = opened("tables", language="fr")
    assert "Advice (fr)" in repr(project)
    assert "Advice (nl)" in repr(workbench.open(language="nl"))
    with pytest.raises(InputError, match="nl, fr, en"):
        workbench.open(language="de")


def test_a_project_says_what_it_is_and_what_one_may_do(analyst: workbench.Project) -> None:
    for shown in (repr(analyst), analyst._repr_html_()):
        assert "17/17" in shown
        assert "SCSZG/17/059" in shown
        assert "study (en)" in shown
        assert "SYNTHETIC" in shown
        assert "project.request_release(results" in shown
        assert "project.data()" not in shown


def test_texts_are_escaped(analyst: workbench.Project, server: UnixServer) -> None:
    facts = dict(server.answers[f"GET {API}/projects/{PROJECT}"])  # type: ignore[arg-type]
    facts["purpose"] = "<script>alert(1)</script>"
    server.answers[f"GET {API}/projects/{PROJECT}"] = facts
    assert "<script>" not in workbench.open()._repr_html_()


def test_without_a_project_the_sentence_asks_for_one(
    analyst: workbench.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(workbench.PROJECT, "")
    with pytest.raises(InputError, match="NO_PROJECT"):
        workbench.open()
    assert workbench.open(PROJECT).id == PROJECT
