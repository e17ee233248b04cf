"""Mounting: in the launcher's own namespace of mounts, where homes are, and in that of a sandbox to be."""

import ctypes
import errno
import os
import re
import time
from pathlib import Path

READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8
_REMOUNT, _BIND, _EVERYTHING_BELOW, _PRIVATE, _FOLLOWING = 32, 4096, 16384, 1 << 18, 1 << 19
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_FORCE, _DETACH, _NO_LINKS = 1, 2, 8
_AGAIN_S = 0.02
_PLACE = 4
"""Where a mount is, among the words of a line of /proc/self/mountinfo."""

_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_hosts_users() -> None:
    """Give this process a namespace of users, in which it may mount: only its own user and group are known there.

    For who is not root. What limits the number of a user's processes counts anew from here on.
    """
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_NEW_USERS) != 0:
        raise OSError(ctypes.get_errno(), "a namespace of users")
    for file, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", file).write_text(line, encoding="ascii")


def leave_the_hosts_mounts(*, follow: bool = False) -> None:
    """Give this process mounts of its own: what it mounts is seen by its children only, and goes with them.

    With `follow`, what the host mounts and takes away afterwards comes and goes here too.
    """
    if _libc.unshare(_NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace")
    _mount("none", Path("/"), None, _EVERYTHING_BELOW | (_FOLLOWING if follow else _PRIVATE), "")


def join(namespace: int) -> None:
    """Go over to the mounts of the process whose `ns/mnt` was opened."""
    if _libc.setns(namespace, _NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace")
    os.chdir("/")


def places(below: Path) -> set[Path]:
    """Return where something is mounted below a folder, and the folder itself if it is a mount."""
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as lines:
        found = (Path(_plain(line.split(" ")[_PLACE])) for line in lines)
        return {place for place in found if place.is_relative_to(below)}


def take_away(target: Path, patience_s: float) -> bool:
    """Unmount when nobody uses it any more; say whether that came about in time. What is not mounted is gone."""
    until = time.monotonic() + patience_s
    while _libc.umount2(os.fsencode(target), _NO_LINKS) != 0:
        number = ctypes.get_errno()
        if number in {errno.EINVAL, errno.ENOENT}:
            return True
        if number != errno.EBUSY or time.monotonic() > until:
            return False
        time.sleep(_AGAIN_S)
    return True


def detach(target: Path, *, force: bool = False) -> None:
    """Take a mount and all below it out of this namespace at once, whoever uses it elsewhere.

    With `force` those who wait for an answer of the program behind it, everywhere, get an error instead.
    """
    if _libc.umount2(os.fsencode(target), _DETACH | _NO_LINKS | (_FORCE if force else 0)) != 0:
        raise OSError(ctypes.get_errno(), f"detaching {target.name}")


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


def device(source: Path, target: Path) -> None:
    """Show a device of the host at another place; nobody but root can make one."""
    target.touch()
    _mount(str(source), target, None, _BIND, "")


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


def _plain(word: str) -> str:
    """Read a path as mountinfo spells it."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def _escaped(path: Path) -> str:
    """Spell a path as the options of an overlay need it."""
    return "".join(f"\\{one}" if one in "\\:," else one for one in str(path))
