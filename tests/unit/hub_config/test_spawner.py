"""The hub looks itself whether somebody may have a server; the launcher looks again."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from enclave.errors import PermissionDenied
from enclave.sandbox.directory import Directory
from hub_config.spawner import LauncherSpawner
from tests.lib.launcher_kit import OTHER, PROJECT, directory


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
    ],
)
def test_anybody_else_is_told_why_not(tmp_path: Path, account: str, project: str, told: Directory, code: str) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        check(tmp_path, account, project, told)
    assert refusal.value.code == code
