"""Who the launcher answers: the hub's user as the kernel knows it, and nobody else. Sockets are real."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from enclave.sandbox import listener
from tests.lib.launcher_kit import KEY, servers

NOBODY = 65534


@dataclass
class Running:
    path: Path
    going: list[bool] = field(default_factory=lambda: [True])

    def ask(self, raw: bytes) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.path))
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as stream:
                return json.loads(stream.readline())


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A launcher that takes orders from the user of `request.param`, in a thread of this process."""
    with TemporaryDirectory() as folder, servers(Path(folder)) as found:
        path = Path(folder) / "run" / "launcher.sock"
        server = listener.bind(path, os.getuid(), as_root=False)
        it = Running(path)
        thread = threading.Thread(target=listener.serve, args=(server, request.param, found, lambda: it.going[0]))
        thread.start()
        yield it
        it.going[0] = False
        thread.join()
        server.close()


@pytest.mark.parametrize("running", [os.getuid()], indirect=True)
def test_the_hub_is_answered(running: Running) -> None:
    assert running.ask(b'{"operation": "list"}\n') == {"servers": []}


@pytest.mark.parametrize("running", [os.getuid()], indirect=True)
def test_a_forged_order_gets_a_sentence_and_the_launcher_goes_on(running: Running) -> None:
    assert running.ask(b'{"operation": "exec"}\n')["error"]["code"] == "ORDER_UNKNOWN"
    assert running.ask(b"\0" * 200_000)["error"]["code"] == "ORDER_LENGTH"
    assert running.ask(b"")["error"]["code"] == "ORDER_LENGTH"
    assert running.ask(b'{"operation": "list"}\n') == {"servers": []}


@pytest.mark.parametrize("running", [os.getuid() + 1], indirect=True)
def test_another_user_is_not_even_read(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    order = {"operation": "poll", "account": KEY.account, "project": KEY.project}
    with suppress(ConnectionError):  # closed upon what was not read
        assert running.ask(json.dumps(order).encode() + b"\n")["error"]["code"] == "NOT_THE_HUB"
    assert "NOT_THE_HUB" in caplog.text
    notices = running.path.parents[1] / "notices"
    assert [json.loads(path.read_text())["details"] for path in notices.iterdir()] == [{"code": "NOT_THE_HUB"}]


@pytest.mark.parametrize("running", [os.getuid()], indirect=True)
def test_only_its_owner_may_open_the_socket(running: Running) -> None:
    assert running.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("running", [os.getuid()], indirect=True)
def test_another_user_with_an_open_socket_is_known_by_the_kernel(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.path.chmod(0o666)
    for folder in (running.path.parent, running.path.parent.parent):
        folder.chmod(0o755)
    code = (
        "import socket, sys\n"
        's = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b\'{"operation": "list"}\\n\')\n'
        "print(s.makefile().readline())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(running.path)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "servers" not in ended.stdout
    assert "NOT_THE_HUB" in caplog.text
