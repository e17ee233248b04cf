"""Processes that outlive the launcher: known by number *and* moment of start, since numbers come back."""

import logging
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("launcher")

GONE_S = 5.0
"""How long the kernel gets to end what was killed: it gives back much memory first."""

_STATE, _START_TIME = 0, 19
"""Places in /proc/PID/stat behind the command's name: see proc(5), fields 3 and 22."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process; `born` is its start in ticks since the boot `boot`."""

    pid: int
    born: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        """Return the process that has this number now; whoever asks knows that it was just started."""
        return cls(pid, int(_stat(pid)[_START_TIME]), _boot())

    def runs(self) -> bool:
        """Say whether this very process still runs. One that is ours and ended is taken off the kernel's table."""
        with suppress(ChildProcessError):  # a launcher before this one may have started it
            os.waitpid(self.pid, os.WNOHANG)
        try:
            fields = _stat(self.pid)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return self.boot == _boot() and int(fields[_START_TIME]) == self.born and fields[_STATE] not in "ZX"

    def ask_to_end(self) -> None:
        """Ask the process to end by itself."""
        self._tell(signal.SIGTERM)

    def interrupt(self) -> None:
        """Interrupt what the process is doing."""
        self._tell(signal.SIGINT)

    def _tell(self, number: signal.Signals) -> None:
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            with suppress(ProcessLookupError):  # ended meanwhile
                if self.runs():  # looked at while the handle holds the number, so it cannot be another's
                    signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)

    def kill(self) -> None:
        """Kill the process and its group."""
        if self.runs():
            os.killpg(self.pid, signal.SIGKILL)


def kill_user(uid: int) -> None:
    """Kill everything that runs as this user, and return when it is gone; what stays longer than GONE_S is logged.

    The kill is done by a child that becomes that user and may reach nothing else.
    """
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)  # spares its caller
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    deadline = time.monotonic() + GONE_S
    while processes_of(uid):
        if time.monotonic() > deadline:
            log.error("killed, but not gone: what user %d ran", uid)
            return
        time.sleep(0.01)


def processes_of(uid: int) -> list[int]:
    """Return the numbers of all processes that run as this user; those that ended and wait for their parent do not."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _runs_as(folder, uid)]


def _runs_as(folder: Path, uid: int) -> bool:
    try:
        lines = (folder / "status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
        return False
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["Uid"].split()[0]) == uid and fields["State"].split()[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
