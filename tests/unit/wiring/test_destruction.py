"""Destruction of a project: who decides, what goes, what stays, what old copies still tell, and the certificate."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from enclave.cli import cli
from enclave.errors import EnclaveError, IntegrityError, PolicyError, SetupError
from enclave.gateway.canonical import sha256
from enclave.gateway.retention import Extension
from enclave.ledger import verify_certificate
from enclave.linkage.taken import PROJECT as INTAKE
from enclave.vault.master_file import MasterKeyFile
from enclave.wiring.commands import operating, proofs, work
from enclave.wiring.destruction import command
from enclave.wiring.house import made_up_people, open_house
from enclave.wiring.keys.key_holder import Given, by_new_key_file, by_new_shares, key_file, share_files
from enclave.wiring.settings import Settings
from tests.lib.destruction_kit import (
    CANARIES,
    GONE,
    KEPT,
    canaries,
    copied,
    destroy,
    fill,
    given,
    in_the_open,
    new_key,
    readable,
)
from tests.lib.house_kit import key_path, log_lines, opener_of

EVERYTHING = {"data", "codes", "sealed", "home"}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("before") / "all" / "house"
    root.parent.mkdir()
    fill(root)
    return root


@pytest.fixture
def root(before: Path, tmp_path: Path) -> Path:
    return copied(before, tmp_path / "all")


@pytest.fixture(scope="module")
def after(before: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a house after the destruction, with the old one beside it: for tests that only look."""
    made = copied(before, tmp_path_factory.mktemp("after") / "all")
    destroy(made)
    return made


def test_before_everything_is_there_to_be_found(before: Path) -> None:
    assert readable(before, key_path(before), KEPT) == EVERYTHING
    assert in_the_open(before.parent, GONE) == CANARIES


def test_once_two_decided_nothing_opens_even_before_it_is_begun_and_after(before: Path, root: Path) -> None:
    assert readable(before, key_path(before), GONE) == EVERYTHING, "two have decided, but it has not begun"
    with open_house(root, opener_of(root)) as house:
        house.destroyer.begin(GONE)
        with pytest.raises(PolicyError, match="PROJECT_DESTROYED"):
            house.vault.read(GONE, "quarters", "2009-Q2")
    assert readable(root, key_path(root), GONE) == set()
    assert readable(root, key_path(root), KEPT) == EVERYTHING


def test_no_canary_can_be_read_from_the_house_with_the_new_key_and_the_other_project_is_as_it_was(after: Path) -> None:
    assert readable(after, new_key(after), GONE) == set()
    assert in_the_open(after.parent, GONE) == 0
    assert not (after / "vault" / "data" / GONE).exists()
    assert list((after / "scratch").iterdir()) == []
    assert readable(after, new_key(after), KEPT) == EVERYTHING
    with open_house(after, key_file(new_key(after), Settings.read(after))) as house:
        assert (house.vault.read(KEPT, "quarters", "2009-Q2")["person"] == canaries(KEPT)).all()
        proofs.check_everything(house)


def test_a_copy_of_the_whole_house_from_before_opens_with_no_key_that_is_left(
    before: Path, after: Path, tmp_path: Path
) -> None:
    """The copy holds everything: data, key ring, master key, log. The key holder's medium is what was renewed."""
    old = copied(before, tmp_path / "copy")
    shutil.rmtree(old.parent / "medium")
    assert not key_path(after).exists()
    assert readable(old, new_key(after), GONE) == set()
    for part in ("master", "vault", "book"):
        mixed = copied(before, tmp_path / "mixed")
        for name in {"master", "vault", "book"} - {part}:
            shutil.rmtree(mixed / name)
            shutil.copytree(after / name, mixed / name)
        assert readable(mixed, new_key(after), GONE) == set(), part


