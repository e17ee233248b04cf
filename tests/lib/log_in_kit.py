"""What tests of log-ins have in common: a directory with one analyst, a folder of notices, and a form sent."""

import asyncio
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from enclave.wiring.workbench.log_in_settings import LogInSettings
from enclave.wiring.workbench.settings import DEFAULT, read_settings
from hub_config.refusals import Refusal
from tests.lib.launcher_kit import PROJECT, directory

EXAMPLES = DEFAULT.with_name("examples")
ANALYST = {"name": "analyst.one", "groups": [f"project-{PROJECT}", "role-analyst"], "admin": False}
"""What the hub is told of the one analyst."""


def house_traits(folder: Path) -> dict[str, Any]:
    """Write directory and folder of notices, and return what every kind of log-in is told."""
    directory().write(folder / "directory.json")
    (folder / "notices").mkdir()
    return {
        "directory": str(folder / "directory.json"),
        "notices": str(folder / "notices"),
        "wrong_passwords": 3,
    }


def with_log_in(text: str, block: str) -> str:
    """Return settings of a workbench with another block `log_in`."""
    assert text.count("log_in: {kind: made_up}\n") == 1
    return text.replace("log_in: {kind: made_up}\n", block)


def example(kind: str) -> LogInSettings:
    """Return the block `log_in` of an example, read as the workbench reads it."""
    block = (EXAMPLES / f"{kind}.yaml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workbench.yaml"
        file.write_text(with_log_in(DEFAULT.read_text(encoding="utf-8"), block), encoding="utf-8")
        return read_settings(file).log_in


def sent(users: Any, data: dict[str, str], address: str = "127.0.0.1") -> Any:
    """Let somebody log in with these data."""
    handler = SimpleNamespace(request=SimpleNamespace(remote_ip=address))
    return asyncio.run(users.authenticate(handler, data))


def form(account: str, password: str, ban: str = "accepted") -> dict[str, str]:
    return {"username": account, "password": password, "ban": ban}


def code_of_refusal(users: Any, data: dict[str, str]) -> str:
    with pytest.raises(Refusal) as refusal:
        sent(users, data)
    return refusal.value.code


def noted(folder: Path) -> list[dict[str, Any]]:
    """Return what was noted for the audit log, oldest first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "notices").iterdir())]
    return [{"event": notice["event"], **notice["details"]} for notice in found]
