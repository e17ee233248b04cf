"""A launcher without a workbench: real folders, a real directory, and a server that only sleeps."""

import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from enclave.sandbox.command import Limits
from enclave.sandbox.directory import Directory, Member
from enclave.sandbox.protocol import Operation, Order, ServerKey
from enclave.sandbox.servers import Servers
from enclave.sandbox.settings import HomeLimits, SandboxLimits, Settings

HOME_BYTES, HOME_FILES = 48 * 2**20, 2000
PROJECT, OTHER = "advice-17-17-2016", "advice-17-17-2017"
KEY = ServerKey("analyst.one", PROJECT)
ENVIRONMENT = {"JUPYTERHUB_USER": "analyst.one", "JUPYTERHUB_API_TOKEN": "abc"}
TITLES = dict.fromkeys(("nl", "fr", "en"), "title")


def directory(
    *,
    synthetic: bool = True,
    vault_open: bool = True,
    projects: tuple[str, ...] = (PROJECT,),
    closed: tuple[str, ...] = (),
    destroyed: tuple[str, ...] = (),
) -> Directory:
    accounts = {
        "analyst.one": Member("analyst.one", frozenset({"analyst"}), frozenset(projects)),
        "checker.one": Member("checker.one", frozenset({"output_checker"}), frozenset()),
    }
    return Directory(
        synthetic, vault_open, accounts, {PROJECT: TITLES, OTHER: TITLES}, frozenset(closed), frozenset(destroyed)
    )


def settings(root: Path, *, stop_s: float = 5.0) -> Settings:
    """Return settings below `root`, for the present user, with an interpreter that is a script of ours."""
    for name in ("state", "run", "callers", "orders", "between", "hub", "homes", "logs", "notices", "analyst/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    python = root / "analyst" / "bin" / "python"
    if not python.exists():
        python.write_text('#!/bin/sh\nenv > "$HOME/environment"; echo "$@" > "$HOME/line"; exec sleep 600\n')
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return Settings(
        as_root=False,
        hub_uid=os.getuid(),
        gateway_uid=os.getuid(),
        front_gid=os.getgid(),
        first_uid=300_000,
        uids=4,
        socket=root / "run" / "launcher.sock",
        directory=root / "directory.json",
        state=root / "state",
        run=root / "run",
        homes=root / "homes",
        own_files=root / "own-files",
        logs=root / "logs",
        notices=root / "notices",
        analyst=root / "analyst",
        config=root / "server_config.py",
        callers=root / "callers",
        between=root / "between",
        hub=root / "hub" / "hub.sock",
        orders=root / "orders",
        keys=root / "run" / "homes.sock",
        limits=Limits(open_files=256, processes=64, file_bytes=2**20),
        sandbox=SandboxLimits(2**29, 2**29, 200, 2, 2**26, 1000),
        home=HomeLimits(HOME_BYTES, HOME_FILES, 2**20),
        idle_s=60,
        stop_s=stop_s,
    )


@contextmanager
def servers(root: Path, *, stop_s: float = 5.0) -> Iterator[Servers]:
    """Give servers of a launcher whose directory has the analyst on the project; stop them all at the end."""
    directory().write(root / "directory.json")
    found = Servers(settings(root, stop_s=stop_s))
    try:
        yield found
    finally:
        directory().write(root / "directory.json")
        left = Servers(settings(root, stop_s=stop_s))
        left.begin_to_stop_all()
        while left.some_run():
            left.sweep()
            time.sleep(0.05)


def start(key: ServerKey = KEY, environment: Mapping[str, str] = ENVIRONMENT) -> Order:
    return Order(Operation.START, key, environment)


def poll(key: ServerKey = KEY) -> Order:
    return Order(Operation.POLL, key, {})


def stop(key: ServerKey = KEY) -> Order:
    return Order(Operation.STOP, key, {})
