"""`enclave protect` from the command line: files in, a folder and a report out, and an exit code to trust."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from enclave.cli import main
from enclave.ledger.verify_release import verify
from tests.lib.made_elsewhere import (
    contributors,
    tree,
    write_all,
    write_codelist,
    write_csv,
    write_problem,
)

DIMENSIONS = {"act": tree("a", 3, 3), "size": tree("s", 3), "cj": tree("c", 3), "nuts": tree("n", 3, 2)}
FOUR = {
    "act_size": ["act", "size"],
    "act_cj": ["act", "cj"],
    "nuts_size": ["nuts", "size"],
    "nuts_cj": ["nuts", "cj"],
}
RULES = {"minimum_frequency": 3, "dominance": {"n": 1, "k": 85}}
INTERVAL = {"kind": "interval", "percent": 10}


def run(problem: Path, out: Path) -> int:
    """Run the command; return its exit code."""
    try:
        main(["protect", str(problem), "--out", str(out)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def report_of(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(out.with_name(f"{out.name}.report.json").read_text())
    return found


def cells(path: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    """Value and mark by codes."""
    with path.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    return {tuple(row[:-5]): (row[-3], row[-2]) for row in rows}


def test_four_linked_tables_come_out_verified_with_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = contributors(DIMENSIONS, 150, seed=3)
    problem = write_all(tmp_path, DIMENSIONS, of, FOUR, rules=RULES, need=INTERVAL, weights="value")
    out = tmp_path / "result"
    assert run(problem, out) == 0
    assert verify(out, None) == []
    report = report_of(out)
    assert json.loads(capsys.readouterr().out) == report
    assert set(report) == {
        "cells",
        "primary",
        "secondary",
        "lower_bound",
        "gap",
        "seconds",
        "deterministic",
        "attack",
    }
    assert report["attack"] == {"exact": 0, "below_threshold": 0, "cells_attacked": report["primary"]}
    assert report["deterministic"] is True
    assert 0 < report["lower_bound"] <= report["secondary"]  # type: ignore[operator]
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == {
        "manifest.json",
        "metadata.json",
        "README.txt",
        "tables.xlsx",
        *(f"tables/{table}.csv" for table in FOUR),
        *(f"codelists/{name}.1.csv" for name in DIMENSIONS),
    }
    by_size, by_cj = cells(out / "tables/act_size.csv"), cells(out / "tables/act_cj.csv")
    for code in ("_T", *DIMENSIONS["act"]):
        assert by_size[code, "_T"] == by_cj[code, "_T"]


def test_the_same_problem_gives_the_same_tables(tmp_path: Path) -> None:
    of = contributors(DIMENSIONS, 150, seed=3)
    problem = write_all(tmp_path, DIMENSIONS, of, FOUR, rules=RULES, need=INTERVAL)
    assert run(problem, tmp_path / "one") == run(problem, tmp_path / "two") == 0
    for table in FOUR:
        assert (tmp_path / f"one/tables/{table}.csv").read_bytes() == (
            tmp_path / f"two/tables/{table}.csv"
        ).read_bytes()


@pytest.mark.parametrize("limit", [{"work_limit": 0}, {"time_limit_s": 0}])
def test_without_any_budget_more_is_hidden_but_nothing_is_unsafe(tmp_path: Path, limit: dict[str, int]) -> None:
    of = contributors(DIMENSIONS, 150, seed=3)
    problem = write_all(tmp_path, DIMENSIONS, of, FOUR, rules=RULES, need=INTERVAL, **limit)
    assert run(problem, tmp_path / "hurried") == 0
    hurried = report_of(tmp_path / "hurried")
    problem = write_all(tmp_path, DIMENSIONS, of, FOUR, rules=RULES, need=INTERVAL)
    assert run(problem, tmp_path / "patient") == 0
    assert hurried["secondary"] > report_of(tmp_path / "patient")["secondary"]  # type: ignore[operator]
    assert hurried["deterministic"] is ("work_limit" in limit)


COUNTS: list[tuple[object, ...]] = [
    ("sex", "region", "n"),
    ("M", "A", 2),
    ("F", "A", 9),
    ("M", "B", 14),
    ("F", "B", 7),
    ("M", "C", 8),
    ("F", "C", 11),
]


def counts(folder: Path, rows: Sequence[Sequence[object]] | None = None, name: str = "t", **entries: object) -> Path:
    write_codelist(folder / "sex.csv", {"M": "", "F": ""})
    write_codelist(folder / "region.csv", {"A": "", "B": "", "C": ""})
    write_csv(folder / f"{name}.csv", rows or COUNTS)
    table = {
        "id": name,
        "file": f"{name}.csv",
        "dimensions": {"sex": ["sex.csv"], "region": ["region.csv"]},
        "total": {"sex": "both"},
        "value": "n",
    }
    asked: dict[str, object] = {"rules": {"minimum_frequency": 3}, "need": {"kind": "threshold"}, **entries}
    return write_problem(folder / f"{name}.yaml", tables=[table], **asked)


def test_counts_keep_the_need_of_counts(tmp_path: Path) -> None:
    assert run(counts(tmp_path), tmp_path / "out") == 0
    shown = cells(tmp_path / "out/tables/t.csv")
    assert shown["M", "A"] == ("", "C")
    assert shown["_T", "_T"] == ("51", "F")
    assert report_of(tmp_path / "out")["secondary"] == 3


def test_what_earlier_results_show_stays_known_and_what_they_hide_stays_hidden(tmp_path: Path) -> None:
    assert run(counts(tmp_path, name="first"), tmp_path / "one") == 0
    again = counts(tmp_path, name="second", history=["one"], weights="unit")
    assert run(again, tmp_path / "two") == 0
    assert cells(tmp_path / "two/tables/second.csv") == cells(tmp_path / "one/tables/first.csv")


def test_an_earlier_result_that_gives_a_cell_away_leaves_no_result(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [*COUNTS[:1], ("M", "A", 4), *COUNTS[2:]]
    sums = {"rules": {}, "primary": "flag", "need": INTERVAL}
    flagged = [(*COUNTS[0], "flag"), *((*row, int(row[2] == COUNTS[2][2])) for row in rows[1:])]
    assert run(counts(tmp_path, rows, name="first"), tmp_path / "one") == 0
    assert run(counts(tmp_path, flagged, name="second", history=["one"], **sums), tmp_path / "two") == 1
    assert not (tmp_path / "two").exists()
    assert not (tmp_path / "two.partial").exists()
    assert report_of(tmp_path / "two")["attack"]["exact"] == 1  # type: ignore[index]


WRONG: dict[str, list[tuple[object, ...]]] = {
    "TOTAL_CONTRADICTS": [("both", "A", 12)],
    "NEGATIVE_VALUE": [("both", "A", -11)],
    "UNKNOWN_CODE": [("X", "A", 3)],
    "CELL_TWICE": [("M", "A", 2)],
    "VALUE_NOT_A_NUMBER": [("both", "A", "eleven")],
    "VALUE_MISSING": [("both", "A", "")],
    "VALUE_TOO_LARGE": [("both", "A", 10**17)],
}


@pytest.mark.parametrize("code", WRONG)
def test_wrong_rows_are_named_by_file_line_and_codes_without_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    assert run(counts(tmp_path, [*COUNTS, *WRONG[code]]), tmp_path / "out") == 11
    said = capsys.readouterr().err
    assert code in said
    assert "t.csv" in said
    assert not (tmp_path / "out").exists()
    for figure in ("12", "11", "eleven", "100000"):
        assert figure not in said


def small_problem(folder: Path, **entries: object) -> Path:
    of = contributors(DIMENSIONS, 60, seed=5)
    asked = {"rules": RULES, "need": INTERVAL, **entries}
    return write_all(folder, DIMENSIONS, of, {"act_size": ["act", "size"]}, **asked)


BAD_PROBLEMS: dict[str, dict[str, object]] = {
    "is not known here": {"colour": "red"},
    "needs minimum_frequency": {"rules": {"p_percent": 10}, "need": {"kind": "threshold"}},
    "is a need of counts": {"need": {"kind": "threshold"}},
    "has a percent": {"need": {"kind": "interval"}},
    "n is 1 or 2": {"rules": {"dominance": {"n": 3, "k": 85}}},
    "dominance needs n and k": {"rules": {"dominance": {"n": 1}}},
    "at least one rule": {"rules": {}},
    "not both": {"work_limit": 5, "time_limit_s": 5},
    "must be a list": {"history": "one"},
    "'zeros' is one of": {"zeros": "blank"},
    "whole number of at least 0": {"work_limit": -1},
    "there is no column 'FLAG'": {"primary": "FLAG"},
    "at least one table": {"tables": []},
    "must hold keys and values": {"tables": ["act_size"]},
}


@pytest.mark.parametrize("said", BAD_PROBLEMS)
def test_a_problem_that_makes_no_sense_is_refused_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    problem = small_problem(tmp_path)
    entries = yaml.safe_load(problem.read_text()) | BAD_PROBLEMS[said]
    assert run(write_problem(problem, **entries), tmp_path / "out") == 11
    assert said in capsys.readouterr().err


BAD_LISTS: dict[str, dict[str, str]] = {
    "CODELIST_CYCLE": {"A": "B", "B": "A"},
    "CODELIST_PARENT": {"A": "Z"},
    "VARIABLE_EMPTY": {},
    "CODELIST_CODE": {"A|B": ""},
}


@pytest.mark.parametrize("code", BAD_LISTS)
def test_code_lists_that_are_no_trees_are_refused_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    problem = counts(tmp_path)
    write_codelist(tmp_path / "region.csv", BAD_LISTS[code])
    assert run(problem, tmp_path / "out") == 11
    said = capsys.readouterr().err
    assert code in said
    assert "region" in said


def test_two_tables_that_disagree_are_named_with_the_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = counts(tmp_path)
    entries = yaml.safe_load(problem.read_text())
    write_csv(tmp_path / "u.csv", [("sex", "n"), ("M", 24), ("F", 28)])
    table = {"id": "u", "file": "u.csv", "dimensions": {"sex": ["sex.csv"]}, "value": "n"}
    entries["tables"].append(table)
    assert run(write_problem(problem, **entries), tmp_path / "out") == 11
    said = capsys.readouterr().err
    assert "TABLES_DISAGREE" in said
    assert "'u'" in said
    assert "28" not in said


def test_too_many_codes_are_refused_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = counts(tmp_path)
    for name in ("sex", "region"):
        write_codelist(tmp_path / f"{name}.csv", dict.fromkeys([*"MFABC", *(f"x{i}" for i in range(1000))], ""))
    assert run(problem, tmp_path / "out") == 11
    assert "TOO_MANY_CELLS" in capsys.readouterr().err


def test_a_variable_with_a_thousand_codes_is_protected(tmp_path: Path) -> None:
    codes = [f"m{i:04}" for i in range(1000)]
    write_codelist(tmp_path / "m.csv", dict.fromkeys(codes, ""))
    rows = [("m", "n"), *((code, 2 if i == 7 else 10 + i) for i, code in enumerate(codes))]
    write_csv(tmp_path / "t.csv", rows)
    table = {"id": "t", "file": "t.csv", "dimensions": {"m": ["m.csv"]}, "value": "n"}
    problem = write_problem(tmp_path / "p.yaml", tables=[table], rules={"minimum_frequency": 3})
    assert run(problem, tmp_path / "out") == 0
    assert report_of(tmp_path / "out")["secondary"] == 1


def test_decimals_stay_exact(tmp_path: Path) -> None:
    write_codelist(tmp_path / "m.csv", dict.fromkeys("abcd", ""))
    rows = [("m", "v", "p"), ("a", "0.10", 1), ("b", "0.2", 0), ("c", "1e-1", 0), ("d", "7.125", 0), ("_T", "7.525", 0)]
    write_csv(tmp_path / "t.csv", rows)
    table = {"id": "t", "file": "t.csv", "dimensions": {"m": ["m.csv"]}, "value": "v"}
    problem = write_problem(tmp_path / "p.yaml", tables=[table], primary="p", need=INTERVAL, weights="value")
    assert run(problem, tmp_path / "out") == 0
    assert verify(tmp_path / "out", None) == []
    shown = cells(tmp_path / "out/tables/t.csv")
    assert shown["a",] == ("", "C")
    assert shown["d",] == ("7.125", "F")
    assert report_of(tmp_path / "out")["secondary"] == 1


def test_two_marks_tell_primary_from_secondary(tmp_path: Path) -> None:
    assert run(small_problem(tmp_path, mark="two"), tmp_path / "out") == 0
    marks = [mark for _, mark in cells(tmp_path / "out/tables/act_size.csv").values()]
    report = report_of(tmp_path / "out")
    assert (marks.count("C"), marks.count("D")) == (report["primary"], report["secondary"])


def test_a_hierarchy_may_be_given_twice_and_a_total_by_name(tmp_path: Path) -> None:
    write_codelist(tmp_path / "m.1.csv", {"x": "", "a": "x", "b": "x", "c": ""})
    write_codelist(tmp_path / "m.2.csv", {"All": "", "y": "All", "a": "All", "b": "y", "c": "y"})
    write_csv(tmp_path / "t.csv", [("m", "n"), ("a", 2), ("b", 9), ("c", 8), ("All", 19)])
    table = {
        "id": "t",
        "file": "t.csv",
        "dimensions": {"m": ["m.1.csv", "m.2.csv"]},
        "total": {"m": "All"},
        "value": "n",
    }
    problem = write_problem(tmp_path / "p.yaml", tables=[table], rules={"minimum_frequency": 3})
    assert run(problem, tmp_path / "out") == 0
    shown = cells(tmp_path / "out/tables/t.csv")
    assert list(shown) == [("_T",), ("x",), ("a",), ("b",), ("c",), ("y",)]
    assert shown["a",] == ("", "C")


def test_structural_zeros_are_the_combinations_that_a_file_leaves_out(tmp_path: Path) -> None:
    rows = [*COUNTS[:1], ("M", "A", 0), *COUNTS[2:6]]
    assert run(counts(tmp_path, rows, zeros="structural"), tmp_path / "out") == 0
    shown = cells(tmp_path / "out/tables/t.csv")
    assert shown["M", "A"] == ("", "C")
    assert shown["F", "C"] == ("0", "F")


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = counts(tmp_path)
    assert run(problem, tmp_path / "out") == 0
    before = (tmp_path / "out/manifest.json").read_bytes()
    assert run(problem, tmp_path / "out") == 11
    assert (tmp_path / "out/manifest.json").read_bytes() == before
    assert run(problem, tmp_path / "missing" / "out") == 11
    assert "FOLDER_MISSING" in capsys.readouterr().err


def test_a_linked_table_is_protected_beside_an_earlier_result_whose_cells_it_does_not_hold(tmp_path: Path) -> None:
    of = contributors(DIMENSIONS, 120, seed=7)
    asked = {"rules": RULES, "need": INTERVAL}
    first = write_all(tmp_path, DIMENSIONS, of, {"act_size": ["act", "size"]}, **asked)
    assert run(first, tmp_path / "one") == 0
    second = write_all(tmp_path, DIMENSIONS, of, {"act_cj": ["act", "cj"]}, history=["one"], **asked)
    assert run(second, tmp_path / "two") == 0
    before, after = cells(tmp_path / "one/tables/act_size.csv"), cells(tmp_path / "two/tables/act_cj.csv")
    for code in ("_T", *DIMENSIONS["act"]):
        assert before[code, "_T"][1] == "F" or after[code, "_T"][1] != "F"
        assert after[code, "_T"][1] == "F" or before[code, "_T"][1] != "F"


BAD_FILES: dict[str, bytes] = {
    "CSV_EMPTY": b"",
    "CSV_COLUMN": b"sex,region,m\n",
    "CSV_COLUMN_TWICE": b"sex,sex,n\n",
    "CSV_FIELDS": b"sex,region,n\nM,A\n",
    "CSV_SYNTAX": b'sex,region,n\n"M"x,A,1\n',
    "FILE_ENCODING": b"sex,region,n\n\xff,A,1\n",
}


@pytest.mark.parametrize("code", BAD_FILES)
def test_files_that_are_no_tables_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    problem = counts(tmp_path)
    (tmp_path / "t.csv").write_bytes(BAD_FILES[code])
    assert run(problem, tmp_path / "out") == 11
    said = capsys.readouterr().err
    assert code in said
    assert "t.csv" in said
    (tmp_path / "t.csv").unlink()
    assert run(problem, tmp_path / "out") == 11
    assert "FILE_MISSING" in capsys.readouterr().err


def test_counts_are_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(counts(tmp_path, [*COUNTS[:-1], ("F", "C", "11.5")]), tmp_path / "out") == 11
    assert "COUNT_NOT_WHOLE" in capsys.readouterr().err
