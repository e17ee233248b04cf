"""The file of the master key: who may read it, what opens it, what is bound to it, and how its key is replaced."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enclave.errors import IntegrityError, PermissionDenied, SetupError
from enclave.vault import files
from enclave.vault.master import Key, MasterKey
from enclave.vault.master_file import MasterKeyFile
from enclave.vault.protection import (
    LEAST_WORK,
    ByKeyFile,
    ByPassphrase,
    ByShares,
    Kind,
    Opener,
    Protection,
    new_key_file,
)
from enclave.vault.shares import make_shares
from tests.lib.vault_kit import OPENER, PROTECTION, created_master, locked_master, unlocked_master

SALT = bytes(16)


def _key_file() -> Opener:
    return Opener(Kind.KEY_FILE, (new_key_file(secrets.token_bytes),))


def _rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the file says, with a fitting first line: what somebody can do who knows the format."""
    first, _, body = path.read_bytes().partition(b"\n")
    said = json.loads(body)
    change(said)
    changed = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(first.split()[0] + b" " + hashlib.sha256(changed).hexdigest().encode() + b"\n" + changed + b"\n")


def test_what_protects_it_opens_it_again(tmp_path: Path) -> None:
    shares = make_shares(Key(secrets.token_bytes(32)), "made-up", 2, 3, secrets.token_bytes)
    ways: list[tuple[Protection, Opener]] = [
        (ByPassphrase(SALT), Opener(Kind.PASSPHRASE, ("five words that nobody says",))),
        (ByKeyFile(SALT), _key_file()),
        (ByShares(SALT, 2, 3), Opener(Kind.SHARES, (shares[0].text, shares[2].text))),
    ]
    for number, (protection, opener) in enumerate(ways):
        path = tmp_path / str(number)
        made = locked_master(path)
        made.create(protection, opener)
        again = locked_master(path)
        assert again.locked
        assert (again.protection, again.generation) == (protection, 1)
        again.unlock(opener)
        assert [key.secret for key in again.candidates()] == [key.secret for key in made.candidates()]


def test_the_file_does_not_hold_the_key_in_the_open(tmp_path: Path) -> None:
    (key,) = created_master(tmp_path / "key").candidates()
    content = (tmp_path / "key").read_bytes()
    assert key.secret not in content
    assert key.secret.hex().encode() not in content
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_locked_it_gives_no_key_and_says_who_can_open_it(tmp_path: Path) -> None:
    created_master(tmp_path / "key")
    with pytest.raises(SetupError, match=r"VAULT_LOCKED.*the key file.*operator unlock.*--key-file"):
        locked_master(tmp_path / "key").candidates()
    master = unlocked_master(tmp_path / "key")
    assert master.candidates()
    master.lock()
    with pytest.raises(SetupError, match="VAULT_LOCKED"):
        master.candidates()


def test_a_wrong_passphrase_and_a_wrong_key_file_get_the_same_answer(tmp_path: Path) -> None:
    told = set()
    for name, protection, right, wrong in (
        ("a", ByPassphrase(SALT), Opener(Kind.PASSPHRASE, ("right",)), Opener(Kind.PASSPHRASE, ("wrong",))),
        ("b", ByKeyFile(SALT), _key_file(), _key_file()),
    ):
        locked_master(tmp_path / name).create(protection, right)
        master = locked_master(tmp_path / name)
        with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED") as refusal:
            master.unlock(wrong)
        assert master.locked
        told.add(str(refusal.value))
    assert len(told) == 1


def test_a_wrong_attempt_leaves_an_unlocked_one_unlocked(tmp_path: Path) -> None:
    master = created_master(tmp_path / "key")
    with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        master.unlock(_key_file())
    assert master.candidates()


def test_what_is_of_another_kind_is_told_so(tmp_path: Path) -> None:
    created_master(tmp_path / "key")
    with pytest.raises(SetupError, match=r"UNLOCK_OTHERWISE.*the key file"):
        locked_master(tmp_path / "key").unlock(Opener(Kind.PASSPHRASE, ("words",)))


