import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from enclave.errors import EnclaveBug, RequestError
from enclave.ledger.release_content import MarkMeaning, PolicyReference, ReleaseContent, ReleaseTable
from enclave.ledger.release_files import render
from enclave.ledger.tables_csv import table_csv
from enclave.sdc.table import Mark, ProtectedTable, TableSpec, Variable
from enclave.sdc.words import Words
from tests.lib.releases import POSITION, SEX, by_sex, by_sex_and_position, content, words


def small(values: list[int], marks: str, structural: str = "", decimals: int = 0) -> ProtectedTable:
    """Return a table of two sexes and their total in one period."""
    spec = TableSpec("t1", (SEX,), ("2009-Q2",), "clients")
    zeros = [[place in structural for place in "012"]]
    return ProtectedTable(spec, np.array([values]), np.array([list(marks)]), np.array(zeros), decimals)


def test_a_table_holds_every_combination_in_canonical_order() -> None:
    rows = list(csv.reader(io.StringIO(table_csv(by_sex_and_position()).decode())))
    assert rows[0] == ["sex", "position", "TIME_PERIOD", "UNIT", "OBS_VALUE", "CONF_STATUS", "OBS_STATUS"]
    places = [tuple(row[:3]) for row in rows[1:]]
    expected = [(s, p, t) for s in SEX.codes for p in POSITION.codes for t in ("2009-Q2", "2009-Q3")]
    assert places == expected
    figures = {place: row[3:] for place, row in zip(places, rows[1:], strict=True)}
    assert figures["_T", "1", "2009-Q3"] == ["person", "125", "F", "A"]
    assert figures["1", "11", "2009-Q2"] == ["person", "", "C", "A"]


def test_lines_end_in_lf_and_text_is_utf8() -> None:
    files = render(content())
    assert all(b"\r" not in data for path, data in files.items() if path.endswith(".csv"))
    assert "é" in files["codelists/sex.1.csv"].decode()


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0, 0, "0"), (12, 0, "12"), (-3, 0, "-3"), (5, 1, "0.5"), (-5, 1, "-0.5"), (1234, 2, "12.34"), (100, 2, "1.00")],
)
def test_scaled_figures_are_printed_right(value: int, decimals: int, text: str) -> None:
    assert f",{text},F,A" in table_csv(small([value, 0, 0], "FFF", decimals=decimals)).decode()


def test_statuses_tell_structural_zero_missing_and_not_applicable_apart() -> None:
    text = table_csv(small([0, 0, 0], "FNL", structural="0")).decode()
    assert text.splitlines()[1:] == [
        "_T,2009-Q2,person,0,F,Z",
        "1,2009-Q2,person,,F,N",
        "2,2009-Q2,person,,F,L",
    ]


def test_each_hierarchy_has_its_own_code_list() -> None:
    files = render(content())
    first = files["codelists/position.1.csv"].decode().splitlines()
    assert first[0] == "code,parent,label_nl,label_fr,label_en"
    assert first[2] == "11,1,position 11 nl,position 11 é fr,position 11 en"
    assert files["codelists/position.2.csv"].decode().splitlines()[1].startswith("active,,")
    assert "codelists/position.3.csv" not in files


def test_a_variable_that_only_filters_has_its_code_list_too() -> None:
    made = replace(content(), tables=content().tables[2:])
    assert "codelists/position.1.csv" in render(made)


def test_metadata_is_well_formed_csvw() -> None:
    files = render(content())
    metadata = json.loads(files["metadata.json"])
    assert metadata["@context"] == ["http://www.w3.org/ns/csvw", {"@language": "en"}]
    assert {table["url"] for table in metadata["tables"]} == {path for path in files if path.endswith(".csv")}
    for table in metadata["tables"]:
        rows = csv.reader(io.StringIO(files[table["url"]].decode()))
        schema = table["tableSchema"]
        assert [column["titles"] for column in schema["columns"]] == next(rows)
        assert [column["name"] for column in schema["columns"]] == [c["titles"] for c in schema["columns"]]
        assert set(schema["primaryKey"]) <= {column["name"] for column in schema["columns"]}
        assert [title["@language"] for title in table["dc:title"]] == ["nl", "fr", "en"]


def test_csvw_primary_keys_are_keys_and_datatypes_fit() -> None:
    files = render(content(tables=[small([11, 6, 5], "FFF", decimals=1)]))
    table = json.loads(files["metadata.json"])["tables"][0]
    rows = list(csv.DictReader(io.StringIO(files[table["url"]].decode())))
    keys = [tuple(row[name] for name in table["tableSchema"]["primaryKey"]) for row in rows]
    assert len(set(keys)) == len(rows)
    types = {column["name"]: column["datatype"] for column in table["tableSchema"]["columns"]}
    assert types["OBS_VALUE"] == "decimal"
    assert types["CONF_STATUS"] == {"base": "string", "format": "F|C"}


def test_made_up_data_are_stamped_everywhere_that_people_read() -> None:
    stamped, real = render(content()), render(content(synthetic=False))
    for path in ("README.txt", "metadata.json"):
        assert b"SYNTHETIC" in stamped[path]
        assert b"SYNTHETIC" not in real[path]
    assert stamped["README.txt"].count(b"SYNTHETIC") == 3
    assert stamped["tables.xlsx"] != real["tables.xlsx"]


