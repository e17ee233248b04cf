"""Mounting, as the launcher's child does it in a mount namespace of its own, before bubblewrap takes over."""

import ctypes
import os
from pathlib import Path

READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8
_REMOUNT, _BIND, _EVERYTHING_BELOW, _PRIVATE = 32, 4096, 16384, 1 << 18
_NEW_MOUNTS = 0x00020000
_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_hosts_mounts() -> None:
    """Give this process mounts of its own: what it mounts is seen by its children only, and goes with them."""
    if _libc.unshare(_NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace")
    _mount("none", Path("/"), None, _EVERYTHING_BELOW | _PRIVATE, "")


def memory(target: Path, mode: int, most_bytes: int, most_files: int, flags: int = NO_SUID | NO_DEVICES) -> None:
    """Mount a file system in memory with a size and a number of files that it cannot pass."""
    target.mkdir(exist_ok=True)
    _mount("tmpfs", target, "tmpfs", flags, f"mode={mode:o},size={most_bytes},nr_inodes={most_files}")


def copy_of(source: Path, target: Path, beside: Path) -> None:
    """Mount a read-only tree whose files are this sandbox's own to the kernel.

    The bytes are those of `source` and take no room. But a file opened here is not the file that another sandbox opens:
    two sandboxes can tell each other nothing by locking it or watching it.
    """
    target.mkdir()
    below = ":".join(_escaped(one) for one in (source, beside))
    _mount("overlay", target, "overlay", READ_ONLY | NO_SUID | NO_DEVICES, f"lowerdir={below}")


def bind(source: Path, target: Path, flags: int) -> None:
    """Show a folder of the host at another place, with these restrictions."""
    target.mkdir()
    _mount(str(source), target, None, _BIND, "")
    _mount("none", target, None, _REMOUNT | _BIND | flags, "")


def terminals(target: Path) -> None:
    """Mount terminals of this sandbox's own."""
    target.mkdir()
    _mount("devpts", target, "devpts", NO_SUID | NO_EXEC, "newinstance,ptmxmode=0666,mode=620")


def _mount(source: str, target: Path, kind: str | None, flags: int, options: str) -> None:
    done = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode() if kind else None, ctypes.c_ulong(flags), options.encode()
    )
    if done != 0:
        raise OSError(ctypes.get_errno(), f"mounting {target.name}")


def _escaped(path: Path) -> str:
    """Spell a path as the options of an overlay need it."""
    return "".join(f"\\{one}" if one in "\\:," else one for one in str(path))
