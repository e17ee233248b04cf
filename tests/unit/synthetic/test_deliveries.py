"""The files of a delivery: what institutions would send, as the schemas of the sources ask for it."""

import csv
import hashlib
import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from pyarrow import parquet

from enclave.errors import SetupError
from enclave.policy.quarter import Quarter
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.files import SourceFolder
from enclave.synthetic.presets import FileFormat, Preset
from enclave.synthetic.references import References
from tests.lib.made_up import CLASSIFICATIONS, DeliveryFolder

SOURCES = CLASSIFICATIONS.parent / "sources"
WINDOW = [str(quarter) for quarter in Quarter(2009, 2).span(20)]
COHORTS = WINDOW[:4]
Row = dict[str, str]


def _read(folder: Path, source: str, period: str = "") -> list[Row]:
    name = f"{source}_{period}.csv" if period else f"{source}.csv"
    with (folder / source / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def clean(tiny: DeliveryFolder) -> Path:
    return tiny(with_faults=False)


def test_all_files_are_there(clean: Path) -> None:
    expected = {f"support/support_{period}.csv" for period in COHORTS} | {"clusters/clusters.csv", "faults.json"}
    expected |= {f"{source}/{source}_{period}.csv" for source in ("register", "positions") for period in WINDOW}
    expected |= {f"{source}/delivery.json" for source in ("support", "register", "positions", "clusters")}
    assert set(_bytes(clean)) == expected


def test_the_same_seed_gives_the_same_bytes(references: References, tiny: DeliveryFolder, tmp_path: Path) -> None:
    write_deliveries(Preset.TINY, tmp_path, year=2016, seed=7, references=references, progress=lambda _: None)
    assert _bytes(tmp_path) == _bytes(tiny(year=2016, seed=7))
    other = _bytes(tiny(year=2016, seed=8))
    assert other["support/support_2009-Q2.csv"] != _bytes(tmp_path)["support/support_2009-Q2.csv"]


def test_a_quarter_is_the_same_file_whichever_year_it_is_delivered_for(tiny: DeliveryFolder) -> None:
    first, second = (_bytes(tiny(year=year, seed=7)) for year in (2016, 2017))
    shared = {f"{source}/{source}_{period}.csv" for source in ("register", "positions") for period in WINDOW[4:]}
    assert {name for name in shared if first[name] == second[name]} == shared


def test_every_delivery_is_stamped_and_lists_its_files_with_hashes(clean: Path) -> None:
    for source in ("support", "register", "positions", "clusters"):
        letter = json.loads((clean / source / "delivery.json").read_text(encoding="utf-8"))
        files = {path.name for path in (clean / source).iterdir()} - {"delivery.json"}
        assert (letter["stamp"], letter["source"], set(letter["files"])) == ("SYNTHETIC", source, files)
        assert letter["institution"]
        for name, digest in letter["files"].items():
            assert hashlib.sha256((clean / source / name).read_bytes()).hexdigest() == digest


def _codes(classification: str) -> set[str]:
    with (CLASSIFICATIONS / f"{classification}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    parents = {row["parent"] for row in rows}
    return {row.get("delivered_as") or row["code"] for row in rows if row["code"] not in parents} - {"XX"}


@pytest.mark.parametrize("source", ["support", "register", "positions", "clusters"])
def test_rows_are_as_the_schema_of_the_source_asks(clean: Path, source: str) -> None:
    schema = yaml.safe_load((SOURCES / f"{source}.yaml").read_text(encoding="utf-8"))
    periods = {"support": COHORTS, "clusters": [""]}.get(source, WINDOW)
    for period in periods:
        rows = _read(clean, source, period)
        assert list(rows[0]) == [column["name"] for column in schema["columns"]]
        for column in schema["columns"]:
            values = {row[column["name"]] for row in rows}
            assert not column["required"] or "" not in values, column["name"]
            _check_values(values - {""}, column, period)
        keys = [tuple(row[name] for name in schema["unique"]) for row in rows]
        assert len(set(keys)) == len(keys)


def _check_values(values: set[str], column: dict[str, object], period: str) -> None:
    if column["kind"] == "code":
        allowed = set(map(str, column["codes"])) if "codes" in column else _codes(str(column["codelist"]))  # type: ignore[call-overload]  # YAML
        assert values <= allowed, column["name"]
    if column["kind"] == "date":
        days = {date.fromisoformat(value) for value in values}
        quarter = Quarter.parse(period) if column.get("within_period") else None
        assert all(quarter is None or quarter.first_day <= day <= quarter.last_day for day in days)


def test_spells_are_periods_and_do_not_overlap(clean: Path) -> None:
    several = 0
    for period in COHORTS:
        last: dict[str, str] = {}
        for row in _read(clean, "support", period):
            assert row["start"] <= row["end"]
            assert row["start"] <= str(Quarter.parse(period).last_day)
            assert last.get(row["insz"], "") < row["start"]
            several += row["insz"] in last
            last[row["insz"]] = row["end"]
    assert several > 50


def test_a_spell_that_ran_to_the_end_of_the_quarter_goes_on_from_its_own_start(clean: Path) -> None:
    """A start that lies before the quarter is the start of a spell of the quarter before."""
    before = {(row["insz"], row["start"]) for row in _read(clean, "support", COHORTS[0])}
    first = str(Quarter.parse(COHORTS[1]).first_day)
    assert {
        (row["insz"], row["start"]) for row in _read(clean, "support", COHORTS[1]) if row["start"] < first
    } <= before


def test_register_and_positions_hold_everybody_in_support_and_others_who_do_not_count(clean: Path) -> None:
    people = {row["insz"] for period in COHORTS for row in _read(clean, "support", period)}
    rmi = {row["insz"] for period in COHORTS for row in _read(clean, "support", period) if row["regime"] == "RMI"}
    assert len(rmi) == 2_000
    assert len(people) > 2_100
    found = {
        frozenset(row["insz"] for row in _read(clean, source, period))
        for period in (WINDOW[0], WINDOW[-1])
        for source in ("register", "positions")
    }
    assert len(found) == 1
    assert found.pop() > people


def test_activated_people_look_like_workers_at_quarter_end(clean: Path) -> None:
    for period in COHORTS:
        end = str(Quarter.parse(period).last_day)
        position = {row["insz"]: row["position"] for row in _read(clean, "positions", period)}
        support = [row for row in _read(clean, "support", period) if row["end"] == end and row["start"] < end]
        seen = {(row["regime"], row["form"], position[row["insz"]]) for row in support}
        assert {place for regime, form, place in seen if form == "activation"} <= {"111", "112"}
        assert ("RMI", "living_wage", "331") in seen
        assert ("RMI", "living_wage", "332") not in seen


def test_the_dead_stay_in_the_register_without_home_and_household(clean: Path) -> None:
    for period in WINDOW[::6]:
        position = {row["insz"]: row["position"] for row in _read(clean, "positions", period)}
        for row in _read(clean, "register", period):
            if row["death"]:
                assert row["death"] <= str(Quarter.parse(period).last_day)
                assert (row["municipality"], row["lipro"], position[row["insz"]]) == ("", "", "4")
    dead = [
        {row["insz"]: row["death"] for row in _read(clean, "register", period) if row["death"]} for period in WINDOW
    ]
    assert dead[-1]
    assert all(earlier.items() <= later.items() for earlier, later in pairwise(dead))


def test_nobody_has_support_after_death(clean: Path) -> None:
    death = {row["insz"]: row["death"] for row in _read(clean, "register", WINDOW[-1]) if row["death"]}
    for period in COHORTS:
        for row in _read(clean, "support", period):
            assert row["end"] <= death.get(row["insz"], "9")


def test_sex_never_changes_and_fits_the_number_origin_changes_one_way(clean: Path) -> None:
    first, last = ({row["insz"]: row for row in _read(clean, "register", period)} for period in (WINDOW[0], WINDOW[-1]))
    changes = {(row["origin"], last[insz]["origin"]) for insz, row in first.items()}
    assert changes == {("BE", "BE"), ("VR", "VR"), ("VR", "BE")}
    for insz, row in first.items():
        assert row["sex"] == last[insz]["sex"] == "FM"[int(insz[8]) % 2]


def test_two_years_are_one_world(tiny: DeliveryFolder) -> None:
    first, second = tiny(year=2016, with_faults=False), tiny(year=2017, with_faults=False)
    people = [{row["insz"] for row in _read(folder, "register", "2011-Q1")} for folder in (first, second)]
    assert len(people[0] & people[1]) > 0.55 * len(people[1])
    for source in ("register", "positions"):
        for period in ("2010-Q2", "2014-Q1"):
            one, other = ({row["insz"]: row for row in _read(folder, source, period)} for folder in (first, second))
            assert all(other[insz] == row for insz, row in one.items() if insz in other)
    assert not (second / "register" / "register_2010-Q1.csv").exists()
    assert (second / "register" / "register_2015-Q1.csv").exists()


def test_every_municipality_has_one_cluster_each_day_and_one_changes(clean: Path) -> None:
    rows: dict[str, list[Row]] = {}
    for row in _read(clean, "clusters"):
        rows.setdefault(row["municipality"], []).append(row)
    assert set(rows) == _codes("municipalities")
    assert {row["cluster"] for dated in rows.values() for row in dated} == _codes("clusters")
    changed = [dated for dated in rows.values() if len(dated) > 1]
    assert len(changed) == 1
    earlier, later = sorted(changed[0], key=lambda row: row["valid_from"])
    assert date.fromisoformat(earlier["valid_to"]) + timedelta(days=1) == date.fromisoformat(later["valid_from"])
    assert earlier["cluster"] != later["cluster"]
    assert all(dated[-1]["valid_to"] == "" and dated[0]["valid_from"] < "2009" for dated in rows.values())


def test_a_parquet_file_is_stamped_and_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = {
        name: np.array(values, dtype=object)
        for name, values in {
            "insz": ["00611200101"] * 3,
            "lipro": ["SING", "", "MAR+"],
            "death": ["", "2010-01-02", ""],
        }.items()
    }
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        SourceFolder(tmp_path / name, "register").add("2009-Q2", rows, FileFormat.PARQUET)
    path = tmp_path / "one" / "register" / "register_2009-Q2.parquet"
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
    table = parquet.read_table(path)
    assert table.schema.metadata[b"stamp"] == b"SYNTHETIC"
    assert table.column("lipro").to_pylist() == ["SING", None, "MAR+"]
    assert table.column("death").to_pylist() == [None, date(2010, 1, 2), None]


def test_a_folder_that_is_not_empty_is_left_alone(references: References, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep", encoding="utf-8")
    with pytest.raises(SetupError, match="SYNTHETIC_FOLDER"):
        write_deliveries(Preset.TINY, tmp_path, year=2016, seed=1, references=references, progress=lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
