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
    """Everything about one start. `identity` is user and group; None: as who we are."""

    line: list[str]
    environment: Mapping[str, str]
    home: Path
    log: Path
    identity: tuple[int, int] | None
    limits: Limits


def start(launch: Launch) -> int:
    """Start a server and return its process id.

    It has its own session, no open file of ours but its log, no further groups, and can never gain rights.
    """
    user, group = launch.identity or (None, None)
    with launch.log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603  the fixed command line of this module
            launch.line,
            env=dict(launch.environment),
            cwd=launch.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if launch.identity is None else [],
            umask=UMASK,
            preexec_fn=lambda: _restrain(launch),  # noqa: PLW1509  the launcher has one thread
        )
    return child.pid


def _restrain(launch: Launch) -> None:
    """Bind the child: after its change of user, before its command."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: launch.limits.open_files,
        resource.RLIMIT_FSIZE: launch.limits.file_bytes,
    }
    if launch.identity is not None:  # the kernel counts processes per user
        limits[resource.RLIMIT_NPROC] = launch.limits.processes
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, c_ulong(1), c_ulong(0), c_ulong(0), c_ulong(0)) != 0:
        os._exit(126)
