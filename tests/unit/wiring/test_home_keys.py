"""Keys of homes, from the gateway's vault to the launcher: for members alone, each one logged, none of them shown."""

import asyncio
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from enclave.errors import RequestError, SetupError
from enclave.sandbox.home_keys import HomeKeys, wipe
from enclave.sandbox.protocol import ServerKey
from enclave.wiring.house import House, made_up_people, open_house
from enclave.wiring.keys.home_keys import serve_home_keys
from tests.lib.house_kit import log_lines, made_house, opener_of

PROJECT = "advice-17-17-2016"
STAFF, ANALYST = ServerKey("staff.one", PROJECT), ServerKey("analyst.one", PROJECT)
ME = os.getuid()


@contextmanager
def served(house: House, path: Path, launcher_uid: int = ME) -> Iterator[HomeKeys]:
    """Serve the socket from a thread, as the gateway does from its event loop; give what the launcher asks by."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(serve_home_keys(house, path, launcher_uid))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield HomeKeys(path, ME)
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(ended(asyncio.all_tasks(loop)))
        loop.close()


async def ended(tasks: set[asyncio.Task[object]]) -> None:
    """End what is under way, and wait until it is."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder whose path is short enough for a socket, with a house in it."""
    folder = Path(tempfile.mkdtemp(prefix="hk-", dir="/tmp"))
    made_house(folder / "house")
    with open_house(folder / "house") as house:
        house.register.enrol(made_up_people(PROJECT, date(2099, 1, 1)), "steward.one")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def house(place: Path) -> Iterator[House]:
    with open_house(place / "house", opener_of(place / "house")) as found:
        yield found


def refused(keys: HomeKeys, key: ServerKey) -> str:
    with pytest.raises((RequestError, SetupError)) as refusal:
        keys(key)
    return refusal.value.code


def last_entry(place: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(log_lines(place / "house")[-1])
    return found


def test_a_member_has_a_key_of_their_own_that_is_the_same_each_time(place: Path, house: House) -> None:
    with served(house, place / "keys.sock") as keys:
        first, again, others = keys(ANALYST), keys(ANALYST), keys(STAFF)
    assert first == again != others
    assert len(first) == 32
    assert (place / "keys.sock").stat().st_mode & 0o777 == 0o600


def test_each_key_is_an_entry_of_the_audit_log_which_does_not_show_it(place: Path, house: House) -> None:
    with served(house, place / "keys.sock") as keys:
        secret = keys(ANALYST)
    entry = last_entry(place)
    assert (entry["action"], entry["subject"]) == ("key_used", f"{PROJECT}/analyst.one")
    assert entry["details"] == {"operation": "home key handed out", "project": PROJECT}
    everything = "\n".join(log_lines(place / "house"))
    assert secret.hex() not in everything
    assert not [p for p in place.rglob("*") if p.is_file() and bytes(secret) in p.read_bytes()], "it is stored nowhere"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (ServerKey("checker.one", PROJECT), "NOT_ON_PROJECT"),
        (ServerKey("analyst.one", "advice-17-17-2017"), "NOT_ON_PROJECT"),
        (ServerKey("nobody", PROJECT), "UNKNOWN_ACCOUNT"),
    ],
)
def test_who_is_not_on_the_project_gets_none_and_the_log_says_so(
    place: Path, house: House, key: ServerKey, code: str
) -> None:
    with served(house, place / "keys.sock") as keys:
        assert refused(keys, key) == code
    entry = last_entry(place)
    assert (entry["action"], entry["subject"]) == ("refused", "open_home")
    assert entry["details"] == {"account": key.account, "operation": "open_home", "code": code}


def test_while_the_vault_is_locked_and_after_destruction_there_is_none(place: Path, house: House) -> None:
    with served(house, place / "keys.sock") as keys:
        keys(ANALYST)
        house.lock()
        assert refused(keys, ANALYST) == "VAULT_LOCKED"
        house.unlock(opener_of(place / "house"))
        house.vault.destroy_project(PROJECT)
        assert refused(keys, ANALYST) == "PROJECT_DESTROYED"


def test_another_user_than_the_launchers_is_refused_even_where_the_socket_lets_them_in(
    place: Path, house: House
) -> None:
    with served(house, place / "keys.sock", launcher_uid=ME + 1) as keys:
        assert refused(keys, ANALYST) == "LAUNCHER_ONLY"


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"[]\n", b"{}\n", b'{"account": 1, "project": "a"}\n', b"\xff\n", b"[" * 4000 + b"\n"]
)
def test_what_is_no_question_gets_no_key(place: Path, house: House, line: bytes) -> None:
    with served(house, place / "keys.sock"), socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(place / "keys.sock"))
        asking.sendall(line)
        asking.shutdown(socket.SHUT_WR)
        assert asking.makefile("rb").read().startswith(b"E")


def test_an_answer_of_somebody_else_is_not_read(place: Path, house: House) -> None:
    with served(house, place / "keys.sock"):
        assert refused(HomeKeys(place / "keys.sock", ME + 1), ANALYST) == "HOME_KEY"
    assert last_entry(place)["action"] != "key_used"


@pytest.mark.parametrize("answer", [b"", b"K", b"K" + bytes(31), b"E", b"Enonsense\n", b"E{}\n", b"X" + bytes(32)])
def test_an_answer_that_is_none_is_no_key(place: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / "keys.sock"))
        listening.listen()

        def speak() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        assert refused(HomeKeys(place / "keys.sock", ME), ANALYST) == "HOME_KEY"
        thread.join()


def test_without_a_gateway_the_sentence_says_what_to_do(place: Path) -> None:
    with pytest.raises(SetupError, match=r"HOME_KEY: .*try again in a moment, then call the operator"):
        HomeKeys(place / "keys.sock", ME)(ANALYST)


def test_a_key_that_was_used_is_overwritten() -> None:
    secret = bytearray(b"x" * 32)
    wipe(secret)
    assert secret == bytes(32)
