import hashlib
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from enclave.errors import DeliveryError
from enclave.linkage.intake import Intake
from enclave.linkage.quarantine import Reason
from enclave.linkage.report import IntakeReport, Outcome
from enclave.linkage.taken import PROJECT, versions
from enclave.vault.store import Vault
from tests.lib import policy_files, vault_kit
from tests.lib.delivery_kit import CLUSTERS, GHENT, SUPPORT, csv, insz, spell, write_folder

Q2, Q3 = "support_2009-Q2.csv", "support_2009-Q3.csv"
GOOD = csv(SUPPORT, [spell(person, "2009-Q2") for person in range(60)])
CHANGED = csv(SUPPORT, [spell(person, "2009-Q2", GHENT) for person in range(61)])
ONE_BAD = csv(SUPPORT, [*(spell(person, "2009-Q2") for person in range(60)), spell(60, "2009-Q2", "99999")])
TOO_BAD = csv(SUPPORT, [spell(0, "2009-Q2"), spell(1, "2009-Q2", "99999")])


def intake(vault: Vault, *, synthetic: bool = True) -> Intake:
    return Intake(vault, policy_files.sources(), policy_files.codelists(), synthetic=synthetic)


def take(vault: Vault, folder: Path, files: dict[str, bytes], *, correction: bool = False) -> IntakeReport:
    delivered = write_folder(folder / hashlib.sha256(repr(files).encode()).hexdigest()[:8], files)
    return intake(vault).take_folder(delivered, correction=correction)


def outcomes(report: IntakeReport) -> list[Outcome]:
    return [file.outcome for file in report.files]


def test_good_rows_are_kept_with_the_facts_of_their_file(vault: Vault, tmp_path: Path) -> None:
    report = take(vault, tmp_path, {Q2: GOOD})
    assert outcomes(report) == [Outcome.TAKEN_IN]
    assert vault.partitions(PROJECT, "support") == ("2009-Q2",)
    (delivered,) = versions(vault, "support", "2009-Q2")
    assert (delivered.file, delivered.sha256) == (Q2, hashlib.sha256(GOOD).hexdigest())
    assert delivered.codebook["regime"] == ("RMI", "RMH")
    columns = delivered.read(vault, ["insz", "start"])
    assert columns["insz"].tolist() == [int(insz(person)) for person in range(60)]
    assert columns["start"].dtype == np.int32


def test_same_bytes_again_are_already_taken_in(vault: Vault, tmp_path: Path) -> None:
    take(vault, tmp_path, {Q2: GOOD})
    for correction in (False, True):
        report = take(vault, tmp_path, {Q2: GOOD}, correction=correction)
        assert outcomes(report) == [Outcome.ALREADY_TAKEN_IN]
        assert vault.partitions(PROJECT, "support") == ("2009-Q2",)


def test_other_content_is_refused_unless_it_is_a_correction(vault: Vault, tmp_path: Path) -> None:
    take(vault, tmp_path, {Q2: GOOD})
    refused = take(vault, tmp_path, {Q2: CHANGED})
    assert [error.code for error in refused.refusals] == ["DELIVERY_CHANGED"]
    assert len(versions(vault, "support", "2009-Q2")) == 1
    assert outcomes(take(vault, tmp_path, {Q2: CHANGED}, correction=True)) == [Outcome.CORRECTED]
    last = versions(vault, "support", "2009-Q2")[-1]
    assert (last.version, last.partition) == (2, "2009-Q2.v2")
    assert len(last.read(vault, ["insz"])["insz"]) == 61


def test_an_earlier_version_comes_back_only_as_a_correction(vault: Vault, tmp_path: Path) -> None:
    take(vault, tmp_path, {Q2: GOOD})
    take(vault, tmp_path, {Q2: CHANGED}, correction=True)
    assert outcomes(take(vault, tmp_path, {Q2: GOOD})) == [Outcome.ALREADY_TAKEN_IN]
    assert len(versions(vault, "support", "2009-Q2")) == 2
    assert outcomes(take(vault, tmp_path, {Q2: GOOD}, correction=True)) == [Outcome.CORRECTED]
    assert versions(vault, "support", "2009-Q2")[-1].partition == "2009-Q2.v3"


def test_versions_are_ordered_as_numbers(vault: Vault) -> None:
    for version in range(1, 12):
        name = "2009-Q2" if version == 1 else f"2009-Q2.v{version}"
        vault.write(PROJECT, "support", name, {"insz": np.array([version])}, meta={})
    vault.write(PROJECT, "support", "2009-Q3", {"insz": np.array([0])}, meta={})
    assert [found.version for found in versions(vault, "support", "2009-Q2")] == list(range(1, 12))


def test_bad_rows_stand_in_a_sealed_quarantine(vault: Vault, tmp_path: Path) -> None:
    (file,) = take(vault, tmp_path, {Q2: ONE_BAD}).files
    assert (file.outcome, file.rows, file.bad_rows) == (Outcome.TAKEN_IN, 61, 1)
    assert file.counts == {Reason.UNKNOWN_CODE: 1}
    (fault,) = intake(vault).quarantine(file.quarantine).faults
    assert (fault.line, fault.column, fault.text) == (62, "municipality", spell(60, "2009-Q2", "99999"))
    stored = b"".join(path.read_bytes() for path in (tmp_path / "house").rglob("*") if path.is_file())
    assert insz(60).encode() not in stored


