import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.errors import EnclaveBug, IntegrityError
from enclave.ledger.outbox import publish

FILES = {"manifest.json": b"{}", "tables/t1.csv": b"a\n", "codelists/sex.1.csv": b"b\n"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_appears_whole_and_read_only(tmp_path: Path) -> None:
    folder = publish(tmp_path, "r1", FILES)
    assert folder == tmp_path / "r1"
    assert contents(folder) == FILES
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444)
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]


def test_the_same_release_again_is_success_and_changes_nothing(tmp_path: Path) -> None:
    folder = publish(tmp_path, "r1", FILES)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert publish(tmp_path, "r1", FILES) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    "other",
    [
        {**FILES, "tables/t1.csv": b"b\n"},
        {**FILES, "more.txt": b""},
        {"manifest.json": b"{}"},
    ],
)
def test_another_content_under_the_same_name_is_refused(tmp_path: Path, other: dict[str, bytes]) -> None:
    folder = publish(tmp_path, "r1", FILES)
    with pytest.raises(IntegrityError, match="RELEASE_DIFFERS"):
        publish(tmp_path, "r1", other)
    assert contents(folder) == FILES


def test_an_empty_folder_or_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    with pytest.raises(IntegrityError):
        publish(tmp_path, "r1", FILES)
    (tmp_path / "r2").symlink_to(publish(tmp_path, "r3", FILES))
    with pytest.raises(IntegrityError):
        publish(tmp_path, "r2", FILES)
    (tmp_path / "r4").symlink_to(tmp_path / "nowhere")
    with pytest.raises(IntegrityError):
        publish(tmp_path, "r4", FILES)


def test_a_file_that_became_a_link_is_refused(tmp_path: Path) -> None:
    folder = publish(tmp_path, "r1", FILES)
    copy = tmp_path / "copy"
    copy.write_bytes(FILES["manifest.json"])
    folder.chmod(0o755)
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").symlink_to(copy)
    with pytest.raises(IntegrityError):
        publish(tmp_path, "r1", FILES)


def test_what_a_kill_left_is_cleaned_for_this_release_alone(tmp_path: Path) -> None:
    left, other = tmp_path / ".r1.unfinished", tmp_path / ".r2.unfinished"
    for folder in (left / "tables", other / "tables"):
        folder.mkdir(parents=True)
        (folder / "t1.csv").write_bytes(b"half")
        folder.chmod(0o555)
    left.chmod(0o555)
    assert contents(publish(tmp_path, "r1", FILES)) == FILES
    assert not left.exists()
    assert other.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_leftovers_are_cleaned_by_somebody_whom_read_only_folders_stop() -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, nobody, nobody)
        os.seteuid(nobody)
        try:
            left = Path(name) / ".r1.unfinished" / "tables"
            left.mkdir(parents=True)
            (left / "t1.csv").write_bytes(b"half")
            left.chmod(0o555)
            left.parent.chmod(0o555)
            assert contents(publish(Path(name), "r1", FILES)) == FILES
        finally:
            os.seteuid(0)


def test_leftovers_are_cleaned_also_when_the_release_is_there_already(tmp_path: Path) -> None:
    publish(tmp_path, "r1", FILES)
    (tmp_path / ".r1.unfinished").mkdir()
    publish(tmp_path, "r1", FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]


def test_a_link_in_place_of_leftovers_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_bytes(b"")
    (tmp_path / ".r1.unfinished").symlink_to(victim)
    with pytest.raises(IntegrityError, match="OUTBOX_LINK"):
        publish(tmp_path, "r1", FILES)
    assert (victim / "file").exists()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//b", "", ".hidden", "a/../b", "a\\b", "a/", "x\n"])
def test_unsafe_paths_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(EnclaveBug, match="RELEASE_PATH"):
        publish(tmp_path, "r1", {path: b""})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("release_id", ["", "..", "a/b", "R1", ".r1", "r1\n"])
def test_unsafe_ids_are_refused(tmp_path: Path, release_id: str) -> None:
    with pytest.raises(EnclaveBug, match="RELEASE_ID"):
        publish(tmp_path, release_id, FILES)


def test_an_empty_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnclaveBug, match="RELEASE_EMPTY"):
        publish(tmp_path, "r1", {})


class Killed(BaseException):
    """Stands for the end of the process: no handler of the code under test catches it."""


def killing(call: Callable[..., object], countdown: list[int]) -> Callable[..., object]:
    """Return `call`, but dying before it once the countdown is over."""

    def dying(*arguments: object, **keywords: object) -> object:
        countdown[0] -= 1
        if countdown[0] < 0:
            raise Killed
        return call(*arguments, **keywords)

    return dying


def test_a_kill_before_any_step_leaves_nothing_or_all_and_the_next_run_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    while True:
        root = tmp_path / str(steps)
        root.mkdir()
        countdown = [steps]
        with monkeypatch.context() as patched:
            for name in ("open", "fsync", "fchmod"):
                patched.setattr(os, name, killing(getattr(os, name), countdown))
            for name in ("mkdir", "chmod", "rename"):
                patched.setattr(Path, name, killing(getattr(Path, name), countdown))
            try:
                publish(root, "r1", FILES)
                finished = True
            except Killed:
                finished = False
        assert not (root / "r1").exists() or contents(root / "r1") == FILES
        assert contents(publish(root, "r1", FILES)) == FILES
        assert [path.name for path in root.iterdir()] == ["r1"]
        if finished:
            break
        steps += 1
    assert steps > 15


def test_every_file_and_folder_is_synced_before_the_name_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path).as_posix())

    monkeypatch.setattr(os, "fsync", fsync)
    publish(tmp_path, "r1", FILES)
    inner = {f".r1.unfinished/{path}" for path in (*FILES, "tables", "codelists")} | {".r1.unfinished"}
    assert set(synced[:-1]) == inner
    assert synced[-2:] == [".r1.unfinished", "."]
    publish(tmp_path, "r1", FILES)
    assert synced[-1] == "."
    assert len(synced) == len(inner) + 2
