"""Other processes, and rights to be had."""

import contextlib
import os
import resource
import socket
import time

from probes.base import KERNEL, TOLD, libc, not_refused, probe


@probe("processes", "a process of the host in /proc")
def _():
    return any(os.stat(f"/proc/{name}").st_uid != os.getuid() for name in os.listdir("/proc") if name.isdigit())


@probe("processes", "another first process than the sandbox's own")
def _():
    return open("/proc/1/comm").read() != "tini\n"


@probe("processes", "a signal to a process of the host")
def _():
    mine = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    for pid in (TOLD["pid"], TOLD["other_pid"]):
        if pid not in mine:
            try:
                os.kill(pid, 0)
            except OSError:
                continue
            return True
    return False


@probe("processes", "tracing one's own child")
def _():
    return not_refused(101, 0x4206, os.getppid(), 0, 0)  # PTRACE_SEIZE, which stops nobody


@probe("processes", "memory of another process (process_vm_readv, process_vm_writev)")
def _():
    return not_refused(310, os.getppid(), 0, 0, 0, 0, 0) or not_refused(311, os.getppid(), 0, 0, 0, 0, 0)


@probe("processes", "files of another process (pidfd_getfd)")
def _():
    handle = os.pidfd_open(os.getppid())
    return not_refused(438, handle, 0, 0)


@probe("processes", "comparing kernel pointers (kcmp)")
def _():
    return not_refused(312, os.getpid(), os.getpid(), 0, 0, 0)


@probe("processes", "the first process is root")
def _():
    return os.stat("/proc/1").st_uid == 0


@probe("processes", "a token in any environment", KERNEL)
def _():
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                text = file.read()
                if b"TOKEN" in text or TOLD["token"].encode() in text:
                    return True
    return False


@probe("processes", "a token in any file that can be read", KERNEL)
def _():
    for top in ("/home/work", "/tmp", "/run", "/etc", "/dev/shm"):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    if os.path.isfile(path) and TOLD["token"].encode() in open(path, "rb").read(1 << 20):
                        return True
    return False


for _name, _try in (
    ("becoming root (setuid)", lambda: os.setresuid(0, 0, 0)),
    ("the group of root (setgid)", lambda: os.setresgid(0, 0, 0)),
    ("more groups (setgroups)", lambda: os.setgroups([0])),
    ("a better place in the queue (nice)", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
    ("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
    ("another root (chroot)", lambda: os.chroot("/tmp")),
    ("more processes (setrlimit)", lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))),
    ("more open files (setrlimit)", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10**6, 10**6))),
    ("core dumps (setrlimit)", lambda: resource.setrlimit(resource.RLIMIT_CORE, (2**20, 2**20))),
    ("another name for the machine", lambda: socket.sethostname("probe")),
    ("another time", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),
):

    @probe("rights", _name)
    def _(trying=_try):
        try:
            trying()
        except (OSError, ValueError):
            return False
        return True


@probe("rights", "any capability, or one to be had")
def _():
    told = {line.split(":")[0]: line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")}
    return any(int(value, 16) for value in told.values())


@probe("rights", "no_new_privs or the filter are missing")
def _():
    told = dict(line.split(":\t") for line in open("/proc/self/status") if ":\t" in line)
    return told["NoNewPrivs"].strip() != "1" or told["Seccomp"].strip() != "2"


@probe("rights", "locking memory")
def _():
    return libc.mlockall(3) == 0
