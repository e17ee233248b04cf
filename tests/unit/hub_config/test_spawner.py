"""The hub looks itself whether somebody may have a server, and waits until it listens. The launcher is a real one."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from enclave.errors import PermissionDenied
from enclave.sandbox import listener
from enclave.sandbox.directory import Directory
from enclave.sandbox.environment import socket_url
from hub_config.refusals import Refusal
from hub_config.spawner import ENDED, PAUSE_S, LauncherSpawner
from tests.lib.launcher_kit import ENVIRONMENT, OTHER, PROJECT, directory, servers

LATE_S = 5 * PAUSE_S
"""Long enough for several looks."""


def check(folder: Path, account: str, project: str, told: Directory) -> None:
    told.write(folder / "directory.json")
    spawner = LauncherSpawner(directory=str(folder / "directory.json"), launcher_socket="", notices=str(folder))
    spawner.orm_spawner = SimpleNamespace(name=project, server=None)
    spawner.user = SimpleNamespace(name=account)
    asyncio.run(spawner._check())


def test_a_member_may(tmp_path: Path) -> None:
    check(tmp_path, "analyst.one", PROJECT, directory())


@pytest.mark.parametrize(
    ("account", "project", "told", "code"),
    [
        ("analyst.one", "", directory(), "NO_UNNAMED"),
        ("analyst.one", "advice-17-17-1999", directory(), "UNKNOWN_PROJECT"),
        ("analyst.one", PROJECT, directory(projects=(OTHER,)), "NOT_ON_PROJECT"),
        ("somebody.else", PROJECT, directory(), "UNKNOWN_ACCOUNT"),
        ("analyst.one", PROJECT, directory(vault_open=False), "VAULT_LOCKED"),
        ("analyst.one", PROJECT, directory(synthetic=False), "SYNTHETIC_ONLY"),
        ("analyst.one", PROJECT, directory(closed=(PROJECT,)), "RETENTION_PASSED"),
    ],
)
def test_anybody_else_is_told_why_not(tmp_path: Path, account: str, project: str, told: Directory, code: str) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        check(tmp_path, account, project, told)
    assert refusal.value.code == code


class Hubless(LauncherSpawner):
    """A spawner whose servers need to know nothing of a hub."""

    def get_env(self) -> dict[str, str]:
        return ENVIRONMENT


@pytest.fixture
def spawner() -> Iterator[LauncherSpawner]:
    """A spawner and its launcher, whose servers do not listen: they only sleep."""
    with TemporaryDirectory() as name, servers(Path(name)) as found:
        folder, going = Path(name), [True]
        door = listener.bind(folder / "run" / "launcher.sock", os.getuid(), as_root=False)
        serving = (door, os.getuid(), found, lambda: going[0])
        thread = threading.Thread(target=listener.serve, args=serving)
        thread.start()
        try:
            yield of_analyst(folder)
        finally:
            going[0] = False
            thread.join()
            door.close()


def of_analyst(folder: Path) -> LauncherSpawner:
    launcher, told = folder / "run" / "launcher.sock", folder / "directory.json"
    found = Hubless(launcher_socket=str(launcher), directory=str(told), notices=str(folder / "notices"))
    found.orm_spawner = SimpleNamespace(name=PROJECT, server=None)
    found.user = SimpleNamespace(name="analyst.one")
    return found


async def begun(spawner: LauncherSpawner) -> asyncio.Task[str]:
    """Begin to start a server; return when it runs and is waited for."""
    start = asyncio.create_task(spawner.start())
    while not spawner.socket:  # noqa: ASYNC110  as the hub's own page does
        await asyncio.sleep(PAUSE_S)
    return start


async def over(start: asyncio.Task[str]) -> bool:
    """Say whether the start is over, after some looks."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(start), LATE_S)
    return start.done()


def test_a_server_that_listens_late_is_waited_for(spawner: LauncherSpawner) -> None:
    async def look() -> list[object]:
        start = await begun(spawner)
        with socket.socket(socket.AF_UNIX) as server:
            found: list[object] = [await over(start)]
            server.bind(spawner.socket)  # the file alone is no server
            found.append(await over(start))
            server.listen()
            return [*found, await asyncio.wait_for(start, 30)]

    assert asyncio.run(look()) == [False, False, socket_url(Path(spawner.socket))]


def test_a_server_that_ends_before_it_listens_is_waited_for_no_longer(spawner: LauncherSpawner) -> None:
    async def look() -> None:
        start = await begun(spawner)
        assert not await over(start)
        await spawner.stop()
        await asyncio.wait_for(start, 30)

    with pytest.raises(Refusal) as refusal:
        asyncio.run(look())
    assert refusal.value.code == "SERVER_ENDED"


def test_the_hub_stops_a_server_when_its_patience_has_passed(spawner: LauncherSpawner) -> None:
    """JupyterHub waits `start_timeout` seconds for a start, and then stops the server."""

    async def look() -> list[int | None]:
        start = await begun(spawner)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(start, LATE_S)
        before = await spawner.poll()
        await spawner.stop()
        return [before, await spawner.poll()]

    assert asyncio.run(look()) == [None, ENDED]
