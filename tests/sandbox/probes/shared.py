"""What sandboxes share with the host and with each other, wanted or covert."""

import contextlib
import fcntl
import os
import select
import struct

from probes.base import TOLD, libc, probe


@probe("shared", "shared memory of the host (System V)")
def _():
    return libc.shmget(TOLD["shm_key"], 0, 0) != -1


@probe("shared", "a file in the host's /dev/shm")
def _():
    return os.path.lexists(f"/dev/shm/{TOLD['shm_name']}")


for _name, _path in (
    ("a program", "/usr/bin/env"),
    ("the interpreter", "/usr/bin/python3"),
    ("the analysts' environment", "/opt/analyst/pyvenv.cfg"),
    ("/dev/null", "/dev/null"),
    ("the root", "/"),
    ("/usr", "/usr"),
    ("/etc/passwd", "/etc/passwd"),
    ("/proc/version", "/proc/version"),
):

    @probe("covert", f"a lock that another sandbox holds: {_name}")
    def _(path=_path):
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        wanted = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
        with contextlib.suppress(OSError):
            return struct.unpack("hhqqi", fcntl.fcntl(handle, fcntl.F_GETLK, wanted))[0] != fcntl.F_UNLCK
        return False


@probe("covert", "locks of others in /proc/locks")
def _():
    return bool(open("/proc/locks").read().strip())


@probe("covert", "seeing that another sandbox opens a file (inotify)")
def _():
    watch = libc.inotify_init1(os.O_NONBLOCK)
    for path in (b"/usr/bin/env", b"/opt/analyst/pyvenv.cfg", b"/dev/null"):
        libc.inotify_add_watch(watch, path, 0x00000020)
    ready, _, _ = select.select([watch], [], [], 2)
    return bool(ready)