def test_that_copy_did_open_with_the_old_key(before: Path, tmp_path: Path) -> None:
    """So the test above tells something: whoever keeps a copy of the old key can read the old copy."""
    old = copied(before, tmp_path / "copy")
    assert readable(old, key_path(old), GONE) == EVERYTHING


def test_old_data_put_back_are_removed_and_an_old_log_is_noticed(before: Path, root: Path) -> None:
    destroy(root)
    new = key_file(new_key(root), Settings.read(root))
    shutil.copytree(before / "vault" / "data" / GONE, root / "vault" / "data" / GONE)
    with open_house(root, new):
        assert not (root / "vault" / "data" / GONE).exists()
    kept = root.parent / "kept-outside.json"
    shutil.copy(root / "anchor" / "log-head.json", kept)
    shutil.rmtree(root / "book")
    shutil.copytree(before / "book", root / "book")
    with pytest.raises(IntegrityError, match="ANCHOR_NEWER"), open_house(root, new):
        pass
    assert readable(root, new_key(root), GONE) == set()
    (root / "anchor" / "log-head.json").unlink()
    with open_house(root) as house, pytest.raises(IntegrityError, match="LOG_INVALID"):
        proofs.verify_log(house, kept)


def test_the_old_key_file_is_overwritten_where_it_lay(root: Path) -> None:
    """A second name for the old file shows what is left in its blocks."""
    os.link(key_path(root), root.parent / "old blocks")
    destroy(root)
    assert set((root.parent / "old blocks").read_bytes()) == {0}


def test_the_old_key_file_and_the_old_master_key_are_gone(after: Path) -> None:
    assert [path.name for path in key_path(after).parent.iterdir()] == [new_key(after).name]
    master = MasterKeyFile(after / "master" / "master.key", Settings.read(after).house, random_bytes=bytes)
    assert master.generation == 2
    assert sorted(path.name for path in (after / "master").iterdir()) == ["master.key"]


