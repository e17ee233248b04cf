"""A second count of Advice 17/17, from the delivered files alone, in plain pandas: nothing here comes from the product.

It reads the rules of the advice once more, in the plainest way, so that a mistake would have to be made twice:
rows that are wrong are left out; the four groups exclude each other in order; every client is looked up at the end of
each of twenty quarters; six tables are counted with all their margins. `compare` holds a release against it.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

Key = tuple[str, ...]
"""Table, quarter, and a code for each of the table's dimensions."""

Lists = Mapping[str, pd.DataFrame]

TABLES: dict[str, tuple[str, ...]] = {
    "t1": ("group", "position"),
    "t2": ("cluster", "position"),
    "t3": ("sex", "region", "position"),
    "t4": ("household", "region", "position"),
    "t5": ("origin", "region", "position"),
    "t6": ("sex", "household", "region", "position"),
}
LIST_OF = {
    "group": "groups",
    "cluster": "clusters",
    "sex": "sex",
    "region": "regions",
    "household": "lipro",
    "origin": "origin",
    "position": "positions",
}
TOTAL, UNKNOWN, UNKNOWN_POSITION = "_T", "XX", "4"

CODED: dict[str, dict[str, str]] = {
    "support": {"municipality": "municipalities"},
    "register": {"sex": "sex", "municipality": "municipalities", "lipro": "lipro", "origin": "origin"},
    "positions": {"position": "positions"},
    "clusters": {"municipality": "municipalities", "cluster": "clusters"},
}
DATES = {"support": ("start", "end"), "register": ("death",), "positions": (), "clusters": ("valid_from", "valid_to")}
MAY_BE_EMPTY = ("lipro", "death", "valid_to")
ONE_ROW_PER = {
    "support": ["insz", "regime", "form", "start"],
    "register": ["insz"],
    "positions": ["insz"],
    "clusters": ["municipality", "valid_from"],
}


@dataclass(frozen=True)
class Comparison:
    """A release against the recount: `differences` are cells that are wrong, absent, or printed though hidden."""

    shown: int
    hidden: int
    differences: tuple[str, ...]


def recount(deliveries: Path, code_lists: Path, year: int) -> dict[Key, int]:
    """Return {(table, quarter, codes...): persons}, margins included; a cell that is not in it has nobody.

    `deliveries` holds a folder per source with its files, `code_lists` the files of the classifications.
    """
    lists = {file.stem: pd.read_csv(file, dtype=str, keep_default_na=False) for file in code_lists.glob("*.csv")}
    quarters = pd.period_range(f"{year - 7}Q2", periods=20, freq="Q")
    clients = _clients(deliveries, lists, quarters[:4])
    levels = {name: _levels(lists[list_id]) for name, list_id in LIST_OF.items()}
    counts: Counter[Key] = Counter()
    for quarter, people in _snapshots(deliveries, lists, clients, quarters):
        for table, dimensions in TABLES.items():
            for cell, persons in people.groupby(list(dimensions), dropna=False).size().items():
                assert isinstance(cell, tuple)
                above = [levels[name][code] for name, code in zip(dimensions, cell, strict=True)]
                for codes in itertools.product(*above):
                    counts[(table, quarter, *codes)] += int(persons)
    return dict(counts)


def compare(counts: Mapping[Key, int], release: Path) -> Comparison:
    """Hold every table of a release folder against the recount, cell by cell."""
    shown, hidden, differences, seen = 0, 0, [], set()
    for table, dimensions in TABLES.items():
        printed = pd.read_csv(release / "tables" / f"{table}.csv", dtype=str, keep_default_na=False)
        columns = ["TIME_PERIOD", *dimensions, "OBS_VALUE", "CONF_STATUS"]
        for quarter, *codes, value, status in printed[columns].itertuples(index=False):
            key = (table, quarter, *codes)
            seen.add(key)
            shown, hidden = shown + (status == "F"), hidden + (status != "F")
            expected = str(counts.get(key, 0)) if status == "F" else ""
            if value != expected:
                differences.append(f"{key}: printed {value!r}, counted {expected!r}")
    differences += [f"{key}: not printed" for key in counts if key not in seen]
    return Comparison(shown, hidden, tuple(differences))


def _clients(deliveries: Path, lists: Lists, quarters: pd.PeriodIndex) -> pd.DataFrame:
    """Return group and cluster of each client, by number: the first of the four quarters with RMI support decides."""
    typology = _good_rows(deliveries, "clusters", None, lists)
    groups: list[pd.DataFrame] = []
    taken: set[str] = set()
    for number, quarter in enumerate(quarters, start=1):
        rows = _good_rows(deliveries, "support", quarter, lists)
        rows = rows[(rows["regime"] == "RMI") & ~rows["insz"].isin(taken)]
        rows = rows.sort_values(["insz", "municipality"]).sort_values("start", ascending=False, kind="stable")
        latest = rows.drop_duplicates("insz").set_index("insz")
        day = _last_day(quarter)
        valid = typology[(typology["valid_from"] <= day) & (typology["valid_to"].replace("", "9999-12-31") >= day)]
        cluster = latest["municipality"].map(valid.set_index("municipality")["cluster"]).fillna(UNKNOWN)
        groups.append(pd.DataFrame({"group": f"G{number}", "cluster": cluster}))
        taken |= set(latest.index)
    return pd.concat(groups)


