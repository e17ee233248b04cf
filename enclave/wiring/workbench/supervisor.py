"""Keeps the parts running: starts them in order, starts again what dies, ends them in the other order.

Notebook servers are the launcher's, not this process's: nothing here ends when one of the parts does.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from ctypes import CDLL, c_ulong
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from enclave.errors import SetupError
from enclave.sandbox.notices import Event, Notices
from enclave.sandbox.whole_file import write_whole
from enclave.wiring.workbench.parts import Part, environment
from enclave.wiring.workbench.unlocking import Unlocking

Say = Callable[[str], None]

PARTS = "parts.json"
"""Which process each part is; beside the logs."""

LOOK_S = 0.2
END_S = 10.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A part that ran this long starts again at once; one that keeps dying waits longer each time."""

_PR_SET_PDEATHSIG = 1
_libc = CDLL(None)


@dataclass
class _Watched:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    pause: float = 0.0
    again_at: float | None = None


class Supervisor:
    """Runs parts until told to end."""

    def __init__(
        self,
        logs: Path,
        say: Say,
        unlocking: Unlocking,
        notices: Notices,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logs, self._say, self._unlocking, self._notices, self._clock = logs, say, unlocking, notices, clock
        self._watched: list[_Watched] = []

    def start(self, part: Part) -> None:
        """Start a part and watch it from now on."""
        self._watched.append(_Watched(part, start(part, self._logs), self._clock()))
        self._write_state()

    def watch(self, goes_on: Callable[[], bool]) -> None:
        """Start again what dies, until `goes_on` says no."""
        while goes_on():
            self.look()
            time.sleep(LOOK_S)

    def look(self) -> None:
        """Look once at every part, and at the vault of a gateway that has just started."""
        for one in self._watched:
            if one.again_at is not None:
                if self._clock() >= one.again_at:
                    one.process, one.started, one.again_at = start(one.part, self._logs), self._clock(), None
                    self._say(f"{one.part.name}: started again")
                    self._write_state()
            elif one.process.poll() is not None:
                steady = self._clock() - one.started >= STEADY_S
                one.again_at = self._clock() + (0.0 if steady else one.pause)
                one.pause = 0.0 if steady else min(LONGEST_PAUSE_S, max(0.5, 2 * one.pause))
                log = self._logs / f"{one.part.name}.log"
                self._say(f"{one.part.name}: ended (status {one.process.returncode}); it starts again; see {log}")
                code = f"STATUS_{one.process.returncode}".replace("-", "SIGNAL_")
                self._notices.write_if_possible(Event.PART_ENDED, part=one.part.name, code=code)

        self._unlocking.look(self.pids())

    def pids(self) -> dict[str, int]:
        """Return the process of each part."""
        return {one.part.name: one.process.pid for one in self._watched if one.process.poll() is None}

    def _write_state(self) -> None:
        """Write which process each part is, for operators."""
        write_whole(self._logs / PARTS, json.dumps(self.pids(), indent=1) + "\n")

    def end(self) -> None:
        """End the parts, the last started first."""
        for one in reversed(self._watched):
            one.process.terminate()
            try:
                one.process.wait(END_S)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
        self._watched.clear()


def start(part: Part, logs: Path) -> "subprocess.Popen[bytes]":
    """Start a part with its log; it ends when this process does, even by SIGKILL."""
    with (logs / f"{part.name}.log").open("ab") as log:
        return _start(part, log)


def run_to_end(part: Part, logs: Path) -> int:
    """Run something that ends by itself, with a log."""
    return start(part, logs).wait()


def run_shown(part: Part) -> None:
    """Run something that ends by itself and shows what it does; SetupError where it fails."""
    if _start(part, None).wait() != 0:
        raise SetupError("PART_FAILED", f"{part.name} failed; what it said stands above")


def _start(part: Part, output: IO[bytes] | None) -> "subprocess.Popen[bytes]":
    who = part.identity
    return subprocess.Popen(  # noqa: S603  the fixed commands of `parts`
        part.command,
        env=environment(part),
        cwd=part.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        user=who.uid if who else None,
        group=who.gid if who else None,
        extra_groups=list(who.groups) if who else None,
        umask=part.umask,
        preexec_fn=_end_with_parent,  # noqa: PLW1509  the supervisor has one thread
    )


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, c_ulong(signal.SIGTERM), c_ulong(0), c_ulong(0), c_ulong(0))
