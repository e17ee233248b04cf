"""Homes as they are: full for their owner alone, unreadable without their key, and nothing left of them when closed."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from enclave.errors import RequestError, SetupError
from enclave.sandbox import cipher, home_image, homes
from enclave.sandbox.homes import Homes, place_of
from enclave.sandbox.protocol import ServerKey
from tests.lib.homes_kit import MINE, NUMBERS, OTHER, Kept, key_of, kill, settings
from tests.lib.launcher_kit import HOME_BYTES, HOME_FILES
from tests.lib.sandbox_kit import need_sandbox
from tests.lib.vault_kit import make_vault

pytestmark = pytest.mark.timeout(120)

CANARY = b"canary-71625344-in-the-home"
NAME = "canary-name-90817263"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    need_sandbox()
    found = Kept(tmp_path)
    yield found
    found.end()
    assert not home_image.in_use(found.image())


def refused(kept: Kept, key: ServerKey = MINE) -> str:
    with pytest.raises((SetupError, RequestError)) as refusal:
        kept.open(key)
    kept.settle()
    assert str(NUMBERS[key]) not in "".join(map(str, kept.mounted()))
    return refusal.value.code


def test_a_home_belongs_to_its_server_and_its_kernels_group(kept: Kept) -> None:
    home = kept.open()
    found = home.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (NUMBERS[MINE], NUMBERS[MINE], 0o770)
    flags = os.statvfs(home).f_flag
    assert flags & os.ST_NOSUID
    assert flags & os.ST_NODEV
    assert flags & os.ST_NOEXEC
    for closed in (place_of(kept.settings), kept.raw(), kept.image().parent):
        assert closed.stat().st_mode & 0o077 == 0 or closed == kept.raw()
    assert kept.image().stat().st_mode & 0o777 == 0o600


def fill(file: Path) -> None:
    """Write more than the home holds."""
    with file.open("wb") as stream:
        for _ in range(HOME_BYTES // 2**20 + 1):
            stream.write(os.urandom(2**20))
            stream.flush()


def crowd(folder: Path) -> None:
    """Make more files than the home holds."""
    for number in range(HOME_FILES + 500):  # mkfs rounds up to whole blocks of inodes
        (folder / f"{number}").touch()


@pytest.mark.parametrize("bomb", [fill, crowd])
def test_a_full_home_is_full_for_its_owner_alone(kept: Kept, bomb: Callable[[Path], None]) -> None:
    mine, other = kept.open(), kept.open(OTHER)
    (mine / "bomb").mkdir()
    with pytest.raises(OSError, match="No space") as full:
        bomb(mine / "bomb" / "file" if bomb is fill else mine / "bomb")
    assert full.value.errno == errno.ENOSPC
    (other / "note").write_bytes(bytes(2**20))
    shutil.rmtree(mine / "bomb")
    (mine / "note").write_bytes(bytes(2**20))


def test_what_is_written_is_nowhere_on_disk_and_there_again_with_the_key(kept: Kept) -> None:
    home = kept.open()
    (home / NAME).write_bytes(CANARY * 1000)
    kept.close()
    assert kept.mounted() == set()
    image = kept.image().read_bytes()
    assert CANARY not in image
    assert NAME.encode() not in image
    assert bytes(key_of(MINE)) not in image
    assert (kept.open() / NAME).read_bytes() == CANARY * 1000


def test_after_the_projects_keys_were_destroyed_nothing_opens_it(tmp_path: Path) -> None:
    need_sandbox()
    (tmp_path / "v").mkdir()
    vault = make_vault(tmp_path / "v")

    def from_vault(key: ServerKey) -> bytearray:
        return bytearray(vault.home_key(key.project, key.account))

    kept = Kept(tmp_path / "l", from_vault)
    try:
        (kept.open() / "note").write_bytes(CANARY)
        kept.close()
        assert (kept.open() / "note").read_bytes() == CANARY
        kept.close()
        vault.destroy_project(MINE.project)
        assert refused(kept) == "PROJECT_DESTROYED"
        kept.again(key_of)
        assert refused(kept) == "HOME_DAMAGED"
        assert CANARY not in kept.image().read_bytes()
    finally:
        kept.end()


def test_images_that_were_exchanged_between_two_people_do_not_open(kept: Kept) -> None:
    for key in (MINE, OTHER):
        kept.open(key)
        kept.close(key)
    mine, other = kept.image().read_bytes(), kept.image(OTHER).read_bytes()
    kept.image().write_bytes(other)
    kept.image(OTHER).write_bytes(mine)
    assert refused(kept) == "HOME_DAMAGED"
    assert refused(kept, OTHER) == "HOME_DAMAGED"


@pytest.mark.parametrize("what", ["data", "key"])
def test_changed_bytes_in_the_image_are_found(kept: Kept, what: str) -> None:
    home = kept.open()
    (home / "data").write_bytes(secrets.token_bytes(2**20))
    encrypted = kept.raw() / homes.CIPHER
    (data,) = (path for path in encrypted.iterdir() if path.stat().st_size > 2**20)
    there = (
        data.read_bytes()[500_000:500_064] if what == "data" else (encrypted / "gocryptfs.conf").read_bytes()[40:120]
    )
    kept.close()
    image = bytearray(kept.image().read_bytes())
    place = image.find(there)
    assert place > 0
    image[place + 30] ^= 1
    kept.image().write_bytes(image)
    if what == "key":
        assert refused(kept) == "HOME_DAMAGED"
    else:
        with pytest.raises(OSError, match="Input/output error"):
            (kept.open() / "data").read_bytes()


def test_a_home_whose_process_was_killed_is_lost_and_opens_again_with_what_was_written(kept: Kept) -> None:
    home = kept.open()
    (home / "note").write_bytes(CANARY)
    assert not kept.lost()
    kill(cipher.running(place_of(kept.settings))[NUMBERS[MINE]])
    assert kept.lost()
    with pytest.raises(OSError, match=r"not connected|connection abort"):
        (home / "note").read_bytes()
    kept.close()
    assert (kept.open() / "note").read_bytes() == CANARY


def test_a_launcher_that_starts_again_takes_open_homes_over_and_closes_half_open_ones(kept: Kept) -> None:
    home = kept.open()
    kept.open(OTHER)
    kill(cipher.running(place_of(kept.settings))[NUMBERS[OTHER]])
    kept.again()
    assert not kept.lost()
    (home / "note").write_bytes(CANARY)
    assert kept.mounted() == {home, kept.raw()}, "what only half was open is closed"


def test_an_image_that_is_open_elsewhere_is_not_opened_a_second_time(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "WAIT_S", 0.2)
    kept.open()
    elsewhere = settings(tmp_path / "b")
    second = Homes(replace(elsewhere, homes=kept.settings.homes), key_of)
    with pytest.raises(SetupError, match="HOME_BUSY: your home is still being closed; try again in a moment"):
        second.open(MINE, NUMBERS[MINE])


def test_a_crash_while_a_home_was_made_heals_at_the_next_start(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    half = kept.image().with_name(f".{kept.image().name}.new")
    with monkeypatch.context() as broken:
        broken.setattr(cipher, "PROGRAM", "/usr/bin/false")
        assert refused(kept) == "HOME_FAILED"
    assert list(kept.image().parent.iterdir()) == [], "nothing half-made is left"
    half.write_bytes(b"half")
    (kept.open() / "note").write_bytes(CANARY)
    assert list(kept.image().parent.iterdir()) == [kept.image()]


def test_where_the_disk_is_nearly_full_no_home_is_opened_and_none_made(kept: Kept) -> None:
    kept.open()
    kept.close()
    full = replace(kept.settings.home, free_bytes=2**60)
    kept.settings = replace(kept.settings, home=full)
    kept.again()
    assert refused(kept) == "HOME_NO_ROOM"
    assert refused(kept, OTHER) == "HOME_NO_ROOM"
    assert list(kept.image().parent.iterdir()) == [kept.image()]


def test_what_homes_may_still_grow_to_is_promised_to_them(kept: Kept) -> None:
    found = os.statvfs(kept.settings.homes)
    large = 10 * 2**30
    if found.f_bavail * found.f_frsize < 2 * large:
        pytest.skip("cannot test here: the disk has less than 20 GiB left")
    floor = found.f_bavail * found.f_frsize - 3 * large // 2
    kept.settings = replace(kept.settings, home=replace(kept.settings.home, bytes=large, free_bytes=floor))
    kept.again()
    kept.open()
    assert refused(kept, OTHER) == "HOME_NO_ROOM"
    kept.close()
    kept.open()


def test_a_home_of_an_earlier_version_is_named_and_left_as_it_is(kept: Kept) -> None:
    old = kept.settings.homes / MINE.project / MINE.account
    old.mkdir(parents=True)
    (old / "note").write_text("mine")
    assert refused(kept) == "HOME_OLD"
    assert (old / "note").read_text() == "mine"


def test_the_key_stands_in_no_argument_environment_file_or_core(kept: Kept) -> None:
    asked: list[bytearray] = []

    def remembered(key: ServerKey) -> bytearray:
        asked.append(key_of(key))
        return asked[-1]

    kept.again(remembered)
    kept.open()
    secret, process = bytes(key_of(MINE)), cipher.running(place_of(kept.settings))[NUMBERS[MINE]]
    shown = [Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    files = [path.read_bytes() for path in kept.settings.state.parent.rglob("*") if path.is_file()]
    for text in (*shown, *files):
        assert secret not in text
        assert secret.hex().encode() not in text
    assert "Max core file size        0                    0" in Path(f"/proc/{process.pid}/limits").read_text()
    assert asked == [bytearray(32)], "what was used is overwritten"


def test_no_other_process_of_the_machine_sees_a_home(kept: Kept) -> None:
    kept.open()
    assert str(place_of(kept.settings)) not in Path("/proc/1/mountinfo").read_text()
    assert not kept.mounted() <= {Path(line.split()[4]) for line in Path("/proc/1/mountinfo").read_text().splitlines()}
