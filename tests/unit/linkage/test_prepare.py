from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from enclave.errors import DeliveryError, IntegrityError, PolicyError, SetupError
from enclave.linkage import year
from enclave.linkage.prepare import prepare
from enclave.linkage.prepared import DATASET, codebook, data_snapshot
from enclave.linkage.report import PrepareReport
from enclave.vault.store import Vault
from tests.lib import policy_files, vault_kit
from tests.lib.delivery_kit import ANTWERP, BRUSSELS, GHENT, NAMUR, insz, spell
from tests.lib.year_kit import PROJECT, QUARTERS, Year, prepare_year, short_advice

FLANDERS, WALLONIA, CAPITAL = "02000", "03000", "04000"
Q2, Q3, Q4, Q1 = QUARTERS

(
    ONE_DAY, RMH_THEN_RMI, ONLY_RMH, ALWAYS, ACTIVATED, LAST, MOVED_CENTRE, TWO_CENTRES, OLD_SPELL, BACKWARD,
    CLUSTER_CHANGES, NO_CLUSTER, DIES, LEAVES, COMES_LATE, SEX_CORRECTED, NATURALISED, BLANK, DIES_LATER, STRANGER,
) = range(20)  # fmt: skip

WHOLE = Year(
    persons=STRANGER,
    support={
        Q2: [
            spell(ONE_DAY, Q2, days="2009-06-30..2009-06-30"),
            spell(RMH_THEN_RMI, Q2, regime="RMH"),
            spell(ONLY_RMH, Q2, regime="RMH"),
            spell(ALWAYS, Q2, BRUSSELS),
            spell(MOVED_CENTRE, Q2, ANTWERP, days="2009-04-01..2009-04-30"),
            spell(MOVED_CENTRE, Q2, GHENT, days="2009-05-01..2009-05-02"),
            spell(TWO_CENTRES, Q2, GHENT),
            spell(TWO_CENTRES, Q2, ANTWERP).replace("living_wage", "activation"),
            spell(OLD_SPELL, Q2, days="2001-05-01..2009-04-01"),
            spell(BACKWARD, Q2, days="2009-06-30..2009-06-01"),
            *(spell(person, Q2) for person in (DIES, LEAVES, COMES_LATE, SEX_CORRECTED, NATURALISED, BLANK)),
            spell(DIES_LATER, Q2),
        ],
        Q3: [spell(RMH_THEN_RMI, Q3, NAMUR), spell(ALWAYS, Q3), spell(ONLY_RMH, Q3, regime="RMH")],
        Q4: [
            spell(ACTIVATED, Q4).replace("living_wage", "activation"),
            spell(ALWAYS, Q4),
            spell(CLUSTER_CHANGES, Q4, GHENT),
        ],
        Q1: [spell(LAST, Q1, GHENT), spell(ALWAYS, Q1), spell(NO_CLUSTER, Q1, NAMUR)],
    },
    register={
        (ALWAYS, Q3): f"F,{NAMUR},MAR+,BE,",
        (ALWAYS, Q4): f"F,{BRUSSELS},COLL,BE,",
        (DIES, Q3): f"M,{ANTWERP},SING,BE,2009-09-30",
        (DIES, Q4): None,
        (DIES, Q1): None,
        (DIES, Q2): f"M,{ANTWERP},SING,BE,",
        (LEAVES, Q4): "F,,SING,VR,",
        (LEAVES, Q3): f"F,{ANTWERP},SING,VR,",
        (LEAVES, Q2): f"F,{ANTWERP},SING,VR,",
        (COMES_LATE, Q2): None,
        (COMES_LATE, Q3): f"M,{GHENT},SING,VR,",
        (COMES_LATE, Q4): None,
        (COMES_LATE, Q1): f"M,{GHENT},SING,BE,",
        (SEX_CORRECTED, Q2): f"M,{ANTWERP},SING,BE,",
        (SEX_CORRECTED, Q3): f"M,{ANTWERP},SING,BE,",
        (SEX_CORRECTED, Q1): None,
        (NATURALISED, Q2): f"F,{ANTWERP},SING,VR,",
        (BLANK, Q3): f"F,{ANTWERP},,BE,",
        (DIES_LATER, Q3): f"F,{ANTWERP},SING,BE,2009-10-01",
    },
    positions={(ALWAYS, Q3): "331", (LEAVES, Q4): "111", (BLANK, Q3): None, (DIES, Q3): "34"},
    clusters=(
        f"{ANTWERP},K01,2001-01-01,",
        f"{GHENT},K02,2001-01-01,2009-12-30",
        f"{GHENT},K03,2009-12-31,2010-03-31",
        f"{BRUSSELS},K09,2001-01-01,",
        f"{NAMUR},K07,2001-01-01,2009-09-29",
    ),
)


