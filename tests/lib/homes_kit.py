"""Homes for tests: real images, real mounts, where the machine can make them."""

import os
import signal
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

from enclave.sandbox import mounts
from enclave.sandbox.homes import Homes, KeyOf, clear_view, place_of
from enclave.sandbox.processes import Process
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.settings import Settings
from tests.lib import launcher_kit
from tests.lib.sandbox_kit import need_sandbox

MINE, OTHER = launcher_kit.KEY, ServerKey("staff.one", launcher_kit.PROJECT)
NUMBERS = {MINE: 398_000, OTHER: 398_002}


@cache
def own_mounts() -> None:
    """Leave the host's mounts once, as the launcher does: nobody else's sandbox holds what is mounted here."""
    need_sandbox()
    mounts.leave_the_hosts_mounts(follow=True)


def key_of(key: ServerKey) -> bytearray:
    return bytearray(f"{key.account:.<16}{key.project:.>16}"[:32].encode())


def settings(root: Path) -> Settings:
    return replace(launcher_kit.settings(root), as_root=True)


class Kept:
    """The homes of a launcher below `root`; `again` stands for a launcher that starts anew."""

    def __init__(self, root: Path, keys: KeyOf = key_of) -> None:
        own_mounts()
        self.settings, self.keys = settings(root), keys
        self.homes = Homes(self.settings, keys)

    def again(self, keys: KeyOf | None = None) -> None:
        self.homes = Homes(self.settings, keys or self.keys)
        self.settle()

    def open(self, key: ServerKey = MINE) -> Path:
        self.homes.open(key, NUMBERS[key])
        return clear_view(self.settings, NUMBERS[key])

    def lost(self, key: ServerKey = MINE) -> bool:
        return self.homes.lost(NUMBERS[key])

    def close(self, key: ServerKey = MINE) -> None:
        self.homes.close(NUMBERS[key])
        self.settle()

    def settle(self) -> None:
        until = time.monotonic() + 30
        while self.homes.closing:
            assert time.monotonic() < until, "a home is not closed"
            self.homes.sweep()
            time.sleep(0.01)

    def image(self, key: ServerKey = MINE) -> Path:
        return self.settings.homes / key.project / f"{key.account}.home"

    def raw(self, key: ServerKey = MINE) -> Path:
        return clear_view(self.settings, NUMBERS[key]).with_name("raw")

    def mounted(self) -> set[Path]:
        """Return what is mounted for homes, and not the folder of all."""
        return mounts.places(place_of(self.settings)) - {place_of(self.settings)}

    def end(self) -> None:
        for number in NUMBERS.values():
            self.homes.close(number)
        self.settle()
        mounts.detach(place_of(self.settings))


def kill(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    while process.runs():
        time.sleep(0.01)
