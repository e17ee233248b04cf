"""A sandbox: what is in it, and how it is started. The order of things keeps it shut, so it stands in one place.

1. The launcher's child joins its groups (limits), leaves the host's mounts, and lays out the sandbox's folders (`lay`).
2. bubblewrap makes the namespaces (processes, network, ipc, names), puts the root together, takes all rights away but
   those to change the user, and sets the filter of system calls.
3. setpriv becomes the sandbox's user for good, without any right left.
4. tini is the first process inside: it takes the dead off the table and passes signals on. It is not root.
5. A shell goes to the folder and becomes the command.

Who is not root makes a namespace of users first, in 1, and there has root's rights over what is mounted in it and over
nothing else; bubblewrap makes another below it and forbids any further. Step 3 falls away: the user stays who they are.
"""

import json
import os
import resource
import select
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox import mounts, seccomp
from enclave.sandbox.command import Limits
from enclave.sandbox.processes import Process

UMASK = 0o007
"""Server and kernel share a group of their own, and with it the home."""

PATIENCE_S = 30.0
"""How long a sandbox may take to be there; on a machine that is overloaded, mounting waits its turn too."""
HOME = "/home/work"
_FEW_FILES, _LITTLE = 500, 4 * 1024 * 1024
_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
_KEPT_RIGHTS = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
"""What setpriv needs to give everything up, itself included."""

_AS_ROOT = ("--cap-drop", "ALL", *(word for right in _KEPT_RIGHTS for word in ("--cap-add", right)))
_WITHOUT_ROOT = ("--unshare-user", "--disable-userns", "--die-with-parent", "--cap-drop", "ALL")
"""The sandbox ends with its launcher: as the user of everything else, nobody would find it again."""

_GO = 'cd -- "$1" 2>/dev/null || cd; shift; exec "$@"'
_SILENTLY = 'exec "$@" >/dev/null 2>&1'
"""Before anything else inside, so that not even the first process holds the log open for others to reach."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A folder of the host that is seen inside."""

    source: Path
    target: str
    writable: bool


@dataclass(frozen=True, slots=True)
class Room:
    """How much a sandbox may take: each process of it, and each of its two folders in memory."""

    limits: Limits
    temporary_bytes: int
    temporary_files: int


@dataclass(frozen=True, slots=True)
class Box:
    """Everything about one sandbox. What is not named here is not in it."""

    line: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    as_root: bool
    """Whether root makes it. Without, `user` and `group` are those of whoever does."""
    user: int
    group: int
    trees: tuple[tuple[Path, str], ...]
    binds: tuple[Bind, ...]
    hidden: tuple[Path, ...]
    """Mounts that are taken out of the sandbox's namespace when its own folders are laid out: the homes of others."""
    join: tuple[Path, ...]
    room: Room
    log: Path
    silent: bool
    """Whether what the command prints is thrown away: a kernel's words may hold data, which no log may."""