def test_the_certificate_verifies_alone_and_names_what_when_by_whom_and_why(after: Path) -> None:
    path = after / "certificates" / f"{GONE}.json"
    said = json.loads(path.read_bytes())["certificate"]
    assert said["project"] == GONE
    assert said["policy"]["decision"] == "17/17"
    assert said["paragraph"] == "house"
    assert said["retention"] == {"until": "2027-04-04", "extensions": []}
    assert said["decided"] == ["steward.one", "operator.one"]
    assert "coding table 'person'" in said["destroyed"]
    assert "coded data 'quarters'" in said["destroyed"]
    assert f"deliveries, for {KEPT}" in said["stays"]
    script = [sys.executable, verify_certificate.__file__, str(path), "--key", str(after / "release.pub.pem")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "verified" in done.stdout
    told = CliRunner().invoke(cli, ["verify", "--key", str(after / "release.pub.pem"), str(path)])
    assert f"{GONE} (17/17, par. house) was destroyed" in told.output


def test_every_flipped_byte_of_a_certificate_is_found(after: Path) -> None:
    data, key = (after / "certificates" / f"{GONE}.json").read_bytes(), (after / "release.pub.pem").read_bytes()
    assert verify_certificate.examine(data, key)[0] == []
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert verify_certificate.examine(flipped, key)[0], at
    assert verify_certificate.examine(data, (after / "log.pub.pem").read_bytes())[0]
    for odd in (b"", b"{}", b"[]\n", b"[" * 5000, data + b"\n", data[:-1]):
        assert verify_certificate.examine(odd, key)[0]


def test_each_step_stands_in_the_log_and_the_certificate_by_its_digest(after: Path) -> None:
    entries = [json.loads(line) for line in log_lines(after)]
    steps = [entry["action"] for entry in entries if entry["subject"] == GONE and "destr" in entry["action"]]
    assert [step for step in steps if step != "destruction_step"] == [
        *("destruction_approved", "destruction_approved", "destruction_begun", "key_destroyed", "project_destroyed")
    ]
    assert "master key replaced" in json.dumps(entries)
    (last,) = [entry for entry in entries if entry["action"] == "project_destroyed"]
    digest = sha256((after / "certificates" / f"{GONE}.json").read_bytes())
    assert last["details"] == {"certificate": digest}


def test_status_and_a_second_destruction_say_that_it_is_done(after: Path) -> None:
    with open_house(after, key_file(new_key(after), Settings.read(after))) as house:
        lines = house.retention.lines()
        assert any(f"{GONE}: destroyed; certificate" in line for line in lines)
        with pytest.raises(PolicyError, match="PROJECT_DESTROYED"):
            work.prepare(house, "staff.one", "advice-17-17", 2016, say=print)
        late = Extension("18/042", date(2026, 1, 1), "committee", date(2030, 1, 1))
        with pytest.raises(PolicyError, match="PROJECT_DESTROYED"):
            operating.extend(house, "steward.one", GONE, late)
        assert house.destroyer.carry_out(GONE, None, keys_gone=lambda: None).exists()


def test_fsck_finds_a_certificate_that_was_changed_or_taken_away(root: Path) -> None:
    path = destroy(root)
    good = path.read_bytes()
    with open_house(root, key_file(new_key(root), Settings.read(root))) as house:
        proofs.check_everything(house)
        path.write_bytes(good.replace(b"steward.one", b"steward.two"))
        with pytest.raises(IntegrityError, match="certificate"):
            proofs.check_everything(house)
        path.unlink()
        with pytest.raises(IntegrityError, match="certificate"):
            proofs.check_everything(house)


def test_deliveries_go_with_the_last_project_and_new_ones_can_come(tmp_path: Path) -> None:
    root = tmp_path / "all" / "house"
    root.parent.mkdir()
    fill(root, (GONE,))
    destroy(root)
    assert not (root / "vault" / "data" / INTAKE).exists()
    assert in_the_open(root.parent, GONE) == 0
    with open_house(root, key_file(new_key(root), Settings.read(root))) as house:
        house.vault.write(INTAKE, "register", "2010-Q1", {"person": canaries(KEPT)}, meta={})
        assert house.vault.partitions(INTAKE, "register") == ("2010-Q1",)
        house.vault.check(INTAKE)
    said = json.loads((root / "certificates" / f"{GONE}.json").read_bytes())["certificate"]
    assert "deliveries and their quarantine" in said["destroyed"]


def test_a_dry_run_lists_both_sides_and_changes_nothing(root: Path) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "book" not in path.parts}
    place = ["destroy", "--root", str(root), "--project", GONE, "--dry-run", "--as"]
    told = CliRunner().invoke(cli, [*place, "steward.one"])
    assert told.exit_code == 0, told.output
    for line in ("goes: coding table 'person'", "goes: coded data 'quarters'", "stays: audit log", "stays: deliveries"):
        assert line in told.output
    assert f"homes/{GONE}" in told.output
    assert "scratch/cluster-left" in told.output
    now = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "book" not in path.parts}
    assert now == before
    refused = CliRunner().invoke(cli, [*place, "analyst.one"])
    assert isinstance(refused.exception, EnclaveError)
    assert refused.exception.code == "NOT_STEWARD"


@pytest.fixture
def undecided(tmp_path: Path) -> Path:
    root = tmp_path / "all" / "house"
    root.parent.mkdir()
    fill(root, (GONE,))
    return root


def _decided(root: Path, *accounts: str, later: timedelta = timedelta()) -> list[bool]:
    """Let these accounts decide about the other project, the last one later; return whether it was enough each time."""
    found = []
    for number, account in enumerate(accounts):
        moment = datetime.now(UTC) + (later if number == len(accounts) - 1 else timedelta())
        with open_house(root, clock=lambda moment=moment: moment) as house:
            found.append(command.decide(house, account, KEPT))
    return found


