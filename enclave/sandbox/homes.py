"""The homes: encrypted under the project's key, of a fixed size, open while their server runs and closed otherwise.

    homes/<project>/<account>.home      on disk: a file system of a fixed size, in it what gocryptfs has encrypted
    launcher/homes/<number>/raw         that file system, mounted
    launcher/homes/<number>/clear       its clear view, which server and kernels have as their home

The two mounts are seen in the launcher's own namespace of mounts alone: not by the host, not by a backup of it. What is
open, the launcher asks the machine (which processes run, what is mounted), so that no record can be wrong.
"""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox import cipher, home_image, mounts
from enclave.sandbox.home_image import SUFFIX
from enclave.sandbox.home_keys import wipe
from enclave.sandbox.processes import Process
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.settings import Settings

log = logging.getLogger("launcher")

KeyOf = Callable[[ServerKey], bytearray]
"""Returns the key of a home; whoever asked wipes it."""

CIPHER = "cipher"
WAIT_S, LOOK_S = 5.0, 0.02
LEAVE_S = 10.0
"""How long what is closed may be in use still; then it is closed by force."""

_ROOM, _PLACES = 16 * 1024 * 1024, 100_000
MODE = 0o770
"""Of a home: server and kernel are two users of one group."""


def place_of(settings: Settings) -> Path:
    """Return the folder of all mounts of homes, which root alone enters."""
    return settings.state / "homes"


def clear_view(settings: Settings, number: int) -> Path:
    """Return where the home with this number is seen in the clear, while it is open."""
    return place_of(settings) / str(number) / "clear"


def go_where_homes_are(place: Path) -> None:
    """Enter the namespace of mounts in which homes are open already, or else a new one. For a process of one thread."""
    for process in cipher.running(place).values():
        try:
            namespace = os.open(f"/proc/{process.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if process.runs():  # the number may have become another's before it was opened, not since
                mounts.join(namespace)
                return
        finally:
            os.close(namespace)
    mounts.leave_the_hosts_mounts(follow=True)


class Homes:
    """Opens and closes homes; the number of a home is the user number of its server."""

    def __init__(self, settings: Settings, key_of: KeyOf) -> None:
        """Take over what is open, and close what only half is."""
        self._settings, self._key_of = settings, key_of
        self._place = place_of(settings)
        self._place.mkdir(mode=0o700, exist_ok=True)
        there = mounts.places(self._place)
        if self._place not in there:
            mounts.memory(self._place, 0o700, _ROOM, _PLACES, mounts.NO_SUID | mounts.NO_DEVICES | mounts.NO_EXEC)
        self._open = cipher.running(self._place)
        self._leaving: dict[int, tuple[int, Process | None]] = {}
        for number in {int(mount.parent.name) for mount in there if mount != self._place} | set(self._open):
            if number not in self._open or clear_view(settings, number) not in there:
                self.close(number)

    @property
    def closing(self) -> bool:
        """Whether homes are being closed."""
        return bool(self._leaving)

    def open(self, key: ServerKey, number: int) -> None:
        """Open a home; make it the first time. SetupError with a sentence for its owner where that cannot be.

        The key is asked for here, used, and forgotten.
        """
        image = self._image(key)
        self._wait_until_free(image, number)
        home_image.require_room(self._settings.homes, self._settings.home, fresh=not image.exists())
        secret = self._key_of(key)
        try:
            self._open[number] = self._opened(image, number, secret)
        except BaseException:
            self.close(number)
            raise
        finally:
            wipe(secret)

    def lost(self, number: int) -> bool:
        """Say whether a home that should be open is not: its process was killed."""
        process = self._open.get(number)
        return process is None or not process.runs()

    def close(self, number: int) -> None:
        """Close a home, if it is open: by a child, since what was written last may take its time to reach the disk."""
        process = self._open.pop(number, None)
        folder = self._place / str(number)
        if number in self._leaving or not folder.exists():
            return
        child = os.fork()
        if child == 0:
            try:
                os.closerange(3, os.sysconf("SC_OPEN_MAX"))
                _close(folder, process)
            except OSError as error:
                log.error("a home is not closed: %s", error)  # noqa: TRY400  the reason says it all
            finally:
                os._exit(0)
        self._leaving[number] = (child, process)

    def sweep(self) -> None:
        """Strike off what is closed."""
        for number, (child, process) in list(self._leaving.items()):
            if process is not None:
                process.runs()  # takes it off the kernel's table, which the child waits for
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                del self._leaving[number]

    def _image(self, key: ServerKey) -> Path:
        folder = self._settings.homes / key.project
        folder.mkdir(mode=0o700, exist_ok=True)
        if (folder / key.account).is_dir():
            raise SetupError(
                "HOME_OLD",
                "your home was made by an earlier version, and lies there unencrypted; call the operator, who moves "
                f"'{key.project}/{key.account}' out of the folder of homes. Then you get a new one",
            )
        return folder / f"{key.account}{SUFFIX}"

    def _wait_until_free(self, image: Path, number: int) -> None:
        """Wait a little until the last closing is through; refuse where the file is still open somewhere."""
        until = time.monotonic() + WAIT_S
        while number in self._open or number in self._leaving or home_image.in_use(image):
            if time.monotonic() > until:
                raise SetupError("HOME_BUSY", "your home is still being closed; try again in a moment")
            time.sleep(LOOK_S)
            self.sweep()

    def _opened(self, image: Path, number: int, secret: bytearray) -> Process:
        folder, clear = self._place / str(number), clear_view(self._settings, number)
        raw = folder / "raw"
        for one in (folder, raw, clear):
            one.mkdir(mode=0o700, exist_ok=True)
        if image.exists():
            home_image.mount(image, raw)
        else:
            home_image.make(image, raw, self._settings.home, lambda: _furnish(raw / CIPHER, number, secret))
        return cipher.show(raw / CIPHER, clear, secret)


def _furnish(folder: Path, owner: int, secret: bytearray) -> None:
    """Make the encrypted folder; its owner and mode are those of the home."""
    folder.mkdir(mode=0o700)
    cipher.make(folder, secret)
    os.chown(folder, owner, owner)
    folder.chmod(MODE)


def _close(folder: Path, process: Process | None) -> None:
    """Close a home in order: its clear view, the process behind it, the file system. By force where that takes long."""
    for mount in (folder / "clear", folder / "raw"):
        if not mounts.take_away(mount, LEAVE_S):
            mounts.detach(mount, force=True)
        until = time.monotonic() + LEAVE_S
        while process is not None and process.runs():
            if time.monotonic() > until:
                process.kill()
                break
            time.sleep(LOOK_S)
        mount.rmdir()
    folder.rmdir()
