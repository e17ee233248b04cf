"""Namespaces and mounts."""

import errno
import os

from probes.base import call, not_refused, probe

for _name, _flag in (
    ("user", 0x10000000),
    ("mount", 0x00020000),
    ("network", 0x40000000),
    ("process", 0x20000000),
    ("ipc", 0x08000000),
    ("names", 0x04000000),
    ("cgroup", 0x02000000),
    ("time", 0x00000080),
):

    @probe("namespaces", f"a new one: {_name} (unshare)")
    def _(flag=_flag):
        return call(272, flag) == 0


@probe("namespaces", "a new one by clone")
def _():
    begun = os.getpid()
    done = call(56, 0x10000000 | 17, 0, 0, 0, 0)
    if os.getpid() != begun or os.getpid() == 1:
        os._exit(0)  # the child that should not be
    return done == 0


@probe("namespaces", "a new one by clone3")
def _():
    return call(435, 0, 0) != errno.ENOSYS


@probe("namespaces", "entering one (setns)")
def _():
    return not_refused(308, os.open("/proc/self/ns/net", os.O_RDONLY), 0)


for _name, _call in (
    ("mounting", (165, 0, 0, 0, 0, 0)),
    ("unmounting", (166, 0, 0)),
    ("another root (pivot_root)", (155, 0, 0)),
    ("a file system by fsopen", (430, 0, 0)),
    ("a tree by open_tree", (428, -100, 0, 0)),
    ("moving a mount", (429, -1, 0, -1, 0, 0)),
    ("other attributes of a mount", (442, -1, 0, 0, 0, 0)),
    ("a list of all mounts (listmount)", (458, 0, 0, 0, 0)),
):

    @probe("mounts", _name)
    def _(numbers=_call):
        return not_refused(*numbers)
