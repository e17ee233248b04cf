"""The filter of system calls, tried call by call in a process that it binds; what is tried would do no harm."""

import ctypes
import errno
import json
import platform
import subprocess
import sys

import pytest

from enclave.sandbox import denied, seccomp

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls are those of x86_64")

BOUND = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
raw = open(sys.argv[1], "rb").read()
kept = ctypes.create_string_buffer(raw, len(raw))
program = Program(len(raw) // 8, ctypes.cast(kept, ctypes.c_void_p))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
found = []
for call in json.loads(sys.argv[2]):
    ctypes.set_errno(0)
    done = libc.syscall(*(ctypes.c_long(one) for one in call))
    found.append(errno.errorcode.get(ctypes.get_errno(), "0") if done == -1 else "LET THROUGH")
print(json.dumps(found))
"""

NUMBERS = {
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "move_mount": 429, "open_tree": 428, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "statmount": 457, "listmount": 458,
    "open_tree_attr": 467, "unshare": 272, "setns": 308, "ptrace": 101, "process_vm_readv": 310,
    "process_vm_writev": 311, "process_madvise": 440, "process_mrelease": 448, "pidfd_getfd": 438, "kcmp": 312,
    "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "perf_event_open": 298, "fanotify_init": 300,
    "fanotify_mark": 301, "syslog": 103, "acct": 163, "userfaultfd": 323, "open_by_handle_at": 304,
    "name_to_handle_at": 303, "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246,
    "kexec_file_load": 320, "reboot": 169, "swapon": 167, "swapoff": 168, "quotactl": 179, "quotactl_fd": 443,
    "personality": 135, "modify_ldt": 154, "iopl": 172, "ioperm": 173, "settimeofday": 164, "clock_settime": 227,
    "clock_adjtime": 305, "adjtimex": 159, "sethostname": 170, "setdomainname": 171, "mbind": 237,
    "set_mempolicy": 238, "migrate_pages": 256, "move_pages": 279, "memfd_secret": 447,
}  # fmt: skip
CLONE3, URING, CLONE, SOCKET, SOCKETPAIR, IOCTL, CHMOD, FCHMODAT = 435, 425, 56, 41, 53, 16, 90, 268
HIGH = 1 << 32


def answers(calls: list[list[int]], tmp: object) -> list[str]:
    path = f"{tmp}/filter"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(seccomp.program())
    ended = subprocess.run(
        [sys.executable, "-c", BOUND, path, json.dumps(calls)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: list[str] = json.loads(ended.stdout)
    return found


def test_every_call_of_the_list_is_refused(tmp_path: object) -> None:
    listed = {name for names in denied.REFUSED.values() for name in names}
    assert set(NUMBERS) <= listed
    calls = [[number, -1, -1, -1, -1, -1] for number in NUMBERS.values()]
    assert dict(zip(NUMBERS, answers(calls, tmp_path), strict=True)) == dict.fromkeys(NUMBERS, "EPERM")


def test_calls_that_the_filter_cannot_look_into_are_not_there(tmp_path: object) -> None:
    assert answers([[CLONE3, 0, 0], [URING, 1, 0], [URING + 1], [URING + 2]], tmp_path) == ["ENOSYS"] * 4


def test_no_namespace_is_made_by_clone(tmp_path: object) -> None:
    calls = [[CLONE, flag | 17, 0, 0, 0, 0] for flag in denied.NAMESPACE_FLAGS]
    assert answers(calls, tmp_path) == ["EPERM"] * len(calls)


@pytest.mark.parametrize("call", [SOCKET, SOCKETPAIR])
def test_only_four_families_of_sockets_are_there(tmp_path: object, call: int) -> None:
    closed = [family for family in range(1, 46) if family not in denied.FAMILIES]
    calls = [[call, family, 1, 0, 0] for family in closed] + [[call, family + HIGH, 1, 0, 0] for family in (16, 17, 40)]
    assert answers(calls, tmp_path) == ["EAFNOSUPPORT"] * len(calls)


def test_of_netlink_only_the_list_of_addresses_is_there(tmp_path: object) -> None:
    calls = [[SOCKET, 16, 3, protocol] for protocol in (0, 4, 9, 12, 15, 16, 4 + HIGH)]
    assert answers(calls, tmp_path) == ["LET THROUGH"] + ["EAFNOSUPPORT"] * 6


def test_usual_sockets_work(tmp_path: object) -> None:
    assert answers([[SOCKET, 1, 1, 0], [SOCKET, 2, 1, 0], [SOCKET, 10, 2, 0]], tmp_path) == ["LET THROUGH"] * 3


def test_nothing_is_put_into_a_terminal(tmp_path: object) -> None:
    calls = [[IOCTL, 0, request, 0] for request in (0x5412, 0x5412 + HIGH, 0x541C)]
    assert answers(calls, tmp_path) == ["EPERM"] * 3


def test_no_file_is_made_to_run_as_its_owner(tmp_path: object) -> None:
    path = ctypes.addressof(ctypes.create_string_buffer(b"/nothing"))  # another process's: only the mode is looked at
    calls = [[CHMOD, path, 0o4755], [CHMOD, path, 0o2755], [FCHMODAT, -100, path, 0o4700], [452, -100, path, 0o2700, 0]]
    assert answers(calls, tmp_path) == ["EPERM"] * 4


def test_the_answers_are_errors_that_programs_know() -> None:
    assert {rule.answer for rule in seccomp.rules()} == {errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT}