def _snapshots(
    deliveries: Path, lists: Lists, clients: pd.DataFrame, quarters: pd.PeriodIndex
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each quarter with one row per client and a column per variable."""
    registers, positions = {}, {}
    for quarter in quarters:
        register = _good_rows(deliveries, "register", quarter, lists).set_index("insz").reindex(clients.index)
        is_alive = (register["death"].fillna("") == "") | (register["death"] > _last_day(quarter))
        register["is_here"] = is_alive & (register["municipality"].fillna("") != "")
        registers[quarter] = register
        found = _good_rows(deliveries, "positions", quarter, lists).set_index("insz")["position"]
        positions[quarter] = found.reindex(clients.index)
    # Sex and origin have no code for "unknown": the last known origin stays, and the last registered sex holds for all.
    origin = pd.DataFrame({quarter: registers[quarter]["origin"] for quarter in quarters}).ffill(axis=1).bfill(axis=1)
    sex = pd.DataFrame({quarter: registers[quarter]["sex"] for quarter in quarters}).ffill(axis=1).iloc[:, -1]
    region_of = {code: levels[-2] for code, levels in _levels(lists["municipalities"]).items()}
    for quarter in quarters:
        register, is_here = registers[quarter], registers[quarter]["is_here"]
        people = clients.assign(
            sex=sex,
            origin=origin[quarter],
            region=register["municipality"].map(region_of).where(is_here, UNKNOWN),
            household=register["lipro"].replace("", UNKNOWN).where(is_here, UNKNOWN),
            position=positions[quarter].fillna(UNKNOWN_POSITION).where(is_here, UNKNOWN_POSITION),
        )
        assert people.index.is_unique
        yield f"{quarter.year}-Q{quarter.quarter}", people[sex.notna() & origin[quarter].notna()]


def _good_rows(deliveries: Path, source: str, quarter: pd.Period | None, lists: Lists) -> pd.DataFrame:
    """Return the rows of one delivered file that nothing is wrong with; texts, with the codes of the lists."""
    (file,) = (deliveries / source).glob(f"{source}_{quarter.year}-Q{quarter.quarter}.*" if quarter else f"{source}.*")
    rows = _read(file)
    good = ~rows.apply(lambda column: column.str.startswith(("=", "+", "-", "@", "\t"))).any(axis=1)
    if "insz" in rows:
        assert quarter is not None
        good &= _has_check_digits(rows["insz"], quarter.year)
    for column, list_id in CODED[source].items():
        meant = rows[column].map(_forms(lists[list_id], quarter))
        is_optional = column in MAY_BE_EMPTY or (source, column) == ("register", "municipality")
        good &= meant.notna() | ((rows[column] == "") & is_optional)
        rows[column] = meant.fillna("")
    for column in DATES[source]:
        is_date = pd.to_datetime(rows[column], format="%Y-%m-%d", errors="coerce").notna()
        is_whole = rows[column].str.len() == len("2009-06-30")
        good &= (is_date & is_whole) | ((rows[column] == "") & (column in MAY_BE_EMPTY))
    if source == "support":
        assert quarter is not None
        good &= rows["regime"].isin(["RMI", "RMH"]) & rows["form"].isin(["living_wage", "activation"])
        good &= (rows["end"] >= f"{quarter.start_time:%Y-%m-%d}") & (rows["end"] <= _last_day(quarter))
        good &= rows["start"] <= rows["end"]
    # An exact copy of a row is left out; rows that contradict each other are left out all.
    kept: pd.DataFrame = rows[good].drop_duplicates()
    return kept.drop_duplicates(ONE_ROW_PER[source], keep=False)


def _read(file: Path) -> pd.DataFrame:
    """Return a file's rows as texts; lines that are not UTF-8 or have too many or too few fields are left out."""
    if file.suffix == ".parquet":
        return pd.read_parquet(file).astype("str").fillna("")
    header, *lines = file.read_bytes().decode("utf-8", errors="replace").split("\n")
    names = header.split(",")
    fields = [line.split(",") for line in lines if line and "\N{REPLACEMENT CHARACTER}" not in line]
    return pd.DataFrame([row for row in fields if len(row) == len(names)], columns=names, dtype=str)


def _has_check_digits(numbers: "pd.Series[str]", year: int) -> "pd.Series[bool]":
    """Say which are 11 figures whose last two check the nine before; for births from 2000 a 2 stands in front."""
    is_number = numbers.str.fullmatch("[0-9]{11}")
    number = numbers.where(is_number, "0").astype("int64")
    body, check = number // 100, number % 100
    before_2000 = 97 - body % 97 == check
    from_2000 = (97 - (body + 2_000_000_000) % 97 == check) & (2000 + body // 10**7 <= year)
    return is_number & (before_2000 | from_2000)


def _forms(code_list: pd.DataFrame, quarter: pd.Period | None) -> dict[str, str]:
    """Return what may be delivered in a quarter, with the code meant: the finest codes, and their other spellings."""
    finest = code_list[~code_list["code"].isin(code_list["parent"])]
    forms: dict[str, str] = {}
    for row in finest.to_dict("records"):
        starts, ends = row.get("valid_from") or "0000", row.get("valid_to") or "9999"
        if quarter is None or (starts <= _last_day(quarter) and ends >= f"{quarter.start_time:%Y-%m-%d}"):
            forms[row["code"]] = row["code"]
            forms[row.get("delivered_as") or row["code"]] = row["code"]
    return forms


def _levels(code_list: pd.DataFrame) -> dict[str, list[str]]:
    """Return each code with itself and everything above it, the total last; parents stand above their children."""
    levels: dict[str, list[str]] = {}
    for code, parent in zip(code_list["code"], code_list["parent"], strict=True):
        levels[code] = [code, *(levels[parent] if parent else [TOTAL])]
    return levels


def _last_day(quarter: pd.Period) -> str:
    return f"{quarter.end_time:%Y-%m-%d}"