def start(box: Box, stage: Path, filter_: bytes) -> tuple[Process, int]:
    """Start a sandbox; return its first process, and bubblewrap's own, which waits for its end outside."""
    reading, writing = os.pipe()
    filtered = seccomp.descriptor(filter_)
    try:
        with box.log.open("ab") as output:
            outside = subprocess.Popen(  # noqa: S603  built here, of nothing but names that were checked
                command_line(box, stage, filtered, writing),
                env=dict(box.environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(filtered, writing),
                start_new_session=True,
                umask=UMASK,
                preexec_fn=lambda: _prepare(box, stage),  # noqa: PLW1509  the launcher has one thread
            )
    except (OSError, subprocess.SubprocessError) as error:
        os.close(reading)
        raise _failed() from error
    finally:
        os.close(writing)
        os.close(filtered)
    return _first_process(reading), outside.pid


def command_line(box: Box, stage: Path, filtered: int, told: int) -> list[str]:
    """Return the command line of bubblewrap and of what it becomes."""
    inside = [_tool("tini"), "--", "/bin/sh", "-c", _GO, "sh", box.folder]
    if box.silent:
        inside = ["/bin/sh", "-c", _SILENTLY, "sh", *inside]
    if box.as_root:
        inside = [*_become(box), "--", *inside]
    return [
        _tool("bwrap"),
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--as-pid-1", "--new-session", "--hostname", "workbench"),
        *("--info-fd", str(told), "--seccomp", str(filtered)),
        *(_AS_ROOT if box.as_root else _WITHOUT_ROOT),
        *_root(box, stage),
        *("--remount-ro", "/", "--", *inside, *box.line),
    ]


def _become(box: Box) -> list[str]:
    """Return the words that become the sandbox's user for good."""
    who = [f"--reuid={box.user}", f"--regid={box.group}", "--clear-groups"]
    return [_tool("setpriv"), *who, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]


def _root(box: Box, stage: Path) -> list[str]:
    """Return the words that put the root together from what `lay` has laid out."""
    words = [word for name in ("/run", "/opt", "/home") for word in ("--perms", "0755", "--dir", name)]
    for place, (_, target) in enumerate(box.trees):
        words += ["--ro-bind", str(stage / f"tree{place}"), target]
    for name in ("bin", "sbin", "lib", "lib64"):
        words += ["--symlink", f"usr/{name}", f"/{name}"]
    words += ["--ro-bind", str(stage / "etc"), "/etc", "--dev-bind", str(stage / "dev"), "/dev"]
    if not box.as_root:
        words += ["--remount-ro", "/dev"]  # its folder is the own user's; as root it is root's
    words += ["--proc", "/proc", "--remount-ro", "/proc"]  # nothing is set by it: not the machine, not memory of others
    words += ["--bind", str(stage / "tmp"), "/tmp"]  # noqa: S108  inside
    for place, one in enumerate(box.binds):
        words += ["--bind" if one.writable else "--ro-bind", str(stage / f"bind{place}"), one.target]
    return words


def _prepare(box: Box, stage: Path) -> None:
    """Join the groups, lay out the folders, set the limits: in the child, before bubblewrap."""
    for procs in box.join:
        procs.write_text(str(os.getpid()), encoding="ascii")
    if not box.as_root:
        mounts.leave_the_hosts_users()
    mounts.leave_the_hosts_mounts()
    lay(box, stage)
    most = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: box.room.limits.open_files,
        resource.RLIMIT_FSIZE: box.room.limits.file_bytes,
        resource.RLIMIT_NPROC: box.room.limits.processes,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for what, number in most.items():
        resource.setrlimit(what, (number, number))


def lay(box: Box, stage: Path) -> None:
    """Lay out what the sandbox is made of, below `stage`."""
    os.umask(0o022)
    mounts.memory(stage, 0o755, _LITTLE, _FEW_FILES, mounts.NO_SUID)
    (stage / "nothing").mkdir()
    for place, (source, _) in enumerate(box.trees):
        mounts.copy_of(source, stage / f"tree{place}", stage / "nothing")
    for place, one in enumerate(box.binds):
        restricted = mounts.NO_SUID | mounts.NO_DEVICES | mounts.NO_EXEC
        mounts.bind(one.source, stage / f"bind{place}", restricted | (0 if one.writable else mounts.READ_ONLY))
    for hidden in box.hidden:
        mounts.detach(hidden)
    restricted = mounts.NO_SUID | mounts.NO_DEVICES | mounts.NO_EXEC
    mounts.memory(stage / "tmp", 0o1777, box.room.temporary_bytes, box.room.temporary_files, restricted)
    _etc(box, stage / "etc")
    _devices(stage / "dev", box)
    os.umask(UMASK)


def _etc(box: Box, folder: Path) -> None:
    """Write the few files that programs look for: one person, one group, no names of other machines."""
    folder.mkdir()
    written = {
        "passwd": f"analyst:x:{box.user}:{box.group}::{HOME}:/bin/sh\n",
        "group": f"project:x:{box.group}:\n",
        "hosts": "127.0.0.1 localhost workbench\n::1 localhost\n",
        "hostname": "workbench\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="ascii")
    for name in ("ld.so.cache", "localtime"):
        if Path("/etc", name).exists():
            shutil.copyfile(Path("/etc", name), folder / name)


def _devices(folder: Path, box: Box) -> None:
    """Make the devices that programs need, as nodes of this sandbox's own; without root they are the host's."""
    folder.mkdir()
    for name, numbers in _DEVICES.items():
        if box.as_root:
            os.mknod(folder / name, stat.S_IFCHR | 0o666, os.makedev(*numbers))
            (folder / name).chmod(0o666)
        else:
            mounts.device(Path("/dev", name), folder / name)
    for name, target in (("fd", "/proc/self/fd"), ("ptmx", "pts/ptmx")):
        (folder / name).symlink_to(target)
    for place, name in enumerate(("stdin", "stdout", "stderr")):
        (folder / name).symlink_to(f"/proc/self/fd/{place}")
    mounts.terminals(folder / "pts")
    restricted = mounts.NO_SUID | mounts.NO_DEVICES | mounts.NO_EXEC
    mounts.memory(folder / "shm", 0o1777, box.room.temporary_bytes, box.room.temporary_files, restricted)


def _first_process(reading: int) -> Process:
    """Return the first process inside, which bubblewrap tells as soon as there is one."""
    with os.fdopen(reading, "rb") as pipe:
        told = b""
        while select.select([pipe], [], [], PATIENCE_S)[0]:
            part = os.read(pipe.fileno(), 4096)
            told += part
            if not part:
                break
    try:
        return Process.of(int(json.loads(told)["child-pid"]))
    except (ValueError, KeyError, OSError) as error:
        raise _failed() from error


def _failed() -> SetupError:
    return SetupError(
        "SANDBOX_FAILED", "the sandbox could not be started; the operator finds the reason in the server's log"
    )


def _tool(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        raise SetupError("SANDBOX_TOOL", f"{name} is missing; install it, or run `make setup` as root")
    return found
