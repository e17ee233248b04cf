"""The second count itself, on a delivery of nine made-up persons that can be counted by eye."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from tests.lib.recount import TABLES, Key, compare, recount

CODE_LISTS = Path(__file__).parents[2] / "policies" / "classifications"
QUARTERS = [f"{quarter.year}-Q{quarter.quarter}" for quarter in pd.period_range("2009Q2", periods=20, freq="Q")]
Row = tuple[str, ...]


def number(body: int, *, from_2000: bool = False) -> str:
    """Return a made-up identification number: month 61, which no person has."""
    return f"{body:09d}{97 - (body + 2_000_000_000 * from_2000) % 97:02d}"


ANNA, BRAM, CLEO, DIRK, EMMA, FINN, GINA, HUGO = (number(806101000 + place) for place in range(2, 10))
GINA = number(16101006, from_2000=True)
WRONG = f"{ANNA[:9]}{(int(ANNA[9:]) + 1) % 97:02d}"
STRANGER = number(706101333)

SUPPORT: dict[str, list[Row]] = {
    "2009-Q2": [
        (ANNA, "RMI", "living_wage", "2009-04-01", "2009-04-30", "11002"),
        (ANNA, "RMI", "living_wage", "2009-05-01", "2009-06-30", "21004"),  # the latest start: Brussels
        (BRAM, "RMI", "living_wage", "2008-01-01", "2009-06-30", "11002"),
        (BRAM, "RMI", "activation", "2008-01-01", "2009-04-01", "11001"),  # the same start: the lowest number
        (CLEO, "RMH", "living_wage", "2009-04-01", "2009-06-30", "11002"),  # equivalent: does not count
        (DIRK, "RMH", "activation", "2009-04-01", "2009-06-30", "11002"),
        (GINA, "RMI", "living_wage", "2009-06-30", "2009-06-30", "11001"),  # one day
        (HUGO, "RMI", "living_wage", "2009-04-01", "2009-06-30", "62063"),
        (HUGO, "RMI", "living_wage", "2009-04-01", "2009-06-30", "62063"),  # an exact copy
        (WRONG, "RMI", "living_wage", "2009-04-01", "2009-06-30", "11001"),
        (STRANGER, "RMI", "living_wage", "2009-04-01", "2009-07-01", "11001"),  # out of the quarter
        (STRANGER, "RMI", "=1+1", "2009-04-01", "2009-06-30", "11001"),
        (STRANGER, "RMI", "living_wage", "2009-04-01", "2009-06-30", "11000"),  # a district
        (STRANGER, "RMI", "living_wage", "2009-04-01", "2009-06-30", "11001", "one too many"),
        (STRANGER, "RMI", "living_wage\udcff", "2009-04-01", "2009-06-30", "11001"),  # not UTF-8
        (STRANGER, "RMI", "living_wage", "2009-02-30", "2009-06-30", "11001"),
    ],
    "2009-Q3": [
        (BRAM, "RMI", "living_wage", "2009-07-01", "2009-09-30", "21004"),  # stays in the first group
        (CLEO, "RMI", "living_wage", "2009-07-01", "2009-09-30", "11001"),
    ],
    "2009-Q4": [(EMMA, "RMI", "activation", "2009-10-01", "2009-12-31", "62063")],
    "2010-Q1": [(FINN, "RMI", "activation", "2010-01-01", "2010-03-31", "62063")],  # has changed cluster by now
}
CLUSTERS: list[Row] = [
    ("11001", "K01", "2001-01-01", ""),
    ("11002", "K02", "2001-01-01", "9999-12-31"),
    ("62063", "K06", "2001-01-01", "2009-12-31"),
    ("62063", "K07", "2010-01-01", ""),
]
HOME: dict[str, tuple[str, str, str, str]] = {
    ANNA: ("F", "21004", "SING", "BE"),
    BRAM: ("M", "11002", "MAR+", "BE"),
    CLEO: ("F", "11001", "", "VR"),
    DIRK: ("M", "11001", "SING", "BE"),
    EMMA: ("F", "62063", "H1PA", "VR"),
    FINN: ("M", "62063", "SING", "BE"),
    GINA: ("F", "11001", "C1PA", "BE"),
    HUGO: ("M", "62063", "COLL", "VR"),
}


def register(quarter: str) -> list[Row]:
    """Emma dies; Hugo becomes Belgian, then leaves the country; Finn is once in the register with two answers."""
    rows: list[Row] = []
    for insz, (sex, home, lipro, origin) in HOME.items():
        is_dead = insz == EMMA and quarter >= "2010-Q2"
        has_left = insz == HUGO and quarter >= "2011-Q1"
        place = ("", "") if has_left else (home, lipro)
        own = "BE" if insz == HUGO and quarter >= "2010-Q3" else origin
        rows.append((insz, sex, *place, own, "2010-05-10" if is_dead else ""))
    if quarter == "2012-Q1":
        rows.append((FINN, "M", "11001", "SING", "VR", ""))
    return rows


def positions(quarter: str) -> list[Row]:
    """Everybody has the position 331, Anna works, and nobody knows what Bram does in one quarter."""
    rows = [(insz, "111" if insz == ANNA else "331") for insz in HOME if (insz, quarter) != (BRAM, "2010-Q1")]
    return [*rows, (STRANGER, "33")]


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deliveries")
    for place, quarter in enumerate(QUARTERS):
        name = f"{quarter}.parquet" if place % 2 else f"{quarter}.csv"
        columns = ("insz", "sex", "municipality", "lipro", "origin", "death")
        write(folder / "register" / f"register_{name}", columns, register(quarter))
        write(folder / "positions" / f"positions_{name}", ("insz", "position"), positions(quarter))
    for quarter, rows in SUPPORT.items():
        columns = ("insz", "regime", "form", "start", "end", "municipality")
        write(folder / "support" / f"support_{quarter}.csv", columns, rows)
    write(folder / "clusters" / "clusters.csv", ("municipality", "cluster", "valid_from", "valid_to"), CLUSTERS)
    return folder


def write(file: Path, columns: tuple[str, ...], rows: list[Row]) -> None:
    file.parent.mkdir(exist_ok=True)
    if file.suffix == ".csv":
        lines = [",".join(row) + "\n" for row in (columns, *rows)]
        file.write_bytes("".join(lines).encode("utf-8", "surrogateescape"))
        return
    frame = pd.DataFrame(rows, columns=list(columns)).replace("", None)
    if "death" in frame:
        frame["death"] = pd.to_datetime(frame["death"]).dt.date
    frame.to_parquet(file)


@pytest.fixture(scope="module")
def counts(deliveries: Path) -> dict[Key, int]:
    return recount(deliveries, CODE_LISTS, 2016)


def cells(counts: Mapping[Key, int], table: str, quarter: str) -> dict[str, int]:
    return {
        " ".join(codes): persons for (one, when, *codes), persons in counts.items() if (one, when) == (table, quarter)
    }


def totals(counts: Mapping[Key, int], table: str, quarter: str) -> dict[str, int]:
    """Return the margin of the first dimension."""
    found = cells(counts, table, quarter)
    return {name.split()[0]: persons for name, persons in found.items() if set(name.split()[1:]) == {"_T"}}


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_groups_exclude_each_other_in_order_and_never_change(counts: Mapping[Key, int], quarter: str) -> None:
    assert totals(counts, "t1", quarter) == {"_T": 7, "G1": 4, "G2": 1, "G3": 1, "G4": 1}


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_cluster_is_that_of_the_support_in_the_quarter_of_the_group(
    counts: Mapping[Key, int], quarter: str
) -> None:
    assert totals(counts, "t2", quarter) == {"_T": 7, "K01": 3, "K06": 2, "K07": 1, "XX": 1}


def test_positions_have_their_subtotals_and_unknown_where_none_is_delivered(counts: Mapping[Key, int]) -> None:
    women = {"_T": 4, "1": 1, "11": 1, "111": 1, "3": 3, "33": 3, "331": 3}
    found = cells(counts, "t3", "2010-Q1")
    assert {name.split()[2]: persons for name, persons in found.items() if name.startswith("F _T ")} == women
    assert {name: persons for name, persons in found.items() if name.startswith("M 02000 ")} == {
        "M 02000 4": 1,
        "M 02000 _T": 1,
    }


def test_the_dead_and_those_who_left_stay_with_everything_unknown_but_sex_and_origin(
    counts: Mapping[Key, int],
) -> None:
    assert totals(counts, "t4", "2010-Q1") == {"_T": 7, "SING": 2, "MARP": 1, "XX": 1, "H1PA": 1, "C1PA": 1, "COLL": 1}
    assert cells(counts, "t6", "2010-Q2")["F XX XX 4"] == 1
    assert cells(counts, "t6", "2011-Q1")["M XX XX 4"] == 1
    assert "M XX XX 4" not in cells(counts, "t6", "2010-Q4")
    assert cells(counts, "t5", "2011-Q1")["VR XX 4"] == 1
    assert cells(counts, "t5", "2011-Q1")["BE XX 4"] == 1
    assert totals(counts, "t5", "2010-Q2") == {"_T": 7, "BE": 4, "VR": 3}
    assert totals(counts, "t5", "2010-Q3") == {"_T": 7, "BE": 5, "VR": 2}


def test_rows_that_contradict_each_other_count_as_none(counts: Mapping[Key, int]) -> None:
    assert cells(counts, "t6", "2011-Q4")["M SING 03000 331"] == 1
    assert "M SING 03000 331" not in cells(counts, "t6", "2012-Q1")
    assert cells(counts, "t6", "2012-Q1")["M XX XX 4"] == 2
    assert totals(counts, "t5", "2012-Q1") == {"_T": 7, "BE": 5, "VR": 2}


@pytest.fixture
def release(counts: Mapping[Key, int], tmp_path: Path) -> Path:
    """Write a release that shows 5 and more and hides the rest, and zeros that nobody is in."""
    (tmp_path / "tables").mkdir()
    for table, dimensions in TABLES.items():
        with (tmp_path / "tables" / f"{table}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*dimensions, "TIME_PERIOD", "UNIT", "OBS_VALUE", "CONF_STATUS", "OBS_STATUS"])
            for (one, quarter, *codes), persons in counts.items():
                shown = (str(persons), "F") if persons >= 5 else ("", "C")
                if one == table:
                    writer.writerow([*codes, quarter, "person", *shown, "A"])
            writer.writerow(["04000"] * len(dimensions) + ["2014-Q1", "person", "0", "F", "A"])
    return tmp_path


def test_a_release_of_the_same_counts_has_no_differences(counts: Mapping[Key, int], release: Path) -> None:
    found = compare(counts, release)
    assert found.differences == ()
    assert found.shown == sum(persons >= 5 for persons in counts.values()) + len(TABLES)
    assert found.hidden == sum(persons < 5 for persons in counts.values())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("_T,_T,2011-Q1,person,7,F,A", "_T,_T,2011-Q1,person,8,F,A"),
        ("G1,_T,2011-Q1,person,,C,A", "G1,_T,2011-Q1,person,4,C,A"),
        ("04000,04000,2014-Q1,person,0,F,A", "04000,04000,2014-Q1,person,,F,A"),
        ("_T,_T,2011-Q1,person,7,F,A\n", ""),
    ],
)
def test_a_wrong_figure_a_leak_and_a_missing_cell_are_found(
    counts: Mapping[Key, int], release: Path, right: str, wrong: str
) -> None:
    file = release / "tables" / "t1.csv"
    text = file.read_text()
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong))
    assert len(compare(counts, release).differences) == 1
