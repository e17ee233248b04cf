"""The filter of system calls, made of the list in `denied` by the system's libseccomp, once for each launcher."""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from errno import EAFNOSUPPORT, ENOSYS, EPERM
from typing import NamedTuple

from enclave.errors import SetupError
from enclave.sandbox import denied

LIBRARY = "libseccomp.so.2"
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NOT_EQUAL, _EQUAL, _GREATER, _MASKED = 1, 4, 6, 7
_LOW_HALF = 0xFFFFFFFF
"""Arguments of 32 bits are compared without what a caller may have put above them."""


class _Compare(ctypes.Structure):
    """`struct scmp_arg_cmp` of libseccomp."""

    _fields_ = (
        ("place", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("one", ctypes.c_uint64),
        ("two", ctypes.c_uint64),
    )


class Rule(NamedTuple):
    """A call that is answered with an error; `compares` are (argument, comparison, number, second number)."""

    name: str
    answer: int
    compares: tuple[tuple[int, int, int, int], ...] = ()


def program() -> bytes:
    """Return the filter as the kernel takes it; SetupError where the library is missing or refuses a rule."""
    library = _library()
    context = library.seccomp_init(_ALLOW)
    try:
        for rule in rules():
            _add(library, context, rule)
        with tempfile.TemporaryFile() as file:
            if library.seccomp_export_bpf(ctypes.c_void_p(context), file.fileno()) != 0:
                raise SetupError("SECCOMP", "libseccomp cannot write the filter; look whether memory is short")
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(ctypes.c_void_p(context))


def rules() -> Iterator[Rule]:
    """Yield every rule; where it compares several arguments, it holds when all comparisons do."""
    for names in denied.REFUSED.values():
        for name in names:
            yield Rule(name, EPERM)
    for name in denied.NOT_THERE:
        yield Rule(name, ENOSYS)
    for flag in denied.NAMESPACE_FLAGS:
        yield Rule("clone", EPERM, ((0, _MASKED, flag, flag),))
    for request in denied.TERMINAL_REQUESTS:
        yield Rule("ioctl", EPERM, ((1, _MASKED, _LOW_HALF, request),))
    for name, place in denied.CHMOD.items():
        for bit in denied.MODE_BITS:
            yield Rule(name, EPERM, ((place, _MASKED, bit, bit),))
    for name in ("socket", "socketpair"):
        for family in sorted(set(range(max(denied.FAMILIES))) - set(denied.FAMILIES)):
            yield Rule(name, EAFNOSUPPORT, ((0, _EQUAL, family, 0),))
        yield Rule(name, EAFNOSUPPORT, ((0, _GREATER, max(denied.FAMILIES), 0),))
        yield Rule(name, EAFNOSUPPORT, ((0, _EQUAL, denied.NETLINK, 0), (2, _NOT_EQUAL, 0, 0)))


def descriptor(filter_: bytes) -> int:
    """Return a file in memory with the filter, at its beginning, for whoever is started next."""
    made = os.memfd_create("filter", 0)
    os.write(made, filter_)
    os.lseek(made, 0, os.SEEK_SET)
    return made


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise SetupError("SECCOMP", f"{LIBRARY} is missing; install the package libseccomp2") from error
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    return library


def _add(library: ctypes.CDLL, context: int, rule: Rule) -> None:
    number = denied.NEWER.get(rule.name, library.seccomp_syscall_resolve_name(rule.name.encode()))
    if number < 0:
        return  # a call that this processor does not have
    compares = (_Compare * len(rule.compares))(*(_Compare(*one) for one in rule.compares))
    answer = ctypes.c_uint32(_ERRNO | rule.answer)
    done = library.seccomp_rule_add_array(ctypes.c_void_p(context), answer, number, len(rule.compares), compares)
    if done != 0:
        message = f"libseccomp refuses the rule for {rule.name}; install a libseccomp of 2.5 or later"
        raise SetupError("SECCOMP", message)
