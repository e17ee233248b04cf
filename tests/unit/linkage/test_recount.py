"""A made-up year with bad rows in it, prepared, and worked out once more from the files with plain pandas."""

from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from enclave.linkage.intake import Intake
from enclave.linkage.prepare import prepare
from enclave.linkage.prepared import DATASET, codebook
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import Preset
from enclave.vault.store import Vault
from tests.lib import made_up, policy_files, vault_kit

PROJECT = "advice-17-17-2016"
COHORTS = ["2009-Q2", "2009-Q3", "2009-Q4", "2010-Q1"]
LAST_DAYS = {quarter: str(pd.Period(quarter.replace("-", ""), "Q").end_time.date()) for quarter in COHORTS}
CHECKED = ["2009-Q2", "2010-Q1", "2011-Q3", "2014-Q1"]
VARIABLES = ["group", "cluster", "sex", "region", "household", "origin", "position"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiny") / "in"
    write_deliveries(Preset.TINY, out, year=2016, seed=11, references=made_up.references(), progress=lambda _: None)
    return out


@pytest.fixture(scope="module")
def prepared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    vault = vault_kit.make_vault(tmp_path_factory.mktemp("house") / "house")
    intake = Intake(vault, policy_files.sources(), policy_files.codelists(), synthetic=True)
    for source in ("clusters", "support", "register", "positions"):
        intake.take_folder(folder / source).require_all()
    ids = (str(number) for number in count())
    prepare(
        vault, policy_files.advice(), 2016, policy_files.sources(), policy_files.codelists(), new_id=lambda: next(ids)
    )
    return vault


def good_rows(folder: Path, source: str, quarter: str) -> pd.DataFrame:
    """Read what no bad row is planted in: those have a field too many, or codes that do not exist."""
    lines = (folder / source / f"{source}_{quarter}.csv").read_bytes().decode("latin-1").splitlines()
    header = lines[0].split(",")
    rows = [line.split(",") for line in lines[1:] if line.count(",") == len(header) - 1 and line.isascii()]
    frame = pd.DataFrame(rows, columns=header).drop_duplicates()
    return frame[[fits(number) for number in frame["insz"]]]


def fits(insz: str) -> bool:
    return int(insz[-2:]) in {97 - int(century + insz[:9]) % 97 for century in ("", "2")}


def groups_and_centres(folder: Path) -> pd.DataFrame:
    found: dict[str, tuple[str, str]] = {}
    for index, quarter in enumerate(COHORTS):
        support = good_rows(folder, "support", quarter)
        support = support[(support["regime"] == "RMI") & (support["end"] <= LAST_DAYS[quarter])]
        support = support.sort_values(["start", "municipality"], ascending=[False, True])
        for insz, centre in zip(support["insz"], support["municipality"], strict=True):
            found.setdefault(insz, (f"G{index + 1}", centre))
    persons = pd.DataFrame([(insz, *what) for insz, what in found.items()], columns=["insz", "group", "centre"])
    clusters = pd.read_csv(folder / "clusters" / "clusters.csv", dtype=str)
    day = persons["group"].map({f"G{index + 1}": LAST_DAYS[quarter] for index, quarter in enumerate(COHORTS)})
    matched = persons.assign(day=day).merge(clusters, left_on="centre", right_on="municipality", how="left")
    valid = (matched["valid_from"] <= matched["day"]) & ~(matched["valid_to"] < matched["day"])
    return persons.merge(matched.loc[valid, ["insz", "cluster"]], on="insz", how="left").fillna({"cluster": "XX"})


def recount(folder: Path, quarter: str) -> pd.Series:
    codes = policy_files.codelists()
    end = str(pd.Period(quarter.replace("-", ""), "Q").end_time.date())
    register = good_rows(folder, "register", quarter)
    register = register[register["sex"].isin(["M", "F"])]
    positions = good_rows(folder, "positions", quarter)
    positions = positions[positions["position"].isin(codes["positions"].leaves)]
    persons = groups_and_centres(folder).merge(register, on="insz").merge(positions, on="insz", how="left")
    gone = (persons["municipality"] == "") | ((persons["death"] != "") & (persons["death"] <= end))
    region = {code: codes["municipalities"].ancestor_in(code, codes["regions"].leaves) for code in
              persons["municipality"].unique() if code}  # fmt: skip
    persons["region"] = persons["municipality"].map(region).mask(gone, "XX")
    persons["household"] = persons["lipro"].str.replace("+", "P").replace("", "XX").mask(gone, "XX")
    persons["position"] = persons["position"].fillna("4").mask(gone, "4")
    return persons.groupby(VARIABLES).size()


@pytest.mark.parametrize("quarter", CHECKED)
def test_prepared_data_is_what_the_files_say(prepared: Vault, folder: Path, quarter: str) -> None:
    books = codebook(prepared.meta(PROJECT, DATASET, quarter))
    columns = prepared.read(PROJECT, DATASET, quarter, VARIABLES)
    stored = pd.DataFrame({name: [books[name][place] for place in columns[name]] for name in VARIABLES})
    counted = stored.groupby(VARIABLES).size()
    expected = recount(folder, quarter)
    assert len(expected) > 100
    assert counted.sort_index().to_dict() == expected.sort_index().to_dict()


def test_every_planted_fault_is_found_where_it_stands(prepared: Vault, folder: Path) -> None:
    planted = pd.read_json(folder / "faults.json")["faults"].tolist()
    intake = Intake(prepared, policy_files.sources(), policy_files.codelists(), synthetic=True)
    found = set()
    for source in ("support", "register", "positions"):
        for partition in prepared.partitions("intake", source):
            quarantine = intake.quarantine(prepared.meta("intake", source, partition)["quarantine"])
            found |= {(quarantine.file, fault.line, fault.reason.value) for fault in quarantine.faults}
    assert found == {(fault["file"], fault["line"], fault["kind"]) for fault in planted}
