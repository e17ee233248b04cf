"""The operator socket: who may use it, what it answers, and how the commands of operators meet it."""

import asyncio
import json
import os
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enclave.errors import IntegrityError, PermissionDenied, SetupError
from enclave.vault.protection import Kind, Opener, new_key_file
from enclave.wiring.house import House, open_house
from enclave.wiring.keys import operator_client
from enclave.wiring.keys.operator_socket import serve_operator_socket
from tests.lib.house_kit import key_path, log_lines, made_house, opener_of
from tests.unit.wiring.test_command_line import run


@pytest.fixture
def root() -> Iterator[Path]:
    """Give a house whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="op-", dir="/tmp"))
    made_house(folder / "house")
    (folder / "run" / "gateway").mkdir(parents=True)
    yield folder / "house"
    shutil.rmtree(folder)


@contextmanager
def served(house: House, path: Path) -> Iterator[None]:
    """Serve the socket from a thread, as the gateway does from its event loop."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(serve_operator_socket(house, path))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def gateway(root: Path) -> Iterator[House]:
    """Give the house of a running gateway, locked."""
    with open_house(root) as house, served(house, operator_client.socket_of(root)):
        yield house


def _say(path: Path, line: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            found: dict[str, object] = json.loads(stream.readline())
            return found


def test_it_unlocks_and_locks_the_running_house_and_tells_how_it_stands(gateway: House, root: Path) -> None:
    path = operator_client.socket_of(root)
    before = operator_client.status(path)
    assert before is not None
    assert (before.locked, before.since, before.protection, before.generation) == (True, None, "the key file", 1)
    unlocked = operator_client.unlock(path, opener_of(root))
    assert not unlocked.locked
    assert gateway.vault.projects() == ()
    assert unlocked.since is not None
    assert operator_client.lock(path).locked
    with pytest.raises(SetupError, match="VAULT_LOCKED"):
        gateway.vault.projects()


def test_refusals_arrive_as_what_they_are(gateway: House, root: Path) -> None:
    path = operator_client.socket_of(root)
    wrong = Opener(Kind.KEY_FILE, (new_key_file(os.urandom),))
    with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        operator_client.unlock(path, wrong)
    with pytest.raises(SetupError, match="UNLOCK_OTHERWISE"):
        operator_client.unlock(path, Opener(Kind.PASSPHRASE, ("words",)))
    ring = root / "vault" / "keys" / "keyring"
    ring.write_bytes(b"0" * 64 + ring.read_bytes()[64:])
    with pytest.raises(IntegrityError, match="KEY_RING"):
        operator_client.unlock(path, opener_of(root))
    assert gateway.locked


def test_the_socket_is_its_owners_alone(gateway: House, root: Path) -> None:
    found = operator_client.socket_of(root).stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_refused_even_where_the_socket_lets_them_in(gateway: House, root: Path) -> None:
    """The kernel says who asks; the mode of the file is opened up here on purpose."""
    path = operator_client.socket_of(root)
    for folder in (root.parent, path.parent, path.parent.parent):
        folder.chmod(0o755)
    path.chmod(0o666)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            operator_client.unlock(path, Opener(Kind.KEY_FILE, ("not even read",)))
        except PermissionDenied as error:
            os._exit(0 if error.code == "OPERATOR_ONLY" else 1)
        except BaseException:  # noqa: BLE001  the child says with its exit code what happened
            os._exit(2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not [line for line in log_lines(root) if "unlock" in line]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_does_not_reach_a_closed_socket(gateway: House, root: Path) -> None:
    path = operator_client.socket_of(root)
    for folder in (root.parent, path.parent, path.parent.parent):
        folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            operator_client.status(path)
        except PermissionDenied as error:
            os._exit(0 if error.code == "OPERATOR_ONLY" else 1)
        except BaseException:  # noqa: BLE001  as above
            os._exit(2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"no JSON\n",
        b"[" * 60_000 + b"\n",
        b"[]\n",
        b'{"do": 3}\n',
        b'{"do": "open sesame"}\n',
        b'{"do": "unlock"}\n',
        b'{"do": "unlock", "kind": "passphrase", "texts": []}\n',
        b'{"do": "unlock", "kind": "passphrase", "texts": [3]}\n',
        b'{"do": "unlock", "kind": "magic", "texts": ["x"]}\n',
        b"x" * (operator_client.LONGEST_LINE + 10) + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_question_is_refused_and_the_next_one_is_answered(gateway: House, root: Path, line: bytes) -> None:
    path = operator_client.socket_of(root)
    try:
        answer = _say(path, line)
    except (ConnectionError, BrokenPipeError):
        answer = {"error": {"code": "OPERATOR_REQUEST"}}  # closed before all of a line that is too long was taken
    error = answer["error"]
    assert isinstance(error, dict)
    assert error["code"] == "OPERATOR_REQUEST"
    status = operator_client.status(path)
    assert status is not None
    assert status.locked


def test_no_answer_repeats_what_was_sent(gateway: House, root: Path) -> None:
    path = operator_client.socket_of(root)
    for kind in Kind:
        line = json.dumps({"do": "unlock", "kind": kind, "texts": ["canary words"]}).encode() + b"\n"
        assert "canary" not in json.dumps(_say(path, line))
    assert not [line for line in log_lines(root) if "canary" in line]


def test_a_socket_that_a_killed_gateway_left_behind_is_replaced(root: Path) -> None:
    path = operator_client.socket_of(root)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with open_house(root) as house, served(house, path):
        assert operator_client.status(path) is not None


def test_a_second_gateway_does_not_take_the_socket_of_the_first(gateway: House, root: Path) -> None:
    path = operator_client.socket_of(root)
    with pytest.raises(SetupError, match=r"OPERATOR_SOCKET.*stop it"):
        asyncio.run(serve_operator_socket(gateway, path))
    assert operator_client.status(path) is not None


def test_a_file_in_the_place_of_the_socket_is_left_alone(root: Path) -> None:
    path = operator_client.socket_of(root)
    path.write_text("mine", encoding="utf-8")
    with open_house(root) as house, pytest.raises(SetupError, match="OPERATOR_SOCKET"):
        asyncio.run(serve_operator_socket(house, path))
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_path_that_no_socket_can_have_is_a_sentence(root: Path) -> None:
    with open_house(root) as house, pytest.raises(SetupError, match="SOCKET_PATH"):
        asyncio.run(serve_operator_socket(house, root / ("x" * 108)))


def test_the_way_to_the_socket_may_be_a_link(root: Path, tmp_path: Path) -> None:
    """A folder with a long path keeps its sockets in a short one."""
    far = tmp_path / ("long" * 20)
    (far / "house").mkdir(parents=True)
    (far / "run").symlink_to(root.parent / "run")
    assert operator_client.socket_of(far / "house") == operator_client.socket_of(root)


def test_commands_unlock_lock_and_tell_the_status(
    gateway: House, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--root", str(root))
    assert run("operator", "status", *where) == 0
    assert "locked in the running gateway" in capsys.readouterr().out
    assert run("operator", "unlock", *where, "--key-file", str(key_path(root))) == 0
    assert not gateway.locked
    assert run("operator", "status", *where) == 0
    told = capsys.readouterr().out
    assert "unlocked in the running gateway since 20" in told
    assert "master key: opened by the key file; generation 1" in told
    assert run("operator", "lock", *where) == 0
    assert gateway.locked


def test_commands_without_a_gateway_say_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--root", str(root))
    assert run("operator", "unlock", *where, "--key-file", str(key_path(root))) == 14
    assert "GATEWAY_NOT_RUNNING" in capsys.readouterr().err
    assert run("operator", "lock", *where) == 14
    assert run("operator", "status", *where) == 0
    assert "vault: locked (no gateway runs)" in capsys.readouterr().out


def _hang_up(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_a_gateway_that_says_nothing_is_a_sentence(root: Path) -> None:
    path = operator_client.socket_of(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=_hang_up, args=(listening,))
        thread.start()
        with pytest.raises(SetupError, match="GATEWAY_SILENT"):
            operator_client.status(path)
        thread.join()