def test_over_the_limit_nothing_is_left_but_the_quarantine(vault: Vault, tmp_path: Path) -> None:
    report = take(vault, tmp_path, {Q2: TOO_BAD})
    (file,) = report.files
    assert file.outcome is Outcome.REFUSED
    assert vault.partitions(PROJECT, "support") == ()
    assert [fault.line for fault in intake(vault).quarantine(file.quarantine).faults] == [3]
    with pytest.raises(DeliveryError, match=f"DELIVERY_ERROR_LIMIT: {Q2}.*'{file.quarantine}'"):
        report.require_all()


def test_a_mended_file_is_taken_in_after_a_refusal(vault: Vault, tmp_path: Path) -> None:
    take(vault, tmp_path, {Q2: TOO_BAD})
    assert outcomes(take(vault, tmp_path, {Q2: GOOD})) == [Outcome.TAKEN_IN]


def test_one_refused_file_does_not_hold_the_others(vault: Vault, tmp_path: Path) -> None:
    later = csv(SUPPORT, [spell(person, "2009-Q3") for person in range(3)])
    report = take(vault, tmp_path, {Q2: TOO_BAD, Q3: later})
    assert outcomes(report) == [Outcome.REFUSED, Outcome.TAKEN_IN]
    assert vault.partitions(PROJECT, "support") == ("2009-Q3",)


def test_a_folder_out_of_order_is_refused_before_anything_is_taken_in(vault: Vault, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {Q2: GOOD, "wages_2009-Q2.csv": b"x"})
    with pytest.raises(DeliveryError, match="DELIVERY_NAME"):
        intake(vault).take_folder(folder)
    assert vault.partitions(PROJECT, "support") == ()


def test_a_file_that_is_not_what_the_manifest_says_is_refused(vault: Vault, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {Q2: GOOD})
    (folder / Q2).write_bytes(CHANGED)
    assert [error.code for error in intake(vault).take_folder(folder).refusals] == ["DELIVERY_HASH"]
    assert vault.partitions(PROJECT, "support") == ()


def test_a_vault_holds_one_world(vault: Vault, tmp_path: Path) -> None:
    take(vault, tmp_path, {Q2: GOOD})
    real = write_folder(tmp_path / "real", {"clusters.csv": csv(CLUSTERS, [f"{GHENT},K01,2001-01-01,"])}, stamp=None)
    with pytest.raises(DeliveryError, match="DELIVERY_WORLDS"):
        intake(vault, synthetic=False).take_folder(real)


def test_real_numbers_are_taken_in_without_the_switch(vault: Vault, tmp_path: Path) -> None:
    data = csv(SUPPORT, [spell(0, "2009-Q2").replace(insz(0), insz(0, month=1))])
    folder = write_folder(tmp_path / "real", {Q2: data}, stamp=None)
    assert outcomes(intake(vault, synthetic=False).take_folder(folder)) == [Outcome.TAKEN_IN]
    (delivered,) = versions(vault, "support", "2009-Q2")
    assert delivered.facts["stamp"] == ""


def test_the_cluster_table_tolerates_no_bad_row(vault: Vault, tmp_path: Path) -> None:
    rows = [f"{GHENT},K01,2001-01-01,", "99999,K01,2001-01-01,"]
    report = take(vault, tmp_path, {"clusters.csv": csv(CLUSTERS, rows)})
    assert outcomes(report) == [Outcome.REFUSED]


def test_report_is_text_for_stewards(vault: Vault, tmp_path: Path) -> None:
    text = take(vault, tmp_path, {Q2: ONE_BAD, Q3: b"insz\n"}).to_text()
    assert f"{Q2}: taken in\n  rows 61, of which bad 1\n" in text
    assert "        1 UNKNOWN_CODE: the code is not in the code list" in text
    assert "  quarantine: quarantine.support.2009-Q2." in text
    assert f"{Q3}: refused\n  DELIVERY_COLUMNS: {Q3}: the columns are not those" in text


def test_messages_hold_no_counts_and_no_rows(vault: Vault, tmp_path: Path) -> None:
    report = take(vault, tmp_path, {Q2: TOO_BAD})
    (refusal,) = report.refusals
    said = refusal.message.replace(report.files[0].quarantine, "").replace(Q2, "")
    assert not any(character.isdigit() for character in said)


def test_progress_names_each_file(vault: Vault, tmp_path: Path) -> None:
    heard: list[str] = []
    intake(vault).take_folder(write_folder(tmp_path / "in", {Q2: GOOD}), progress=heard.append)
    assert heard == [Q2]


def test_nothing_is_half_taken_in_after_a_kill(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {Q2: ONE_BAD})
    seen = set()
    for point in range(3, 1_000, 13):
        base = tmp_path / str(point)
        vault_kit.make_vault(base)
        killed = vault_kit.killed_at(point, partial(take_in_of, base, folder))
        vault = vault_kit.open_vault(base)
        was_there = bool(vault.partitions(PROJECT, "support"))
        seen.add((killed, was_there))
        (again,) = intake(vault).take_folder(folder).files
        assert again.outcome is (Outcome.ALREADY_TAKEN_IN if was_there else Outcome.TAKEN_IN)
        (delivered,) = versions(vault, "support", "2009-Q2")
        assert len(delivered.read(vault, ["insz"])["insz"]) == 60
        assert json.loads(vault.unseal(PROJECT, delivered.facts["quarantine"]))["rows"] == 1
        if not killed:
            break
    assert {(True, False), (False, True)} <= seen


def take_in_of(base: Path, folder: Path) -> None:
    intake(vault_kit.open_vault(base)).take_folder(folder)
