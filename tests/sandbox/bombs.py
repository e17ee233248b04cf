"""Bombs: one person's kernel takes all it can get, and another person's cell still answers."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from enclave.sandbox.uids import Side
from tests.sandbox.ground import MINE, OTHER, Ground

FORKS = """
import os, time
until = time.monotonic() + 8
made = 0
print("lit", flush=True)
while time.monotonic() < until:
    try:
        if os.fork() == 0:
            time.sleep(30); os._exit(0)
        made += 1
    except OSError:
        time.sleep(0.01)
print("left", flush=True)
"""
MEMORY = """
import os, time
print("lit", flush=True)
for _ in range(3):
    if os.fork() == 0:
        held = []
        while True: held.append(bytearray(16 * 2 ** 20))
for _ in range(3): os.wait()
print("left", flush=True)
"""
FILES = """
import itertools, os, sys, time
folder, size = sys.argv[1], int(sys.argv[2])
until = time.monotonic() + 6
print("lit", flush=True)
stopped = False
for number in itertools.count():
    try:
        with open(f"{folder}/{number}", "wb") as file: file.write(bytes(size))
    except OSError as error:
        stopped = True
        break
    if time.monotonic() > until: break
print("stopped" if stopped else "went on", flush=True)
"""
HOME = """
import errno, os, sys, time
until = time.monotonic() + 60
print("lit", flush=True)
os.mkdir("/home/work/bomb")
made, ended = 0, ""
while not ended and time.monotonic() < until:
    try:
        with open(f"/home/work/bomb/{made}", "wb") as file:
            file.write(b"x" * int(sys.argv[1]))
        made += 1
    except OSError as error:
        ended = errno.errorcode[error.errno]
print("stopped" if ended == "ENOSPC" else f"went on: {ended}", flush=True)
"""
REMOVE = "import shutil; shutil.rmtree('/home/work/bomb'); open('/home/work/again', 'w').write('x'); print('removed')"
WRITE = "open('/home/work/note', 'wb').write(bytes(2 ** 20)); print('written')"
BUSY = """
import os, time
print("lit", flush=True)
for _ in range(32):
    if os.fork() == 0:
        until = time.monotonic() + 6
        while time.monotonic() < until: pass
        os._exit(0)
for _ in range(32): os.wait()
print("left", flush=True)
"""
PULSE = """
import sys, time
while True:
    began = time.monotonic()
    sum(range(200_000))
    print(time.monotonic() - began, flush=True)
    time.sleep(0.1)
"""

MOST_SLOWER_S = 5.0
"""A cell of somebody else answers within this time, whatever happens beside it."""


@dataclass(frozen=True)
class Bomb:
    """What is lit, whether it must have been stopped, and which controller it needs to be tried at all."""

    name: str
    code: str
    words: tuple[str, ...]
    stopped: bool
    needs: str
    root_for: str = ""
    """What stops it that only root has; nothing where it is stopped without root as well."""
    home: bool = False
    """Whether it fills the own home: then somebody else must still be able to write, and its owner to tidy up."""


SIZE = "a size of homes"
BOMBS = (
    Bomb("forks", FORKS, (), stopped=False, needs="pids"),
    Bomb("memory", MEMORY, (), stopped=False, needs="memory", root_for="a limit of memory"),
    Bomb("processors", BUSY, (), stopped=False, needs="cpu", root_for="a limit of processors"),
    Bomb("bytes in /tmp", FILES, ("/tmp", str(2**20)), stopped=True, needs=""),
    Bomb("number of files in /tmp", FILES, ("/tmp", "0"), stopped=True, needs=""),
    Bomb("bytes in /dev/shm", FILES, ("/dev/shm", str(2**20)), stopped=True, needs=""),
    Bomb("number of files in /dev/shm", FILES, ("/dev/shm", "0"), stopped=True, needs=""),
    Bomb("bytes in the home", HOME, (str(2**18),), stopped=True, needs="", root_for=SIZE, home=True),
    Bomb("number of files in the home", HOME, ("0",), stopped=True, needs="", root_for=SIZE, home=True),
)


def light(ground: Ground, bomb: Bomb) -> tuple[str, str]:
    """Light a bomb; return what came of it, and how much slower somebody else's cell answered."""
    if ground.settings.as_root and bomb.needs in ground.sandboxes.missing:
        return "cannot test here", f"this machine gives no limit of {bomb.needs}"
    pulse, log = ground.start(OTHER, Side.KERNEL, PULSE)
    try:
        calm = _answers(log.read_text, 5)
        server, _ = ground.start(MINE, Side.SERVER, "import time; time.sleep(600)")
        said = ground.run(MINE, Side.KERNEL, bomb.code, *bomb.words)
        under = json.loads(f"[{','.join(log.read_text().split())}]")[len(calm) :]
        survived = server.runs() and (not bomb.home or _others_write_and_its_owner_tidies_up(ground))
        server.kill()
        answered = pulse.runs() and len(under) > 0 and max(under) < MOST_SLOWER_S
    finally:
        pulse.kill()
        ground.sandboxes.reap()
    held = "lit" in said and survived and answered and (not bomb.stopped or "stopped" in said)
    most = f"{max(under, default=0) * 1000:.0f} ms at most"
    slower = f"somebody else's cell: {_ms(calm)} before, {_ms(under)} under it, {most}"
    return "closed" if held else "OPEN", slower


def _others_write_and_its_owner_tidies_up(ground: Ground) -> bool:
    written = ground.run(OTHER, Side.KERNEL, WRITE) == "written\n"
    return written and ground.run(MINE, Side.KERNEL, REMOVE) == "removed\n"


def _answers(read: Callable[[], str], number: int) -> list[float]:
    until = time.monotonic() + 30
    while len(found := read().split()) < number:
        if time.monotonic() > until:
            raise AssertionError("the other cell does not answer even in calm")
        time.sleep(0.1)
    return [float(one) for one in found]


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms" if seconds else "nothing"
