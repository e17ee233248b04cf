"""Devices and terminals."""

import fcntl
import os
import stat

from probes.base import TOLD, opens, probe


@probe("devices", "a disk, memory, /dev/fuse, /dev/kvm, /dev/net/tun, loops")
def _():
    names = (
        "vda",
        "sda",
        "nvme0n1",
        "mem",
        "kmem",
        "port",
        "fuse",
        "kvm",
        "net/tun",
        "loop-control",
        "loop0",
        "mapper/control",
        "kmsg",
    )
    return any(os.path.lexists(f"/dev/{name}") for name in names)


@probe("devices", "/dev/fuse, the loop devices and what makes them, opened")
def _():
    names = ("fuse", "loop-control", *TOLD["loops"])
    return any(opens(f"/dev/{name}", flags) for name in names for flags in (os.O_RDONLY, os.O_RDWR))


@probe("devices", "a device beside null, zero, full, random, urandom, tty")
def _():
    known = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
    for folder, _, names in os.walk("/dev"):
        for name in names:
            if name not in known and stat.S_IFMT(os.lstat(os.path.join(folder, name)).st_mode) in (
                stat.S_IFBLK,
                stat.S_IFCHR,
            ):
                return True
    return False


for _folder in ("/home/work", "/tmp", "/dev/shm"):

    @probe("devices", f"making the node of a disk in {_folder}")
    def _(folder=_folder):
        try:
            os.mknod(f"{folder}/probe-disk", stat.S_IFBLK | 0o600, os.makedev(7, 0))
        except OSError:
            return False
        os.unlink(f"{folder}/probe-disk")
        return True


@probe("devices", "words put into a terminal (TIOCSTI)")
def _():
    master, slave = os.openpty()
    try:
        fcntl.ioctl(slave, 0x5412, b"x")
    except OSError:
        return False
    finally:
        os.close(master)
        os.close(slave)
    return True
