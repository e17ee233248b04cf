"""Durable steps: what a name stands for has been synced before, and one holder has the lock."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enclave.errors import SetupError
from enclave.vault import files


def test_content_is_synced_before_the_name_and_the_name_before_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            steps.append(name)
            return call(*arguments)

        return step

    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    files.write_atomically(tmp_path / "file", [b"one", b"two"])
    assert steps == ["write", "write", "fsync", "replace", "fsync"]


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a longer old content")
    digest = files.write_atomically(tmp_path / "file", [b"new"])
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert digest == "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, bytes(content)[:7]))
    files.write_atomically(tmp_path / "file", [bytes(range(100))])
    assert (tmp_path / "file").read_bytes() == bytes(range(100))


def test_a_half_written_file_never_takes_the_name(tmp_path: Path) -> None:
    def pieces() -> Any:
        yield b"begun"
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(SetupError, match=r"DISK.*No space left"):
        files.write_atomically(tmp_path / "file", pieces())
    assert (tmp_path / "file").read_bytes() == b"old"
    files.remove_half_written(tmp_path)
    assert files.names_in(tmp_path) == {"file"}


def test_the_lock_has_one_holder_and_keeps_its_note(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with files.locked(tmp_path / "lock") as note:
            order.append(f"second finds {note.read()}")

    with files.locked(tmp_path / "lock") as note:
        thread = threading.Thread(target=second)
        thread.start()
        note.write("something longer")
        note.write("first")
        thread.join(0.1)
        order.append("first ends")
    thread.join()
    assert order == ["first ends", "second finds first"]


def test_nothing_is_written_or_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="DISK"):
        files.overwrite(tmp_path / "link")
    files.write_atomically(tmp_path / "link", [b"new"])
    assert (tmp_path / "elsewhere").read_bytes() == b"kept"


def test_a_file_of_another_user_or_open_to_others_is_not_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "file").chmod(0o600)
    files.require_private(tmp_path / "file")
    for mode in (0o601, 0o610, 0o644):
        (tmp_path / "file").chmod(mode)
        with pytest.raises(SetupError, match="NOT_PRIVATE"):
            files.require_private(tmp_path / "file")
    (tmp_path / "file").chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        files.require_private(tmp_path / "file")
