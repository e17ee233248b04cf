"""Processes that outlive the launcher: known by number *and* moment of start, since numbers come back."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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
        """Return the process that has this number now; it must be a child that was not yet waited for."""
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
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            with suppress(ProcessLookupError):  # ended meanwhile
                if self.runs():  # looked at while the handle holds the number, so it cannot be another's
                    signal.pidfd_send_signal(handle, signal.SIGTERM)
        finally:
            os.close(handle)

    def kill(self) -> None:
        """Kill the process and its group."""
        if self.runs():
            os.killpg(self.pid, signal.SIGKILL)


def kill_user(uid: int) -> None:
    """Kill everything that runs as this user: done by a child that becomes that user and may reach nothing else."""
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)  # spares its caller
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
