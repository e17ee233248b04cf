"""What probes are written with."""

import ctypes
import errno
import os
import platform
import socket

BOTH, KERNEL, SERVER = ("kernel", "server"), ("kernel",), ("server",)
SECONDS = 10
TOLD = {}
PROBES = []
libc = ctypes.CDLL(None, use_errno=True)


class CannotTest(Exception):
    """This machine lacks what would be probed."""


def probe(group, name, sides=BOTH):
    """Put a function on the list."""

    def put(function):
        PROBES.append((group, name, sides, function))
        return function

    return put


def opens(path, flags=os.O_RDONLY):
    """Say whether a file can be opened."""
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def call(number, *arguments):
    """Make a system call; return 0 where it was let through, or its error."""
    if platform.machine() != "x86_64":
        raise CannotTest("numbers of system calls are those of x86_64")
    ctypes.set_errno(0)
    done = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments))
    return 0 if done != -1 else ctypes.get_errno()


def not_refused(number, *arguments):
    """Say whether a call got past the filter: whatever it answered, it was not 'not permitted' or 'not there'."""
    return call(number, *arguments) not in (errno.EPERM, errno.ENOSYS, errno.EACCES)


def connects(family, address, kind=socket.SOCK_STREAM):
    try:
        with socket.socket(family, kind) as one:
            one.settimeout(2)
            one.connect(address)
            if kind == socket.SOCK_DGRAM:
                one.send(b"x")
                return bool(one.recv(1))
    except OSError:
        return False
    return True