def test_every_flipped_byte_and_every_truncation_is_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    created_master(path)
    content = path.read_bytes()
    flipped = [
        content[:place] + bytes([byte ^ flip]) + content[place + 1 :]
        for place, byte in enumerate(content)
        for flip in (1, 0x20, 0xFF)
    ]
    for wrong in [*flipped, *(content[:size] for size in range(len(content))), content + b"\n", content + content]:
        path.write_bytes(wrong)
        with pytest.raises(SetupError, match=r"MASTER_KEY_(FILE|OLD)"):
            unlocked_master(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(generation=2),
        lambda said: said.update(generation=1.0),
        lambda said: said["protection"].update(salt="01" * 16),
        lambda said: said.update(wrapped=said["wrapped"][:-2] + ("00" if said["wrapped"][-2:] != "00" else "01")),
        lambda said: said.update(wrapped=""),
    ],
)
def test_what_is_bound_to_the_key_cannot_be_changed_by_somebody_who_knows_the_format(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    created_master(tmp_path / "key")
    _rewritten(tmp_path / "key", change)
    with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        unlocked_master(tmp_path / "key")


def test_a_file_of_another_house_is_refused(tmp_path: Path) -> None:
    MasterKeyFile(tmp_path / "key", "another", random_bytes=secrets.token_bytes).create(PROTECTION, OPENER)
    with pytest.raises(SetupError, match="MASTER_KEY_HOUSE"):
        unlocked_master(tmp_path / "key")
    _rewritten(tmp_path / "key", lambda said: said.update(house="made-up"))
    with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        unlocked_master(tmp_path / "key")


@pytest.mark.parametrize(
    "work",
    [{"n": 2**16}, {"n": 1}, {"n": 2**17 + 1}, {"n": 2**30}, {"r": 7}, {"r": 33}, {"p": 0}, {"p": 17}],
)
def test_less_work_for_a_guess_than_ever_asked_for_is_refused(tmp_path: Path, work: dict[str, int]) -> None:
    locked_master(tmp_path / "key").create(ByPassphrase(SALT), Opener(Kind.PASSPHRASE, ("right",)))
    _rewritten(tmp_path / "key", lambda said: said["protection"].update(work))
    with pytest.raises(IntegrityError, match="MASTER_KEY_WORK"):
        locked_master(tmp_path / "key").unlock(Opener(Kind.PASSPHRASE, ("right",)))


def test_the_floor_of_the_work_is_high() -> None:
    n, r, p = LEAST_WORK
    assert 128 * n * r >= 2**27, "bytes of memory for each guess"
    assert p >= 1


@pytest.mark.parametrize("numbers", [{"needed": 1}, {"needed": 4}, {"made": 256}])
def test_numbers_of_shares_that_cannot_be_are_refused(tmp_path: Path, numbers: dict[str, int]) -> None:
    shares = make_shares(Key(secrets.token_bytes(32)), "made-up", 2, 3, secrets.token_bytes)
    opener = Opener(Kind.SHARES, tuple(share.text for share in shares))
    locked_master(tmp_path / "key").create(ByShares(SALT, 2, 3), opener)
    _rewritten(tmp_path / "key", lambda said: said["protection"].update(numbers))
    with pytest.raises(IntegrityError, match="MASTER_KEY_SHARES"):
        locked_master(tmp_path / "key").unlock(opener)


def test_a_key_in_the_open_as_an_earlier_version_left_it_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"enclave-master-key-1 " + b"A" * 43 + b"=\n")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(SetupError, match=r"MASTER_KEY_OLD.*operator init"):
        unlocked_master(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    unlocked = created_master(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(SetupError, match=r"NOT_PRIVATE.*0600"):
        unlocked_master(tmp_path / "key")
    with pytest.raises(SetupError, match=r"NOT_PRIVATE.*0600"):
        unlocked.candidates()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_how_it_is_protected_can_be_told_by_whoever_may_read_the_file(tmp_path: Path) -> None:
    """Root asks for the passphrase of a house that belongs to the gateway's user."""
    created_master(tmp_path / "key")
    os.chown(tmp_path / "key", 65534, 65534)
    master = locked_master(tmp_path / "key")
    assert (master.protection, master.generation) == (PROTECTION, 1)
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        master.unlock(OPENER)


def test_a_link_is_refused(tmp_path: Path) -> None:
    created_master(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        unlocked_master(tmp_path / "link")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="MASTER_KEY_FILE"):
        unlocked_master(tmp_path / "key")


def test_a_key_is_never_overwritten_by_a_new_one(tmp_path: Path) -> None:
    created_master(tmp_path / "key")
    with pytest.raises(SetupError, match="MASTER_KEY_EXISTS"):
        created_master(tmp_path / "key")


def test_another_file_put_in_place_of_an_unlocked_one_is_noticed(tmp_path: Path) -> None:
    master = created_master(tmp_path / "key")
    (tmp_path / "key").unlink()
    locked_master(tmp_path / "key").create(ByKeyFile(SALT), _key_file())
    with pytest.raises(IntegrityError, match="MASTER_KEY_CHANGED"):
        master.candidates()


def test_the_old_key_is_destroyed_in_place(tmp_path: Path) -> None:
    """A second name for the old file shows what is left in its blocks."""
    master = created_master(tmp_path / "key")
    (old,) = master.candidates()
    os.link(tmp_path / "key", tmp_path / "old blocks")
    new = old.successor(secrets.token_bytes)
    master.stage(new)
    assert [key.secret for key in master.candidates()] == [old.secret, new.secret]
    master.promote()
    assert set((tmp_path / "old blocks").read_bytes()) == {0}
    assert [key.secret for key in master.candidates()] == [new.secret]


def test_a_replaced_key_opens_with_the_same_passphrase_and_says_its_generation(tmp_path: Path) -> None:
    master = created_master(tmp_path / "key")
    (old,) = master.candidates()
    master.stage(old.successor(secrets.token_bytes))
    master.promote()
    again = unlocked_master(tmp_path / "key")
    assert again.generation == 2
    assert [key.generation for key in again.candidates()] == [2]


def test_one_that_is_unlocked_elsewhere_meets_the_new_key(tmp_path: Path) -> None:
    here = created_master(tmp_path / "key")
    elsewhere = unlocked_master(tmp_path / "key")
    new = here.candidates()[0].successor(secrets.token_bytes)
    here.stage(new)
    here.promote()
    assert [key.secret for key in elsewhere.candidates()] == [new.secret]


def test_a_staged_key_that_never_came_into_force_is_destroyed(tmp_path: Path) -> None:
    master = created_master(tmp_path / "key")
    (old,) = master.candidates()
    master.stage(old.successor(secrets.token_bytes))
    os.link(tmp_path / "key.next", tmp_path / "staged blocks")
    master.settle(old)
    assert [key.secret for key in master.candidates()] == [old.secret]
    assert set((tmp_path / "staged blocks").read_bytes()) == {0}


@pytest.mark.parametrize("staged", [b"", b"\0" * 67])
def test_a_staged_key_that_is_half_destroyed_is_no_obstacle(tmp_path: Path, staged: bytes) -> None:
    master = created_master(tmp_path / "key")
    files.write_atomically(tmp_path / "key.next", [staged])
    (old,) = master.candidates()
    master.settle(old)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


def test_a_staged_key_that_is_half_written_is_thrown_away(tmp_path: Path) -> None:
    master = created_master(tmp_path / "key")
    (tmp_path / ".half-key.next").write_bytes(b"enclave-master")
    master.settle(*master.candidates())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


def test_no_key_in_either_file_is_a_sentence(tmp_path: Path) -> None:
    for name in ("key", "key.next"):
        files.write_atomically(tmp_path / name, [b""])
    with pytest.raises(SetupError, match="MASTER_KEY_FILE"):
        unlocked_master(tmp_path / "key")


@pytest.mark.parametrize("old", [None, b"", b"\0" * 40])
def test_a_staged_key_counts_when_the_old_one_is_half_destroyed(tmp_path: Path, old: bytes | None) -> None:
    master = created_master(tmp_path / "key")
    new = master.candidates()[0].successor(secrets.token_bytes)
    master.stage(new)
    (tmp_path / "key").unlink()
    if old is not None:
        (tmp_path / "key").write_bytes(old)
        (tmp_path / "key").chmod(0o600)
    again = unlocked_master(tmp_path / "key")
    assert [key.secret for key in again.candidates()] == [new.secret]
    again.settle(new)
    assert [key.secret for key in unlocked_master(tmp_path / "key").candidates()] == [new.secret]


def test_rights_are_checked_while_a_key_is_staged_too(tmp_path: Path) -> None:
    master = created_master(tmp_path / "key")
    master.stage(MasterKey.create(secrets.token_bytes))
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        master.candidates()


def test_what_opens_a_vault_shows_nowhere() -> None:
    assert "secret words" not in repr(Opener(Kind.PASSPHRASE, ("secret words",)))
