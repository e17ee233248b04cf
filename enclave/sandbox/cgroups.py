"""Groups of processes with limits that the kernel keeps (cgroups), of version 2 and of version 1.

A sandbox's processes are in a group from their first instruction on. Where the machine lets nobody make groups, or
lacks a controller, `missing` says which; limits per process then remain.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("launcher")

ROOT = Path("/sys/fs/cgroup")
PARENT = "enclave"
CONTROLLERS = ("memory", "pids", "cpu")
PERIOD_US = 100_000


@dataclass(frozen=True, slots=True)
class Resources:
    """What all processes of a sandbox may use together."""

    memory: int
    processes: int
    cpu_percent: int


class Cgroups:
    """Makes groups, one for each user number, below one parent."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._second = (root / "cgroup.controllers").exists()
        self.usable = frozenset(self._second_version() if self._second else self._first_version())

    @property
    def missing(self) -> tuple[str, ...]:
        """The controllers that this machine does not give."""
        return tuple(name for name in CONTROLLERS if name not in self.usable)

    def make(self, name: str, most: Resources) -> tuple[Path, ...]:
        """Make a group with these limits, or renew its limits; return the files that a process joins it by."""
        folders = self._folders(name)
        for folder in folders:
            folder.mkdir(exist_ok=True)
        for file, value in self._limits(name, most):
            file.write_text(value, encoding="ascii")
        return tuple(folder / "cgroup.procs" for folder in folders)

    def remove(self, name: str) -> None:
        """Remove a group. One whose processes are still going stays, and is used again."""
        for folder in self._folders(name):
            with suppress(OSError):
                folder.rmdir()

    def _folders(self, name: str) -> tuple[Path, ...]:
        if not self.usable:
            return ()
        if self._second:
            return (self._root / PARENT / name,)
        return tuple(self._root / controller / PARENT / name for controller in sorted(self.usable))

    def _limits(self, name: str, most: Resources) -> Iterable[tuple[Path, str]]:
        quota = str(most.cpu_percent * PERIOD_US // 100)
        if self._second:
            folder = self._root / PARENT / name
            wanted = {
                "memory": (("memory.max", str(most.memory)), ("memory.swap.max", "0")),
                "pids": (("pids.max", str(most.processes)),),
                "cpu": (("cpu.max", f"{quota} {PERIOD_US}"),),
            }
            places = dict.fromkeys(CONTROLLERS, folder)
        else:
            wanted = {
                # With swap the limit of both together is set after the one of memory, which it may not fall below.
                "memory": (
                    ("memory.limit_in_bytes", str(most.memory)),
                    ("memory.memsw.limit_in_bytes", str(most.memory)),
                ),
                "pids": (("pids.max", str(most.processes)),),
                "cpu": (("cpu.cfs_period_us", str(PERIOD_US)), ("cpu.cfs_quota_us", quota)),
            }
            places = {controller: self._root / controller / PARENT / name for controller in CONTROLLERS}
        for controller in sorted(self.usable):
            for file, value in wanted[controller]:
                if ("swap" not in file and "memsw" not in file) or (places[controller] / file).exists():
                    yield places[controller] / file, value

    def _first_version(self) -> list[str]:
        return [name for name in CONTROLLERS if _made(self._root / name / PARENT)]

    def _second_version(self) -> list[str]:
        """Hand the controllers down to the parent and to its groups."""
        if not _made(self._root / PARENT):
            return []
        there = (self._root / "cgroup.controllers").read_text(encoding="ascii").split()
        wanted = [name for name in CONTROLLERS if name in there]
        try:
            for folder in (self._root, self._root / PARENT):
                handed_down = " ".join(f"+{name}" for name in wanted)
                (folder / "cgroup.subtree_control").write_text(handed_down, encoding="ascii")
        except OSError:
            return []  # in a container, say, whose own processes stand in the way
        return wanted


def _made(folder: Path) -> bool:
    if not folder.parent.is_dir():
        return False
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return False
    return True
