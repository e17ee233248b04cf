"""The one command line that the launcher runs. Nothing of an order enters it but the paths made from its two names."""

import os
import resource
import subprocess
from collections.abc import Mapping
from ctypes import CDLL, c_ulong
from dataclasses import dataclass
from pathlib import Path

UMASK = 0o077
_PR_SET_NO_NEW_PRIVS = 38
_libc = CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process of a server may use at most."""

    open_files: int
    processes: int
    file_bytes: int


def command_line(analyst: Path, config: Path, socket: Path, idle_s: int) -> list[str]:
    """Return the command line of a notebook server that listens on `socket` and ends after `idle_s` without use."""
    return [
        str(analyst / "bin" / "python"),
        "-I",
        "-m",
        "jupyterhub.singleuser",
        f"--config={config}",
        f"--ServerApp.sock={socket}",
        "--ServerApp.sock_mode=0660",
        f"--ServerApp.shutdown_no_activity_timeout={idle_s}",
        f"--MappingKernelManager.cull_idle_timeout={idle_s}",
    ]


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything about one start as who we are."""

    line: list[str]
    environment: Mapping[str, str]
    home: Path
    log: Path
    limits: Limits


def start(launch: Launch) -> int:
    """Start a server without a sandbox, where nobody is root; return its process id.

    It has its own session, no open file of ours but its log, and can never gain rights.
    """
    with launch.log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603  the fixed command line of this module
            launch.line,
            env=dict(launch.environment),
            cwd=launch.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=UMASK,
            preexec_fn=lambda: _restrain(launch.limits),  # noqa: PLW1509  the launcher has one thread
        )
    return child.pid


def _restrain(limits: Limits) -> None:
    """Bind the child before its command. Processes are not counted: the kernel counts them per user, and we are one."""
    most = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
    }
    for what, number in most.items():
        resource.setrlimit(what, (number, number))
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, c_ulong(1), c_ulong(0), c_ulong(0), c_ulong(0)) != 0:
        os._exit(126)