class House:
    """A prepared year and what it says of a person."""

    def __init__(self, vault: Vault, report: PrepareReport) -> None:
        self.vault = vault
        self.report = report

    def persons(self, quarter: str) -> set[int]:
        stored = set(self.vault.read(PROJECT, DATASET, quarter, ["person"])["person"].tolist())
        return {person for person in range(20) if self._code(person) in stored}

    def says(self, person: int, variable: str) -> list[str]:
        """Return the value of a variable in each quarter."""
        return [self._value(person, variable, quarter) for quarter in QUARTERS]

    def _value(self, person: int, variable: str, quarter: str) -> str:
        columns = self.vault.read(PROJECT, DATASET, quarter, ["person", variable])
        (row,) = np.flatnonzero(columns["person"] == self._code(person))
        return codebook(self.vault.meta(PROJECT, DATASET, quarter))[variable][int(columns[variable][row])]

    def _code(self, person: int) -> int:
        coder = self.vault.coder(PROJECT, "person")
        return int(coder.code(np.array([int(insz(person))]))[0])


def ids() -> Iterator[str]:
    return (f"state-{number}" for number in count(1))


def snapshot_of(vault: Vault) -> dict[str, dict[str, list[int]]]:
    return {
        quarter: {name: values.tolist() for name, values in vault.read(PROJECT, DATASET, quarter).items()}
        for quarter in vault.partitions(PROJECT, DATASET)
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    base = tmp_path_factory.mktemp("prepared")
    vault = vault_kit.make_vault(base / "house")
    WHOLE.deliver(vault, base / "in")
    return House(vault, prepare_year(vault, short_advice(), ids()))


@pytest.mark.parametrize(
    ("person", "group"),
    [
        (ONE_DAY, "G1"), (RMH_THEN_RMI, "G2"), (ALWAYS, "G1"), (ACTIVATED, "G3"), (LAST, "G4"), (OLD_SPELL, "G1"),
        (DIES, "G1"),
    ],
)  # fmt: skip
def test_groups(house: House, person: int, group: str) -> None:
    assert house.says(person, "group") == [group] * 4


def test_equivalent_living_wage_makes_nobody_a_client(house: House) -> None:
    everybody = set(range(STRANGER)) - {ONLY_RMH, BACKWARD}
    for quarter in QUARTERS:
        assert house.persons(quarter) == everybody


@pytest.mark.parametrize(
    ("person", "cluster"),
    [
        (ONE_DAY, "K01"),
        (MOVED_CENTRE, "K02"),
        (TWO_CENTRES, "K01"),
        (ALWAYS, "K09"),
        (CLUSTER_CHANGES, "K03"),
        (LAST, "K03"),
        (RMH_THEN_RMI, "XX"),
        (NO_CLUSTER, "XX"),
    ],
)
def test_cluster_of_the_centre_at_the_end_of_the_groups_quarter(house: House, person: int, cluster: str) -> None:
    assert house.says(person, "cluster") == [cluster] * 4


def test_region_is_that_of_the_municipality_at_each_quarter_end(house: House) -> None:
    assert house.says(ALWAYS, "region") == [FLANDERS, WALLONIA, CAPITAL, FLANDERS]
    assert house.says(ALWAYS, "household") == ["SING", "MARP", "COLL", "SING"]
    assert house.says(ALWAYS, "position") == ["111", "331", "111", "111"]


def test_the_dead_stay_in_their_group_as_unknown(house: House) -> None:
    assert house.says(DIES, "region") == [FLANDERS, "XX", "XX", "XX"]
    assert house.says(DIES, "household") == ["SING", "XX", "XX", "XX"]
    assert house.says(DIES, "position") == ["111", "4", "4", "4"]
    assert house.says(DIES, "sex") == ["M"] * 4
    assert house.says(DIES, "origin") == ["BE"] * 4


def test_who_dies_after_the_quarter_is_alive_at_its_end(house: House) -> None:
    assert house.says(DIES_LATER, "region") == [FLANDERS] * 4


def test_the_emigrated_stay_in_their_group_as_unknown(house: House) -> None:
    assert house.says(LEAVES, "region") == [FLANDERS, FLANDERS, "XX", FLANDERS]
    assert house.says(LEAVES, "household") == ["SING", "SING", "XX", "SING"]
    assert house.says(LEAVES, "position") == ["111", "111", "4", "111"]
    assert house.says(LEAVES, "origin") == ["VR", "VR", "VR", "BE"]


def test_sex_and_origin_are_carried_over_quarters_without_a_register_row(house: House) -> None:
    assert house.says(COMES_LATE, "sex") == ["M"] * 4
    assert house.says(COMES_LATE, "origin") == ["VR", "VR", "VR", "BE"]
    assert house.says(COMES_LATE, "region") == ["XX", FLANDERS, "XX", FLANDERS]


def test_sex_is_that_of_the_latest_register(house: House) -> None:
    assert house.says(SEX_CORRECTED, "sex") == ["F"] * 4
    assert house.report.settled == 1
    assert "sex differed between registers, the latest was taken: 1\n" in house.report.to_text()


def test_origin_may_change(house: House) -> None:
    assert house.says(NATURALISED, "origin") == ["VR", "BE", "BE", "BE"]


def test_empty_fields_and_missing_rows_are_unknown(house: House) -> None:
    assert house.says(BLANK, "household") == ["SING", "XX", "SING", "SING"]
    assert house.says(BLANK, "position") == ["111", "4", "111", "111"]
    assert house.says(BLANK, "region") == [FLANDERS] * 4


def test_only_what_the_policy_lists_is_stored(house: House) -> None:
    columns = house.vault.read(PROJECT, DATASET, Q2)
    assert set(columns) == {"person", "group", "cluster", "sex", "region", "household", "origin", "position"}
    assert columns.pop("person").dtype == np.int64
    assert {values.dtype.name for values in columns.values()} == {"int8"}


def test_codes_are_no_numbers_and_stand_in_their_own_order(house: House) -> None:
    numbers = {int(insz(person)) for person in range(20)}
    for quarter in QUARTERS:
        codes = house.vault.read(PROJECT, DATASET, quarter, ["person"])["person"]
        assert (np.diff(codes) > 0).all()
        assert not numbers & set(codes.tolist())


def test_facts_say_where_the_data_comes_from(house: House) -> None:
    facts = house.vault.meta(PROJECT, DATASET, Q3)
    assert facts["snapshot"] == house.report.snapshot == data_snapshot(house.vault, PROJECT) == "state-1"
    assert (facts["stamp"], facts["period"], facts["year"]) == ("SYNTHETIC", Q3, "2016")
    assert facts["policy_sha256"] == short_advice().sha256
    assert "register_2009-Q3.csv" in facts["deliveries"]
    assert codebook(facts)["sex"] == ("M", "F")


def test_report_counts_for_the_steward(house: House) -> None:
    report = house.report
    assert report.groups == {"G1": 12, "G2": 1, "G3": 2, "G4": 2}
    assert report.absent == (1, 1, 3, 2)
    assert report.unknown["cluster"] == [2] * 4
    assert report.unknown["position"] == [1, 2, 3, 2]
    assert (report.left_out, report.backward, report.is_new) == (0, 1, True)
    assert "persons: 17 (G1 12, G2 1, G3 2, G4 2)" in report.to_text()


SMALL = Year(persons=60, support={quarter: [spell(person, quarter) for person in range(60)] for quarter in QUARTERS})


def deliver_and_prepare(vault: Vault, folder: Path, delivered: Year, states: Iterator[str]) -> PrepareReport:
    delivered.deliver(vault, folder, correction=True)
    return prepare_year(vault, short_advice(), states)


def test_preparing_again_changes_nothing_until_the_content_does(vault: Vault, tmp_path: Path) -> None:
    states = ids()
    first = deliver_and_prepare(vault, tmp_path / "1", SMALL, states)
    before = snapshot_of(vault)
    second = prepare_year(vault, short_advice(), states)
    assert (first.snapshot, first.is_new, second.snapshot, second.is_new) == ("state-1", True, "state-1", False)
    assert snapshot_of(vault) == before

    backwards = {quarter: [*rows[::-1], *rows[:1]] for quarter, rows in SMALL.support.items()}
    shuffled = deliver_and_prepare(vault, tmp_path / "2", replace(SMALL, support=backwards), states)
    assert not shuffled.is_new, "the same records in another order, one of them twice, are the same data"
    assert "2009-Q2.v2" in vault.meta(PROJECT, DATASET, Q2)["deliveries"]

    moved = deliver_and_prepare(vault, tmp_path / "3", replace(SMALL, positions={(7, Q4): "211"}), states)
    assert (moved.snapshot, moved.is_new) == ("state-2", True)
    changed = [quarter for quarter in QUARTERS if snapshot_of(vault)[quarter] != before[quarter]]
    assert changed == [Q4]
    assert data_snapshot(vault, PROJECT) == "state-2"


def test_an_interrupted_preparation_is_seen_and_mended(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="NOT_PREPARED"):
        data_snapshot(vault, PROJECT)
    deliver_and_prepare(vault, tmp_path / "1", SMALL, ids())
    facts = vault.meta(PROJECT, DATASET, Q3)
    columns = vault.read(PROJECT, DATASET, Q3)
    vault.write(PROJECT, DATASET, Q3, columns, meta=facts | {"snapshot": "half"}, replace=True)
    with pytest.raises(IntegrityError, match="PREPARE_INTERRUPTED"):
        data_snapshot(vault, PROJECT)
    report = prepare_year(vault, short_advice(), iter(["whole"]))
    assert (report.snapshot, report.is_new, data_snapshot(vault, PROJECT)) == ("whole", True, "whole")


def test_quarters_that_are_not_there_yet_are_an_interruption(vault: Vault) -> None:
    for quarter in QUARTERS[:2]:
        facts = {"snapshot": "one", "periods": '["2009-Q2", "2009-Q3", "2009-Q4"]'}
        vault.write(PROJECT, DATASET, quarter, {"person": np.array([1])}, meta=facts)
    with pytest.raises(IntegrityError, match="PREPARE_INTERRUPTED"):
        data_snapshot(vault, PROJECT)


def test_quarters_outside_the_window_are_refused(vault: Vault, tmp_path: Path) -> None:
    SMALL.deliver(vault, tmp_path / "in")
    vault.write(PROJECT, DATASET, "2008-Q4", {"person": np.array([1])}, meta={"snapshot": "old"})
    with pytest.raises(PolicyError, match="OTHER_WINDOW"):
        prepare_year(vault, short_advice(), ids())


@pytest.mark.parametrize(
    ("without", "missing"),
    [("support_2009-Q3", "support 2009-Q3"), ("register_2010-Q1", "register 2010-Q1"), ("clusters", "clusters once")],
)
def test_missing_deliveries_are_named(vault: Vault, tmp_path: Path, without: str, missing: str) -> None:
    SMALL.deliver(vault, tmp_path / "in", without=without)
    with pytest.raises(
        DeliveryError, match=f"DELIVERY_MISSING: year 2016 of advice-17-17 lacks deliveries: {missing};"
    ):
        prepare_year(vault, short_advice(), ids())
    assert vault.partitions(PROJECT, DATASET) == ()


def register_of(persons: Sequence[int], quarter: str, text: str) -> dict[tuple[int, str], str | None]:
    return {(person, quarter): text for person in persons}


def test_a_constant_that_changes_is_refused(vault: Vault, tmp_path: Path) -> None:
    changes = register_of([7], Q4, f"F,{ANTWERP},SING,VR,")
    replace(SMALL, register=changes).deliver(vault, tmp_path / "in")
    policy = short_advice(constant="[group, cluster, sex, origin]")
    with pytest.raises(PolicyError, match=r"CONSTANT_CHANGES: register_2009-Q4\.csv: 'origin' changes"):
        prepare_year(vault, policy, ids())
    assert vault.partitions(PROJECT, DATASET) == ()


def test_a_stranger_to_all_registers_is_left_out_and_told(vault: Vault, tmp_path: Path) -> None:
    nowhere = {(59, quarter): None for quarter in QUARTERS}
    report = deliver_and_prepare(vault, tmp_path / "in", replace(SMALL, register=nowhere), ids())
    assert (report.left_out, sum(report.groups.values())) == (1, 59)
    assert len(vault.read(PROJECT, DATASET, Q2)["person"]) == 59


def test_too_many_strangers_are_refused(vault: Vault, tmp_path: Path) -> None:
    nowhere = {(person, quarter): None for quarter in QUARTERS for person in (58, 59)}
    replace(SMALL, register=nowhere).deliver(vault, tmp_path / "in")
    with pytest.raises(DeliveryError, match="REGISTER_INCOMPLETE"):
        prepare_year(vault, short_advice(), ids())


def test_overlapping_clusters_are_refused(vault: Vault, tmp_path: Path) -> None:
    rows = (f"{ANTWERP},K01,2001-01-01,", f"{ANTWERP},K02,2009-12-31,")
    replace(SMALL, clusters=rows).deliver(vault, tmp_path / "in")
    with pytest.raises(DeliveryError, match=r"DELIVERY_OVERLAP: clusters\.csv.*2009-12-31"):
        prepare_year(vault, short_advice(), ids())


def test_an_unknown_without_a_code_is_refused(vault: Vault, tmp_path: Path) -> None:
    replace(SMALL, clusters=(f"{GHENT},K01,2001-01-01,",)).deliver(vault, tmp_path / "in")
    policy = short_advice(variables__1__unknown="null")
    with pytest.raises(PolicyError, match="UNKNOWN_WITHOUT_CODE: source 'clusters' leaves 'cluster' unknown"):
        prepare_year(vault, policy, ids())


def test_a_code_that_left_the_code_list_is_refused(vault: Vault, tmp_path: Path) -> None:
    SMALL.deliver(vault, tmp_path / "in")
    municipalities = policy_files.codelists()["municipalities"]
    rows = tuple(row for row in municipalities.rows if row.code != NAMUR)
    shorter = {**policy_files.codelists(), "municipalities": replace(municipalities, rows=rows)}
    with pytest.raises(PolicyError, match=r"UNKNOWN_CODE: support_2009-Q2\.csv was taken in with municipalities"):
        prepare(vault, short_advice(), 2016, policy_files.sources(), shorter, new_id=lambda: "never")


def test_nobody_at_all_is_refused(vault: Vault, tmp_path: Path) -> None:
    only_rmh = {quarter: [spell(0, quarter, regime="RMH")] for quarter in QUARTERS}
    replace(SMALL, support=only_rmh).deliver(vault, tmp_path / "in")
    with pytest.raises(DeliveryError, match="NO_POPULATION"):
        prepare_year(vault, short_advice(), ids())


def test_a_source_without_schema_is_refused(vault: Vault) -> None:
    with pytest.raises(PolicyError, match="SOURCE_MISSING"):
        year.Year.gather(vault, short_advice(), 2016, {}, {})
