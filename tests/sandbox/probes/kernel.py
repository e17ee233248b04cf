"""Interfaces of the machine's kernel."""

import os

from probes.base import not_refused, opens, probe

for _name, _call in (
    ("io_uring", (425, 1, 0)),
    ("bpf", (321, 0, 0, 0)),
    ("perf_event_open", (298, 0, 0, -1, -1, 0)),
    ("userfaultfd", (323, 0)),
    ("keyctl", (250, 0, -3, 0)),
    ("add_key", (248, 0, 0, 0, 0, 0)),
    ("request_key", (249, 0, 0, 0, 0)),
    ("fanotify", (300, 0, 0)),
    ("loading a module", (313, -1, 0, 0)),
    ("another kernel (kexec)", (246, 0, 0, 0, 0)),
    ("swap", (167, 0, 0)),
    ("quotas", (179, 0, 0, 0, 0)),
    ("accounting", (163, 1)),
    ("the kernel's log (syslog)", (103, 10, 0, 0)),
    ("another personality", (135, 0x0040000)),
    ("ports of the processor (iopl)", (172, 3)),
    ("where memory lies (move_pages)", (279, 0, 0, 0, 0, 0, 0)),
    ("secret memory (memfd_secret)", (447, 0)),
    ("local descriptors (modify_ldt)", (154, 0, 0, 0)),
):

    @probe("kernel", _name)
    def _(numbers=_call):
        return not_refused(*numbers)


for _path in (
    "sys/kernel/core_pattern",
    "sys/kernel/modprobe",
    "sys/vm/overcommit_memory",
    "sysrq-trigger",
    "sys/fs/binfmt_misc/register",
):

    @probe("kernel", f"/proc/{_path} opened for writing")
    def _(path=_path):
        return opens(f"/proc/{path}", os.O_WRONLY)


@probe("kernel", "anything below /proc/sys opened for writing")
def _():
    for folder, _, names in os.walk("/proc/sys"):
        for name in names:
            if os.access(os.path.join(folder, name), os.W_OK):
                return True
    return False


for _path in ("kcore", "kmsg", "keys-of-others", "1/mem", "vmallocinfo", "slabinfo", "pagetypeinfo"):

    @probe("kernel", f"/proc/{_path} opened")
    def _(path=_path):
        if path == "1/mem":
            return opens("/proc/1/mem", os.O_RDWR)
        return opens(f"/proc/{path}")


@probe("kernel", "addresses of the kernel (kallsyms)")
def _():
    try:
        with open("/proc/kallsyms") as file:
            return any(int(line.split()[0], 16) for line, _ in zip(file, range(50), strict=False))
    except OSError:
        return False


@probe("kernel", "groups of processes (cgroup files)")
def _():
    return any(line.split()[2].startswith("cgroup") for line in open("/proc/self/mounts"))


@probe("kernel", "the name of one's group on the host")
def _():
    return "enclave" in open("/proc/self/cgroup").read()
