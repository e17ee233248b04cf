"""The master key: who may read its file, and that it shows nowhere."""

import os
import pickle
import secrets
from pathlib import Path

import pytest

from enclave.errors import EnclaveBug, SetupError
from enclave.vault import files
from enclave.vault.master import Key, MasterKey, MasterKeyFile


def test_a_key_that_was_written_is_read_back(tmp_path: Path) -> None:
    key = MasterKey.create(secrets.token_bytes)
    key.write(tmp_path / "key")
    assert MasterKey.load(tmp_path / "key").secret == key.secret
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    MasterKey.create(secrets.token_bytes).write(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(SetupError, match=r"NOT_PRIVATE.*0600"):
        MasterKey.load(tmp_path / "key")


def test_a_link_is_refused(tmp_path: Path) -> None:
    MasterKey.create(secrets.token_bytes).write(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        MasterKey.load(tmp_path / "link")


@pytest.mark.parametrize(
    "content", [b"", b"enclave-master-key-1", b"enclave-master-key-1 AAAA", b"x " + b"A" * 44, b"\0" * 66]
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(SetupError, match="MASTER_KEY_FILE"):
        MasterKey.load(tmp_path / "key")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        MasterKey.load(tmp_path / "key")


def test_a_key_is_never_overwritten_by_a_new_one(tmp_path: Path) -> None:
    MasterKeyFile(tmp_path / "key").create(secrets.token_bytes)
    with pytest.raises(SetupError, match="MASTER_KEY_EXISTS"):
        MasterKeyFile(tmp_path / "key").create(secrets.token_bytes)


def test_no_key_shows_itself() -> None:
    for key in (Key(b"s" * 32), MasterKey(b"s" * 32)):
        assert "ss" not in f"{key!r} {key} {[key]}"
        assert "hidden" in repr(key)


def test_a_master_key_cannot_be_pickled() -> None:
    with pytest.raises(EnclaveBug, match="KEY_TRAVELS"):
        pickle.dumps(MasterKey(b"s" * 32))


def test_a_short_key_cannot_be() -> None:
    with pytest.raises(EnclaveBug, match="KEY_LENGTH"):
        Key(b"short")


def test_derived_keys_differ_by_purpose_and_salt() -> None:
    key = Key(b"s" * 32)
    derived = {key.derive(b"a"), key.derive(b"b"), key.derive(b"a", b"salt"), key.secret}
    assert len(derived) == 4
    assert key.derive(b"a") == Key(b"s" * 32).derive(b"a")


def test_the_old_key_is_destroyed_in_place(tmp_path: Path) -> None:
    """A second name for the old file shows what is left in its blocks."""
    file = MasterKeyFile(tmp_path / "key")
    file.create(secrets.token_bytes)
    os.link(tmp_path / "key", tmp_path / "old blocks")
    new = MasterKey.create(secrets.token_bytes)
    file.stage(new)
    assert len(file.candidates()) == 2
    file.promote()
    assert set((tmp_path / "old blocks").read_bytes()) == {0}
    assert [key.secret for key in file.candidates()] == [new.secret]


def test_a_staged_key_that_never_came_into_force_is_destroyed(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "key")
    file.create(secrets.token_bytes)
    (old,) = file.candidates()
    file.stage(MasterKey.create(secrets.token_bytes))
    os.link(tmp_path / "key.next", tmp_path / "staged blocks")
    file.settle(old)
    assert [key.secret for key in file.candidates()] == [old.secret]
    assert set((tmp_path / "staged blocks").read_bytes()) == {0}


@pytest.mark.parametrize("staged", [b"", b"\0" * 67])
def test_a_staged_key_that_is_half_destroyed_is_no_obstacle(tmp_path: Path, staged: bytes) -> None:
    file = MasterKeyFile(tmp_path / "key")
    file.create(secrets.token_bytes)
    files.write_atomically(tmp_path / "key.next", [staged])
    (old,) = file.candidates()
    file.settle(old)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


def test_a_staged_key_that_is_half_written_is_thrown_away(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "key")
    file.create(secrets.token_bytes)
    (tmp_path / ".half-key.next").write_bytes(b"enclave-master")
    file.settle(*file.candidates())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


def test_no_key_in_either_file_is_a_sentence(tmp_path: Path) -> None:
    for name in ("key", "key.next"):
        files.write_atomically(tmp_path / name, [b""])
    with pytest.raises(SetupError, match="MASTER_KEY_FILE"):
        MasterKeyFile(tmp_path / "key").candidates()


@pytest.mark.parametrize("old", [None, b"", b"\0" * 40])
def test_a_staged_key_counts_when_the_old_one_is_half_destroyed(tmp_path: Path, old: bytes | None) -> None:
    file = MasterKeyFile(tmp_path / "key")
    new = MasterKey.create(secrets.token_bytes)
    file.stage(new)
    if old is not None:
        (tmp_path / "key").write_bytes(old)
        (tmp_path / "key").chmod(0o600)
    assert [key.secret for key in file.candidates()] == [new.secret]
    file.settle(new)
    assert MasterKey.load(tmp_path / "key").secret == new.secret


def test_rights_are_checked_while_a_key_is_staged_too(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "key")
    file.create(secrets.token_bytes)
    file.stage(MasterKey.create(secrets.token_bytes))
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        file.candidates()
