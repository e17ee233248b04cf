"""What no process in a sandbox may ask of the kernel, as a list that people can read.

Everything else is allowed: Python, numpy and Dask use a great deal. What stands here is what opens a way out, shows
other processes, or reaches parts of the kernel that no analysis needs. `seccomp` makes a filter of it.
"""

REFUSED: dict[str, tuple[str, ...]] = {
    "mounts and roots": (
        *("mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr"),
        *("fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount"),
    ),
    "namespaces": ("unshare", "setns"),
    "other processes": (
        *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease"),
        *("pidfd_getfd", "kcmp"),
    ),
    "keys": ("add_key", "request_key", "keyctl"),
    "watching the machine": (
        *("bpf", "perf_event_open", "fanotify_init", "fanotify_mark", "syslog", "lookup_dcookie", "acct"),
    ),
    "faults served by a process": ("userfaultfd",),
    "files by handle, past every folder": ("open_by_handle_at", "name_to_handle_at"),
    "the kernel itself": (
        *("init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load"),
        *("reboot", "swapon", "swapoff", "quotactl", "quotactl_fd", "nfsservctl", "vhangup", "uselib", "ustat"),
        *("sysfs", "_sysctl", "personality", "modify_ldt", "iopl", "ioperm", "vm86", "vm86old"),
    ),
    "clocks and names of the machine": (
        *("settimeofday", "stime", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
    ),
    "where memory lies": (
        *("mbind", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages", "memfd_secret"),
    ),
}
"""Answered with EPERM, whatever the arguments."""

NOT_THERE = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register")
"""Answered with ENOSYS: programs then take the older way, which the filter can look at."""

FAMILIES = (1, 2, 10, 16)
"""Families of sockets that there are: local ones, the internet's for the loopback of the sandbox, and netlink. No
packets, no virtual machines (vsock), no crypto of the kernel (alg), no bluetooth."""

NETLINK = 16
"""Of netlink only protocol 0 (routes): ZMQ asks it for the addresses of the sandbox, which has loopback and no more."""

NAMESPACE_FLAGS = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
"""What `clone` may not make: mount, cgroup, uts, ipc, user, pid and network namespaces."""

TERMINAL_REQUESTS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: putting words into somebody's terminal."""

MODE_BITS = (0o4000, 0o2000)
"""What `chmod` may not set: running as the owner or as the group."""

CHMOD = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2}
"""Calls that set modes, with the place of the mode among their arguments."""

NEWER = {"statmount": 457, "listmount": 458, "open_tree_attr": 467, "fchmodat2": 452, "set_mempolicy_home_node": 450}
"""Numbers of calls that an older library does not know by name; they are the same on every processor."""
