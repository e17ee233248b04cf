"""What this machine gives a workbench, and what is to be mended: `enclave doctor`.

Every finding says how a thing stands and, where it does not stand well, what to do. Nothing is changed.
"""

import os
import resource
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox import home_needs
from enclave.sandbox.cgroups import CONTROLLERS, Cgroups
from enclave.sandbox.trial import try_sandbox

TOOLS = {"bwrap": "bubblewrap", "setpriv": "util-linux", "tini": "tini"}
LEAST_ROOM = 5 * 1024**3
"""Bytes that a disk must have free for a home of the usual size and what is kept free beside it."""
_OLDEST_KERNEL = (5, 10)


class Standing(StrEnum):
    """How a thing stands: well; to be mended; not to be seen from here."""

    WELL = "ok"
    MEND = "mend"
    UNSEEN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `words` say what was found and what to do."""

    what: str
    standing: Standing
    words: str


def examine(root: Path | None, proc: Path = Path("/proc")) -> Iterator[Finding]:
    """Look at this machine, and at the workbench below `root` where one is named."""
    yield _kernel(os.uname().release)
    yield from _tools()
    yield _sandbox()
    yield from _homes()
    yield _groups(Cgroups() if os.geteuid() == 0 else None)
    yield _yama(proc / "sys" / "kernel" / "yama" / "ptrace_scope")
    yield _swap(proc / "swaps")
    yield _cores(proc / "sys" / "kernel" / "core_pattern")
    yield _hidden_addresses(proc / "sys" / "kernel" / "kptr_restrict")
    if root is not None:
        yield from _folders(root)


def _kernel(release: str) -> Finding:
    numbers = tuple(int(part) for part in release.split("-", maxsplit=1)[0].split(".")[:2])
    if numbers >= _OLDEST_KERNEL:
        return Finding("Linux", Standing.WELL, release)
    return Finding("Linux", Standing.MEND, f"{release} is older than what the sandboxes were tried on; use Debian 12")


def _tools() -> Iterator[Finding]:
    for tool, package in TOOLS.items():
        if shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin"):
            yield Finding(tool, Standing.WELL, "is there")
        else:
            yield Finding(tool, Standing.MEND, f"is missing; install the package {package}")


def _sandbox() -> Finding:
    try:
        try_sandbox()
    except SetupError as error:
        return Finding("sandboxes", Standing.MEND, error.message)
    if os.geteuid() != 0:
        return Finding("sandboxes", Standing.WELL, "one was made without root, for a reduced demonstration")
    return Finding("sandboxes", Standing.WELL, "one was made, with all that belongs to it")


def _homes(devices: Path = Path("/dev")) -> Iterator[Finding]:
    if os.geteuid() != 0:
        yield Finding("homes", Standing.UNSEEN, "only root encrypts them; ask again as root")
        return
    found = list(home_needs.lacking(devices))
    yield from (Finding(what, Standing.MEND, words) for what, words in found)
    if not found:
        yield Finding("homes", Standing.WELL, "gocryptfs, fuse, loop devices and mkfs.ext4 are there")


def _room(folder: Path, free_bytes: int) -> Finding:
    if free_bytes < LEAST_ROOM:
        return Finding("room", Standing.MEND, f"the disk of '{folder}' is nearly full: no home opens; make room")
    return Finding("room", Standing.WELL, "there is some on the disk of homes")


def _groups(groups: Cgroups | None) -> Finding:
    if groups is None:
        return Finding("limits of groups", Standing.UNSEEN, "only root makes groups (cgroups); ask again as root")
    if groups.missing:
        missing = ", ".join(groups.missing)
        return Finding(
            "limits of groups", Standing.MEND, f"no {missing}: one person can take it all; give this machine cgroups"
        )
    return Finding("limits of groups", Standing.WELL, f"{', '.join(CONTROLLERS)} can be limited")


def _yama(path: Path) -> Finding:
    try:
        scope = path.read_text(encoding="ascii").strip()
    except OSError:
        return Finding("Yama", Standing.MEND, "is not in this kernel; the sandboxes' filter alone forbids tracing")
    if scope == "0":
        return Finding(
            "Yama", Standing.MEND, "lets a user's processes trace each other; set kernel.yama.ptrace_scope=1"
        )
    return Finding("Yama", Standing.WELL, "tracing is restricted")


def _swap(path: Path) -> Finding:
    try:
        used = path.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return Finding("swap", Standing.UNSEEN, f"'{path}' cannot be read")
    if used:
        return Finding("swap", Standing.MEND, "is on: memory can reach a disk; switch it off or encrypt it")
    return Finding("swap", Standing.WELL, "is off")


def _cores(path: Path) -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    try:
        pattern = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        pattern = ""
    if limit == 0:
        return Finding("core dumps", Standing.WELL, "are off")
    if pattern.startswith("|"):
        return Finding("core dumps", Standing.MEND, "go to a program whatever the limit; set kernel.core_pattern=core")
    return Finding("core dumps", Standing.WELL, "are off in every part and sandbox; set `* hard core 0` for the rest")


def _hidden_addresses(path: Path) -> Finding:
    try:
        hidden = path.read_text(encoding="ascii").strip() != "0"
    except OSError:
        return Finding("addresses of the kernel", Standing.UNSEEN, f"'{path}' cannot be read")
    if hidden:
        return Finding("addresses of the kernel", Standing.WELL, "are hidden")
    return Finding("addresses of the kernel", Standing.MEND, "can be read; set kernel.kptr_restrict=1")


def _folders(root: Path) -> Iterator[Finding]:
    """Look at folders and sockets of a workbench: what is closed must be closed to others."""
    closed = ("house", "medium", "launcher", "hub", "homes", "log")
    for name in closed:
        folder = root / name
        if not folder.exists():
            yield Finding(f"{name}/", Standing.UNSEEN, "is not there (yet)")
        elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
            yield Finding(f"{name}/", Standing.MEND, f"is open to others; chmod go= '{folder}'")
        else:
            yield Finding(f"{name}/", Standing.WELL, "is its owner's alone")
    homes = root / "homes"
    if homes.is_dir():
        found = os.statvfs(homes)
        yield _room(homes, found.f_bavail * found.f_frsize)
    yield from _sockets(root / "run")


def _sockets(run: Path) -> Iterator[Finding]:
    """Look at the sockets that are there: others may open none of them by its own rights and those of its folder."""
    for path in sorted(run.resolve().glob("*/*.sock")) if run.exists() else ():
        mode, folder = stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)
        open_to_others = mode & 0o007 and folder & 0o001
        inside = stat.S_IMODE(run.resolve().stat().st_mode) & 0o007
        if open_to_others and inside:
            yield Finding(path.name, Standing.MEND, f"is open to others; chmod o= '{path.parent}'")
        else:
            yield Finding(path.name, Standing.WELL, "is open to its own alone")