def test_one_person_is_not_enough_and_nobody_counts_twice(root: Path) -> None:
    assert _decided(root, "steward.one") == [False]
    with pytest.raises(EnclaveError, match="SAME_PERSON"):
        _decided(root, "steward.one")
    with open_house(root, opener_of(root)) as house, pytest.raises(EnclaveError, match="SECOND_PERSON"):
        house.destroyer.begin(KEPT)
    assert _decided(root, "operator.one") == [True]


def test_a_decision_waits_a_week_for_the_second_one(root: Path) -> None:
    assert _decided(root, "steward.one", "operator.one", later=timedelta(days=8)) == [False, False]


def test_an_extension_in_between_voids_what_was_decided(root: Path) -> None:
    assert _decided(root, "steward.one") == [False]
    with open_house(root) as house:
        operating.extend(house, "steward.one", KEPT, Extension("18/1", date(2026, 1, 1), "committee", date(2030, 1, 1)))
    assert _decided(root, "operator.one") == [False]


@pytest.mark.parametrize("account", ["analyst.one", "staff.one", "checker.one", "auditor.one"])
def test_nobody_else_decides(root: Path, account: str) -> None:
    with pytest.raises(EnclaveError, match="NOT_STEWARD"):
        _decided(root, account)


def test_without_a_new_key_or_with_the_old_one_nothing_is_destroyed(root: Path) -> None:
    with pytest.raises(SetupError, match="NEW_KEY"):
        command.carry_out(root, given(root), None, None, GONE)
    shutil.copy(key_path(root), new_key(root))
    with pytest.raises(SetupError, match="SAME_KEY"):
        destroy(root)
    assert (root / "vault" / "data" / GONE).exists()
    new_key(root).unlink()
    destroy(root)


def test_shares_may_take_the_place_of_a_key_file(root: Path) -> None:
    folder = root.parent / "shares"
    command.carry_out(root, given(root), None, by_new_shares(2, 3, folder), GONE)
    opener = share_files([folder / "share-1.txt", folder / "share-3.txt"], Settings.read(root))
    with open_house(root, opener) as house:
        assert house.vault.projects() == ("advice-17-17-2017", "intake")
    with pytest.raises(EnclaveError), open_house(root, opener_of(root)):
        pass


def test_a_gateway_that_was_unlocked_with_the_old_key_finds_itself_locked(root: Path) -> None:
    with open_house(root, opener_of(root)) as running:
        assert running.vault.read(KEPT, "quarters", "2009-Q2")["person"].size == CANARIES
        destroy(root)
        with pytest.raises(SetupError, match="VAULT_LOCKED"):
            running.vault.read(KEPT, "quarters", "2009-Q2")
        assert running.locked
        running.unlock(key_file(new_key(root), running.settings))
        assert running.vault.read(KEPT, "quarters", "2009-Q2")["person"].size == CANARIES


def test_the_command_line_goes_all_the_way(undecided: Path) -> None:
    run, root = CliRunner(), undecided
    with open_house(root, opener_of(root)) as house:
        house.register.enrol(made_up_people(KEPT, date(2099, 1, 1)), "steward.one")
        house.vault.write(KEPT, "quarters", "q", {"person": canaries(KEPT)}, meta={})
    base = ["destroy", "--root", str(root), "--project", KEPT]
    keys = ["--key-file", str(key_path(root)), "--new-key-file", str(new_key(root))]
    first = run.invoke(cli, [*base, "--as", "steward.one"])
    assert "once a second person decides it" in first.output
    second = run.invoke(cli, [*base, "--as", "operator.one", *keys])
    assert second.exit_code == 0, (second.output, second.exception)
    assert f"{KEPT} is destroyed" in second.output
    again = run.invoke(cli, [*base, "--as", "operator.one", *keys])
    assert again.exit_code == 0, (again.output, again.exception)
    assert Given(key_file=new_key(root)).opener(root) is not None
    assert by_new_key_file(new_key(root)) is not None
