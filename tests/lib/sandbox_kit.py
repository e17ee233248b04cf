"""Sandboxes for tests: real ones, where the machine can make them."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.sandbox import box, seccomp
from enclave.sandbox.box import HOME, Bind, Box, Room
from enclave.sandbox.command import Limits
from enclave.sandbox.processes import Process
from enclave.sandbox.trial import try_sandbox

ROOT = Path(__file__).parents[2]
NOBODY = 65534
USER, GROUP = 399_001, 399_000
ROOM = Room(Limits(open_files=256, processes=200, file_bytes=2**24), temporary_bytes=2**22, temporary_files=100)


@cache
def why_no_sandbox() -> str:
    """Say why this machine makes no sandboxes; nothing where it does."""
    try:
        try_sandbox()
    except SetupError as error:
        return str(error)
    return ""


def need_sandbox() -> None:
    """Skip, and say so, where the machine makes no sandboxes with users of their own."""
    why = why_no_sandbox() if os.geteuid() == 0 else "only root makes sandboxes with users of their own"
    if why:
        pytest.skip(f"cannot test here: {why}")


@cache
def _why_none_without_root() -> str:
    made = "from enclave.sandbox.trial import try_sandbox; try_sandbox()"
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    line = [*become, sys.executable, "-c", made]
    ended = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stderr.strip().splitlines()[-1] if ended.returncode else ""


def need_sandbox_without_root() -> None:
    """Skip, and say so, where the machine lets nobody but root make sandboxes."""
    if why := _why_none_without_root():
        pytest.skip(f"cannot test here: {why}")


def plain_box(folder: Path, *line: str) -> Box:
    """Return a sandbox with a home below `folder`, and nothing else that is special."""
    home = folder / "home"
    if not home.exists():
        home.mkdir(parents=True)
        os.chown(home, USER, GROUP)
        home.chmod(0o770)
    return Box(
        line=line,
        environment={"PATH": "/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8"},
        folder=HOME,
        as_root=True,
        user=USER,
        group=GROUP,
        trees=((Path("/usr"), "/usr"),),
        binds=(Bind(home, HOME, writable=True),),
        hidden=(),
        join=(),
        room=ROOM,
        log=folder / "log",
        silent=False,
    )


def run(wanted: Box, folder: Path, *, seconds: float = 30) -> tuple[int, str]:
    """Run a sandbox to its end; return its exit code and what it printed."""
    wanted = replace(wanted, log=folder / "log")
    wanted.log.unlink(missing_ok=True)
    process, outside = started(wanted, folder)
    until = time.monotonic() + seconds
    while (ended := os.waitpid(outside, os.WNOHANG)) == (0, 0):
        if time.monotonic() > until:
            process.kill()
            os.waitpid(outside, 0)
            raise AssertionError(f"still running after {seconds} s: {wanted.log.read_text()}")
        time.sleep(0.02)
    return os.waitstatus_to_exitcode(ended[1]), wanted.log.read_text(errors="replace")


def started(wanted: Box, folder: Path) -> tuple[Process, int]:
    """Start a sandbox; return its first process and the number of the one that waits outside."""
    stage = folder / "stage"
    stage.mkdir(exist_ok=True)
    return box.start(wanted, stage, seccomp.program())


def python(wanted: Box, code: str) -> Box:
    """Return the sandbox with a Python program as its command."""
    return replace(wanted, line=("/usr/bin/python3", "-I", "-c", code))
