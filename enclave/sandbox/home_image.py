"""The file that holds a home on disk: a file system of a fixed size, so that a full home is full for its owner alone.

The file is sparse, and takes room as it fills. So that the disk never ends before a home does, a new home is made only
where there is room for everything that all homes may still grow to.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.settings import HomeLimits

SUFFIX = ".home"
OPTIONS = "loop,nosuid,nodev,noexec,noatime,errors=remount-ro"
MAKE_S, MOUNT_S = 60.0, 30.0
_BLOCK = 512
PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin"


def require_room(homes: Path, limits: HomeLimits, *, fresh: bool) -> None:
    """Refuse to open a home where the disk is nearly full, and to make one where not all could grow to their size."""
    found = os.statvfs(homes)
    needed = limits.free_bytes + (limits.bytes + _promised(homes) if fresh else 0)
    if found.f_bavail * found.f_frsize < needed:
        raise SetupError(
            "HOME_NO_ROOM", "the disk of this workbench has no room for your home; call the operator, who makes room"
        )


def make(image: Path, raw: Path, limits: HomeLimits, furnish: Callable[[], None]) -> None:
    """Make a home's file, mount it at `raw`, let `furnish` put into it what belongs there, and put it in its place.

    It is there whole or not at all: what a crash left half-made is thrown away here. Whoever called unmounts.
    """
    fresh = image.with_name(f".{image.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        _make_file_system(fresh, limits)
        mount(fresh, raw)
        furnish()
        _force_to_disk(raw)
        fresh.rename(image)
        _force_to_disk(image.parent)
    except OSError as error:
        raise _failed() from error
    finally:
        fresh.unlink(missing_ok=True)


def mount(image: Path, raw: Path) -> None:
    """Mount the file system in `image` at `raw`, without programs, devices or rights of owners."""
    _run(MOUNT_S, "mount", "-n", "-t", "ext4", "-o", OPTIONS, str(image), str(raw))


def in_use(image: Path) -> bool:
    """Say whether a loop device holds this file, in whichever namespace: a second one would destroy it."""
    return any(_text(path) == str(image) for path in Path("/sys/block").glob("loop*/loop/backing_file"))


def _promised(homes: Path) -> int:
    """Return what all homes that are there may still grow by."""
    found = (path.stat() for path in homes.glob(f"*/*{SUFFIX}"))
    return sum(max(0, one.st_size - one.st_blocks * _BLOCK) for one in found)


def _make_file_system(image: Path, limits: HomeLimits) -> None:
    with image.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.truncate(limits.bytes)
    _run(MAKE_S, "mkfs.ext4", "-q", "-F", "-m", "0", "-N", str(limits.files), str(image))


def _force_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run(seconds: float, *line: str) -> None:
    """Run a program of the system; what it says goes nowhere, since it may say what a home holds."""
    try:
        subprocess.run(  # noqa: S603  fixed programs, paths of our own
            line,
            env={"PATH": PROGRAMS},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=seconds,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed() from error


def _failed() -> SetupError:
    return SetupError(
        "HOME_FAILED", "your home cannot be opened on this machine; call the operator, who asks `enclave doctor`"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n")
    except OSError:  # given back meanwhile
        return ""
