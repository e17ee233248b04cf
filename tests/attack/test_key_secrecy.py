"""What unlocks a house shows nowhere: not in the process table, not in the environment, not in any file or message."""

import base64
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enclave.vault.protection import Kind, Opener
from enclave.wiring.house import make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file, by_new_shares, by_passphrase, master_key
from enclave.wiring.settings import Settings
from tests.lib.house_kit import log_lines

CANARY = "canary words that nobody else says"


@contextmanager
def _running(root: Path, command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the command line that has unlocked the vault and waits there, for a lock that is held here.

    The passphrase goes through an open file descriptor.
    """
    reading, writing = os.pipe()
    os.write(writing, CANARY.encode() + b"\n")
    os.close(writing)
    words = [sys.executable, "-m", "enclave", command, "--root", str(root), "--passphrase-fd", str(reading)]
    with (root / "vault" / "lock").open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, pass_fds=[reading], stdout=pipe, stderr=pipe, text=True)
        os.close(reading)
        try:
            while not any("vault_unlocked" in line for line in log_lines(root)):
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            yield process
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)


def _secrets(settings: Settings, opener: Opener) -> list[bytes]:
    """Return every spelling of what must not show: what was typed, what it gives, and the master key."""
    master = master_key(settings)
    master.unlock(opener)
    (key,) = master.candidates()
    assert master._wrapping is not None
    raw = [key.secret, master._wrapping.secret]
    texts = [text.strip().encode() for text in opener.texts]
    return [*texts, *raw, *(secret.hex().encode() for secret in raw), *(base64.b64encode(secret) for secret in raw)]


def _require_absent(secrets: list[bytes], places: dict[str, bytes]) -> None:
    assert places
    found = [place for place, content in places.items() for secret in secrets if secret in content]
    assert found == []


def _files_below(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_a_passphrase_is_in_no_argument_environment_message_log_or_file(tmp_path: Path) -> None:
    root = tmp_path / "house"
    make_house(root, synthetic=True, protect=by_passphrase(CANARY))
    secrets = _secrets(Settings.read(root), Opener(Kind.PASSPHRASE, (CANARY,)))
    with _running(root, "fsck") as process:
        of_process = Path("/proc") / str(process.pid)
        shown = {name: (of_process / name).read_bytes() for name in ("cmdline", "environ")}
        limits = (of_process / "limits").read_text(encoding="utf-8")
    told = "".join(process.communicate()).encode()
    assert process.returncode == 0, told
    assert shown["cmdline"]
    assert shown["environ"]
    assert "Max core file size        0                    0" in limits
    log = "\n".join(log_lines(root)).encode()
    _require_absent(secrets, shown | {"told": told, "log": log} | _files_below(tmp_path))


@pytest.mark.parametrize("kind", [Kind.KEY_FILE, Kind.SHARES])
def test_a_key_file_and_shares_are_copied_nowhere(tmp_path: Path, kind: Kind) -> None:
    medium, root = tmp_path / "medium", tmp_path / "house"
    make_house(
        root,
        synthetic=False,
        protect=by_new_key_file(medium / "key") if kind is Kind.KEY_FILE else by_new_shares(2, 2, medium),
    )
    opener = Opener(kind, tuple(path.read_text(encoding="utf-8") for path in sorted(medium.iterdir())))
    with open_house(root, opener) as house:
        house.vault.seal("gateway", "letter", b"text")
    secrets = _secrets(Settings.read(root), opener)
    _require_absent(secrets, {"log": "\n".join(log_lines(root)).encode()} | _files_below(root))


def test_no_refusal_repeats_what_was_brought(tmp_path: Path) -> None:
    root = tmp_path / "house"
    make_house(root, synthetic=True, protect=by_passphrase("another passphrase"))
    reading, writing = os.pipe()
    os.write(writing, CANARY.encode() + b"\n")
    os.close(writing)
    command = [sys.executable, "-m", "enclave", "fsck", "--root", str(root), "--passphrase-fd", str(reading)]
    done = subprocess.run(command, pass_fds=[reading], capture_output=True, check=False)
    os.close(reading)
    assert done.returncode == 12
    assert b"UNLOCK_REFUSED" in done.stderr
    _require_absent([CANARY.encode()], {"told": done.stdout + done.stderr, "log": "\n".join(log_lines(root)).encode()})
