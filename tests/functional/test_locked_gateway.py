"""A gateway as it runs: locked at its start, unlocked by the key holder, locked again after a kill."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enclave.errors import PermissionDenied, SetupError
from enclave.vault.protection import Kind, Opener
from enclave.wiring.house import make_house
from enclave.wiring.keys import operator_client
from enclave.wiring.keys.door import DoorStatus
from enclave.wiring.keys.key_holder import by_passphrase
from tests.lib.house_kit import log_lines

CANARY = "canary words that nobody else says"
MOST_SECONDS = 120


@pytest.fixture
def workbench() -> Iterator[Path]:
    """Give the folder of a workbench with a house that a passphrase opens; its path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="gw-", dir="/tmp"))
    make_house(folder / "house", synthetic=True, protect=by_passphrase(CANARY))
    (folder / "run" / "gateway").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "config" / "gateway.token").write_text("a-token-of-the-hub", encoding="ascii")
    (folder / "config" / "gateway.token").chmod(0o600)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def _gateway(workbench: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "enclave.web", "--root", str(workbench)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _socket(workbench: Path) -> Path:
    return operator_client.socket_of(workbench / "house")


def _opener(passphrase: str) -> Opener:
    return Opener(Kind.PASSPHRASE, (passphrase,))


def _status(workbench: Path, process: subprocess.Popen[bytes]) -> DoorStatus:
    """Ask until the gateway answers."""
    until = time.monotonic() + MOST_SECONDS
    while (found := operator_client.status(_socket(workbench))) is None:
        assert process.poll() is None
        assert time.monotonic() < until, "the gateway does not answer"
        time.sleep(0.1)
    return found


def _unlock_by_command(workbench: Path) -> int:
    """Unlock as a key holder does, and return the exit code; the passphrase goes through an open file descriptor."""
    reading, writing = os.pipe()
    os.write(writing, CANARY.encode() + b"\n")
    os.close(writing)
    command = [sys.executable, "-m", "enclave", "operator", "unlock", "--root", str(workbench / "house")]
    try:
        return subprocess.run([*command, "--passphrase-fd", str(reading)], check=False, pass_fds=[reading]).returncode
    finally:
        os.close(reading)


def _answers(workbench: Path) -> int:
    """Ask for a page that everybody may see, and return what HTTP says."""
    connection = http.client.HTTPConnection("gateway")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(workbench / "run" / "gateway" / "gateway.sock"))
    connection.request("GET", "/services/gateway/about")
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_starts_locked_and_serves_is_unlocked_locked_and_after_a_kill_locked_again(workbench: Path) -> None:
    with _gateway(workbench) as process:
        assert _status(workbench, process).locked
        assert _answers(workbench) == 200
        with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
            operator_client.unlock(_socket(workbench), _opener("not the passphrase"))
        assert _unlock_by_command(workbench) == 0
        assert not _status(workbench, process).locked
        shown = [(Path("/proc") / str(process.pid) / name).read_bytes() for name in ("cmdline", "environ")]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with _gateway(workbench) as process:
        assert _status(workbench, process).locked
        assert not operator_client.unlock(_socket(workbench), _opener(CANARY)).locked
        assert operator_client.lock(_socket(workbench)).locked
    log = log_lines(workbench / "house")
    actions = [word for line in log for word in ("vault_unlocked", "vault_locked", "unlock_refused") if word in line]
    assert actions == ["unlock_refused", "vault_unlocked", "vault_unlocked", "vault_locked"]
    everything = b"\0".join([*shown, *(line.encode() for line in log)])
    everything += b"\0".join(path.read_bytes() for path in workbench.rglob("*") if path.is_file())
    assert CANARY.encode() not in everything


def test_a_house_that_is_not_of_made_up_data_is_not_served_and_not_touched(workbench: Path) -> None:
    settings = workbench / "house" / "house.json"
    described = json.loads(settings.read_text(encoding="utf-8")) | {"synthetic": False}
    settings.write_text(json.dumps(described), encoding="utf-8")
    before = {path.name for path in (workbench / "house").iterdir()}
    line = [sys.executable, "-m", "enclave.web", "--root", str(workbench)]
    ended = subprocess.run(line, check=False, capture_output=True, text=True, timeout=MOST_SECONDS)
    assert ended.returncode == SetupError.exit_code
    assert "NOT_SYNTHETIC" in ended.stderr
    assert {path.name for path in (workbench / "house").iterdir()} == before, "not even its cookies' secret was made"


def test_it_ends_when_told_to_and_takes_the_key_with_it(workbench: Path) -> None:
    with _gateway(workbench) as process:
        assert _status(workbench, process).locked
        assert not operator_client.unlock(_socket(workbench), _opener(CANARY)).locked
        process.send_signal(signal.SIGTERM)
        assert process.wait(MOST_SECONDS) == 0
    assert operator_client.status(_socket(workbench)) is None
