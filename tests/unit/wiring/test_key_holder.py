"""What key holders bring: files on a medium, a passphrase, shares; never an argument, never the environment."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.vault.protection import ByKeyFile, ByPassphrase, ByShares, Kind
from enclave.wiring.house import make_house, open_house
from enclave.wiring.keys.key_holder import (
    Given,
    Protect,
    by_new_key_file,
    by_new_shares,
    by_passphrase,
    key_file,
    protection_from,
    read_passphrase,
    share_files,
)
from enclave.wiring.settings import Settings

WORDS = "five words that nobody says"


def _settings(root: Path, *, synthetic: bool = False) -> Settings:
    return Settings.new(root, Path("policies"), synthetic=synthetic)


def _descriptor(text: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def test_a_key_file_is_made_for_its_owner_alone_and_opens_what_it_protects(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "house")
    protection, opener = by_new_key_file(tmp_path / "stick" / "key")(settings)
    assert isinstance(protection, ByKeyFile)
    assert key_file(tmp_path / "stick" / "key", settings) == opener
    assert stat.S_IMODE((tmp_path / "stick" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "stick").stat().st_mode) == 0o700


def test_no_two_key_files_are_alike(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "house")
    first, second = (by_new_key_file(tmp_path / name)(settings) for name in "ab")
    assert first[1] != second[1]
    assert first[0].salt != second[0].salt


def test_a_key_file_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mine", encoding="utf-8")
    with pytest.raises(SetupError, match="KEY_FILE_EXISTS"):
        by_new_key_file(tmp_path / "key")(_settings(tmp_path / "house"))
    assert (tmp_path / "key").read_text(encoding="utf-8") == "mine"


def test_a_key_file_in_the_house_that_it_opens_is_refused_when_made_and_when_read(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "house")
    inside = tmp_path / "house" / "medium" / "key"
    (tmp_path / "link").symlink_to(tmp_path / "house")
    for path in (inside, tmp_path / "link" / "medium" / "key", tmp_path / "x" / ".." / "house" / "key"):
        with pytest.raises(SetupError, match="KEY_IN_THE_HOUSE"):
            by_new_key_file(path)(settings)
        with pytest.raises(SetupError, match="KEY_IN_THE_HOUSE"):
            key_file(path, settings)
        with pytest.raises(SetupError, match="KEY_IN_THE_HOUSE"):
            share_files([path], settings)
    with pytest.raises(SetupError, match="KEY_IN_THE_HOUSE"):
        by_new_shares(2, 3, inside)(settings)
    assert not (tmp_path / "house").exists()


def test_made_up_data_may_have_their_key_in_the_house(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "house", synthetic=True)
    by_new_key_file(tmp_path / "house" / "key")(settings)
    assert key_file(tmp_path / "house" / "key", settings).kind is Kind.KEY_FILE


def test_a_medium_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"MEDIUM_MISSING.*put the medium in"):
        key_file(tmp_path / "stick" / "key", _settings(tmp_path / "house"))


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o606])
def test_a_key_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    settings = _settings(tmp_path / "house")
    by_new_key_file(tmp_path / "key")(settings)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        key_file(tmp_path / "key", settings)


def test_shares_are_written_one_file_each_and_enough_of_them_open(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "house")
    protection, opener = by_new_shares(2, 3, tmp_path / "shares")(settings)
    assert isinstance(protection, ByShares)
    files = sorted((tmp_path / "shares").iterdir())
    assert [path.name for path in files] == ["share-1.txt", "share-2.txt", "share-3.txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    wanted = protection.wrapping_key(opener, settings.house).secret
    for two in (files[:2], files[1:], files[::2]):
        assert protection.wrapping_key(share_files(two, settings), settings.house).secret == wanted


@pytest.mark.parametrize(("needed", "made"), [(1, 1), (1, 3), (3, 2), (2, 256), (0, 0), (-1, 3)])
def test_numbers_of_shares_that_cannot_be_are_refused(tmp_path: Path, needed: int, made: int) -> None:
    with pytest.raises(SetupError, match="SHARES"):
        by_new_shares(needed, made, tmp_path / "shares")


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(SetupError, match=r"PASSPHRASE_SHORT.*16"):
        by_passphrase("x" * 15)
    protection, _ = by_passphrase("x" * 16)(_settings(Path("house")))
    assert isinstance(protection, ByPassphrase)


def test_a_passphrase_is_the_same_however_its_accents_are_typed() -> None:
    composed, taken_apart = "passphrase caf\u00e9", "passphrase cafe\u0301"
    protection, opener = by_passphrase(composed + " noir")(_settings(Path("house")))
    again = type(opener)(Kind.PASSPHRASE, (taken_apart + " noir",))
    assert protection.wrapping_key(opener, "h").secret == protection.wrapping_key(again, "h").secret


def test_a_passphrase_is_the_first_line_of_a_descriptor() -> None:
    assert read_passphrase(_descriptor(f"{WORDS}\nmore")) == WORDS
    assert read_passphrase(_descriptor(WORDS)) == WORDS


@pytest.mark.parametrize("descriptor", [987, -1])
def test_a_descriptor_that_is_not_open_is_refused(descriptor: int) -> None:
    with pytest.raises(SetupError, match="PASSPHRASE_FD"):
        read_passphrase(descriptor)


def test_only_one_way_is_chosen(tmp_path: Path) -> None:
    for ways in (
        (tmp_path / "key", None, None, 3),
        (tmp_path / "key", (2, 3), tmp_path, None),
        (None, (2, 3), None, None),
        (None, None, tmp_path, None),
    ):
        with pytest.raises(SetupError, match="ONE_WAY"):
            protection_from(*ways)
    with pytest.raises(SetupError, match="ONE_WAY"):
        Given(tmp_path / "key", (tmp_path / "share",)).opener(tmp_path)


def test_without_a_terminal_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", (tmp_path / "empty").open("w+"))
    with pytest.raises(SetupError, match="NO_TERMINAL"):
        protection_from(None, None, None, None)
    make_house(tmp_path / "house", synthetic=True, protect=by_passphrase(WORDS))
    assert Given().opener(tmp_path / "house") is None
    with pytest.raises(SetupError, match=r"UNLOCK_WITH.*the passphrase.*--passphrase-fd"):
        Given().needed_opener(tmp_path / "house")


@pytest.mark.parametrize("answers", [(WORDS, WORDS), (WORDS, "something else")])
def test_a_new_passphrase_is_asked_for_twice_at_a_terminal_and_not_shown(
    tmp_path: Path, answers: tuple[str, str]
) -> None:
    root = tmp_path / "house"
    arguments = [sys.executable, "-m", "enclave", "operator", "init", "--synthetic", "--root", str(root)]
    ours, theirs = pty.openpty()
    with subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = b""
        for answer in answers:
            while b": " not in shown.rpartition(b"\n")[2]:
                shown += os.read(ours, 4096)
            os.write(ours, answer.encode() + b"\n")
            shown += b"\n"
        try:
            while more := os.read(ours, 4096):
                shown += more
        except OSError:
            pass  # the terminal is closed at the other end
        code = process.wait()
    os.close(ours)
    assert WORDS.encode() not in shown
    if answers[0] != answers[1]:
        assert code == 14
        assert b"PASSPHRASE_TWICE" in shown
        return
    assert code == 0
    with open_house(root, Given(passphrase_fd=_descriptor(WORDS)).opener(root)) as house:
        assert not house.locked


def _protections(tmp_path: Path) -> dict[Kind, Protect]:
    return {
        Kind.PASSPHRASE: by_passphrase(WORDS),
        Kind.KEY_FILE: by_new_key_file(tmp_path / "key"),
        Kind.SHARES: by_new_shares(2, 3, tmp_path / "shares"),
    }


@pytest.mark.parametrize("kind", Kind)
def test_a_house_for_real_data_is_opened_by_what_protects_it(tmp_path: Path, kind: Kind) -> None:
    root = tmp_path / "house"
    make_house(root, synthetic=False, protect=_protections(tmp_path)[kind])
    given = {
        Kind.PASSPHRASE: lambda: Given(passphrase_fd=_descriptor(WORDS)),
        Kind.KEY_FILE: lambda: Given(key_file=tmp_path / "key"),
        Kind.SHARES: lambda: Given(share_files=(tmp_path / "shares/share-3.txt", tmp_path / "shares/share-1.txt")),
    }[kind]()
    with open_house(root, given.opener(root)) as house:
        assert not house.locked
        assert house.vault.projects() == ()