def test_the_readme_speaks_three_languages_and_says_how_to_verify() -> None:
    text = render(content())["README.txt"].decode()
    assert all(f"Title {language}" in text for language in ("nl", "é fr", "en"))
    assert text.count("python3 verify_release.py FOLDER --key PUBLIC_KEY.pem") == 3
    assert text.count("17/17 (SCSZG/17/059)") == 3


def test_the_same_content_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from tests.lib.releases import content; from enclave.ledger.release_files import render;"
        "print({path: hashlib.sha256(data).hexdigest() for path, data in render(content()).items()})"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(found) == 1


def test_a_figure_behind_a_mark_stops_everything() -> None:
    with pytest.raises(EnclaveBug, match="HIDDEN_FIGURE"):
        content(tables=[small([9, 4, 0], "FCC")])


def test_a_mark_without_meaning_stops_everything() -> None:
    with pytest.raises(EnclaveBug, match="MARK_UNEXPLAINED"):
        content(tables=[small([9, 0, 0], "FDD")])


@pytest.mark.parametrize(("values", "marks"), [([1, 1, 0], "FFF"), ([0, 0, 0], "CFF")])
def test_a_structural_zero_is_shown_and_zero(values: list[int], marks: str) -> None:
    with pytest.raises(EnclaveBug, match="STRUCTURAL_ZERO"):
        content(tables=[small(values, marks, structural="0")])


@pytest.mark.parametrize("code", ["=1+1", "+1", "-1", "@A", "a\tb"])
def test_a_code_that_begins_like_a_formula_is_refused(code: str) -> None:
    spec = TableSpec("t1", (Variable.flat("sex", [code]),), ("2009-Q2",), "clients")
    table = ProtectedTable(spec, np.zeros((1, 2), np.int64), np.full((1, 2), "F"), np.zeros((1, 2), np.bool_))
    with pytest.raises(RequestError, match="FORMULA_TEXT"):
        replace(content(), tables=(ReleaseTable(table, words("t")),), labels={"sex": {code: words("x")}})


def test_a_label_that_begins_like_a_formula_is_refused() -> None:
    labels = {**content().labels, "sex": {"1": Words("=cmd", "b", "c"), "2": words("x")}}
    with pytest.raises(RequestError, match="FORMULA_TEXT"):
        replace(content(), labels=labels)


def test_every_code_needs_its_words() -> None:
    made = content()
    with pytest.raises(RequestError, match="code '2' of 'sex' has no label"):
        replace(made, labels={**made.labels, "sex": {"1": words("x")}})
    with pytest.raises(RequestError, match="variable 'sex' has no name"):
        replace(made, names={"position": words("p")})


def test_tables_need_ids_that_can_name_a_file_and_stand_once() -> None:
    table = replace(by_sex(), spec=replace(by_sex().spec, id="../t"))
    with pytest.raises(RequestError, match="RELEASE_ID"):
        content(tables=[table])
    with pytest.raises(RequestError, match="RELEASE_TABLES"):
        content(tables=[by_sex(), by_sex()])
    with pytest.raises(RequestError, match="RELEASE_TABLES"):
        content(tables=[])


@pytest.mark.parametrize("codes", [(), ("F",), ("N",), ("C", "C")])
def test_marks_are_explained_once_and_free_of_the_standing_ones(codes: tuple[str, ...]) -> None:
    marks = tuple(MarkMeaning(Mark(code, 0, None), words("m")) for code in codes)
    with pytest.raises(RequestError, match="RELEASE_MARKS"):
        replace(content(tables=[by_sex()]), marks=marks)


def test_one_variable_has_one_code_list() -> None:
    spec = TableSpec("t9", (Variable.flat("sex", ["1"]),), ("2009-Q2",), "clients")
    table = ProtectedTable(spec, np.zeros((1, 2), np.int64), np.full((1, 2), "F"), np.zeros((1, 2), np.bool_))
    with pytest.raises(EnclaveBug, match="VARIABLE_TWO_WAYS"):
        content(tables=[by_sex(), table])


def test_the_policy_is_named_by_a_whole_hash() -> None:
    with pytest.raises(EnclaveBug, match="POLICY_HASH"):
        PolicyReference("p", "d", "n", 1, "abc")


@pytest.mark.full
@pytest.mark.timeout(60)
def test_a_large_table_renders_in_seconds() -> None:
    household = Variable.flat("household", [f"h{number:02}" for number in range(12)])
    position = Variable.flat("position", [f"p{number:02}" for number in range(37)])
    region = Variable.flat("region", ["a", "b", "c", "d"])
    periods = tuple(f"{year}-Q{quarter}" for year in range(2009, 2014) for quarter in range(1, 5))
    spec = TableSpec("t6", (SEX, household, region, position), periods, "clients")
    large = ProtectedTable(
        spec, np.zeros(spec.shape, np.int64), np.full(spec.shape, "F"), np.zeros(spec.shape, np.bool_)
    )
    labels = {v.id: {code: words(code) for code in v.codes[1:]} for v in spec.dimensions}
    made: ReleaseContent = replace(
        content(),
        tables=(ReleaseTable(large, words("large")),),
        names={v.id: words(v.id) for v in spec.dimensions},
        labels=labels,
    )
    assert len(render(made)["tables/t6.csv"].splitlines()) == 1 + large.values.size
