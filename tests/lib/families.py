"""Families of processes: whatever a process started, and what that started, also when its parent ended before it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import CDLL, c_ulong
from pathlib import Path

from enclave.sandbox.processes import Process

_PR_SET_CHILD_SUBREAPER = 36
_libc = CDLL(None)


@contextmanager
def orphans_come_to_us() -> Iterator[None]:
    """Make processes whose parent ends children of this one, if it is above them, instead of the machine's first."""
    _adopt(1)
    try:
        yield
    finally:
        _adopt(0)


def below_us() -> set[int]:
    """Return every process below this one that still runs."""
    parents = dict(_parents())
    found: set[int] = set()
    fresh = {os.getpid()}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return {pid for pid in found if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return Process.of(pid).runs()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            yield int(folder.name), int(fields[1])


def _adopt(yes: int) -> None:
    assert _libc.prctl(_PR_SET_CHILD_SUBREAPER, c_ulong(yes), c_ulong(0), c_ulong(0), c_ulong(0)) == 0
