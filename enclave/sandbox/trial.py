"""Can this machine make sandboxes? Found out by making one."""

import os
import resource
import tempfile
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox import box, seccomp
from enclave.sandbox.box import Box, Room
from enclave.sandbox.command import Limits

_NOBODY = 65534
_SET = (
    "user.max_user_namespaces=10000, and where the machine has them kernel.unprivileged_userns_clone=1 and "
    "kernel.apparmor_restrict_unprivileged_userns=0 (sysctl)"
)


def try_sandbox() -> None:
    """Make a sandbox in which nothing happens; SetupError NO_SANDBOX with what it said where that fails."""
    with tempfile.TemporaryDirectory(prefix="enclave-trial-") as folder:
        stage, log = Path(folder, "stage"), Path(folder, "log")
        stage.mkdir()
        try:
            _, outside = box.start(_nothing(log), stage, seccomp.program())
            status = os.waitstatus_to_exitcode(os.waitpid(outside, 0)[1])
        except SetupError as error:
            raise _refused(f"{error.message}: {_said(log)}") from error
        if status != 0:
            raise _refused(_said(log))


def _nothing(log: Path) -> Box:
    return Box(
        line=("/usr/bin/true",),
        environment={"PATH": "/usr/bin:/bin", "HOME": "/"},
        folder="/",
        as_root=os.geteuid() == 0,
        user=os.geteuid() or _NOBODY,
        group=os.getegid() or _NOBODY,
        trees=((Path("/usr"), "/usr"),),
        binds=(),
        hidden=(),
        join=(),
        room=Room(_limits(), temporary_bytes=1024 * 1024, temporary_files=100),
        log=log,
        silent=False,
    )


def _limits() -> Limits:
    """Return limits that leave the number of processes as it is: Linux counts a user's all over the machine."""
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    return Limits(open_files=64, processes=most, file_bytes=1024 * 1024)


def _said(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return text.strip() or "nothing was said"


def _refused(why: str) -> SetupError:
    if os.geteuid() == 0:
        what = f"this machine lets nobody make sandboxes ({why}); start without root for a reduced demonstration"
    else:
        what = f"this machine lets nobody but root make sandboxes ({why}); start as root, or let root set {_SET}"
    return SetupError("NO_SANDBOX", what)
