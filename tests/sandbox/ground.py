"""The ground that probes are tried on: real sandboxes of two people, and targets that the host has put up for them.

As root, they are those of a workbench that root started. Started by anybody else, they are those without root: nobody
has a user of their own there, homes are plain folders, and what is left at the end is known by its processes.
"""

import ctypes
import hashlib
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from enclave.sandbox import mounts, order_sockets
from enclave.sandbox.box import Bind, Box
from enclave.sandbox.homes import Homes, clear_view, place_of
from enclave.sandbox.processes import Process, kill_user
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.sandboxes import Sandboxes
from enclave.sandbox.settings import Settings
from enclave.sandbox.uids import Side, Uids
from tests.lib import launcher_kit
from tests.lib.analyst_environment import PYTHON, ROOT

MINE, OTHER = launcher_kit.KEY, ServerKey("staff.one", launcher_kit.PROJECT)
TOKEN = "a-token-of-the-hub-that-nobody-may-find"
SHM_KEY = 0x5EC2E7
KERNEL = "00000000-0000-4000-8000-000000000000"
PATIENCE_S = 180
PROBES = Path(__file__).parent / "probes"
SHOWN = "/run"
"""Where the package of probes is seen inside: the one thing that is added to the sandboxes."""

SPEAK = (
    "import os; said = os.open('/run/channels/{name}', os.O_WRONLY | os.O_APPEND); "
    "os.dup2(said, 1); os.dup2(said, 2); os.close(said)\n"
)
RUN = f"import sys; sys.path.insert(0, {SHOWN!r}); sys.dont_write_bytecode = True; from probes.run import main; main()"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Ground:
    """Sandboxes of two people. `told` is what probes are told of their targets."""

    settings: Settings
    sandboxes: Sandboxes
    uids: Uids
    told: dict[str, Any]
    homes: Homes | None
    started: list[Process] = field(default_factory=list)

    def box(self, key: ServerKey, side: Side, *line: str) -> Box:
        """Return the very sandbox that the launcher starts, with another command in it."""
        if side is Side.SERVER:
            made = self.sandboxes.server_box(key, {"JUPYTERHUB_API_TOKEN": TOKEN, "JUPYTERHUB_USER": key.account})
        else:
            made = self.sandboxes.kernel_box(key, KERNEL, ".")
        log = self.settings.logs / f"{key.account}-{side}-{time.monotonic_ns()}"
        shown = Bind(PROBES, f"{SHOWN}/{PROBES.name}", writable=False)
        return replace(made, line=line, log=log, binds=(*made.binds, shown))

    def start(self, key: ServerKey, side: Side, code: str, *words: str) -> tuple[Process, Path]:
        """Start a Python program in a sandbox; return its first process, and what it prints."""
        heard = self._heard(key) if side is Side.KERNEL else None
        aloud = f"{SPEAK.format(name=heard.name)}{code}" if heard else code
        wanted = self.box(key, side, "/opt/analyst/bin/python", "-I", "-c", aloud, *words)
        self.started.append(self.sandboxes.start(wanted))
        return self.started[-1], heard or wanted.log

    def _heard(self, key: ServerKey) -> Path:
        """Return a file for what a kernel prints: what it says itself is thrown away, and stays so here."""
        self.box(key, Side.KERNEL)  # makes the folders
        found = self.settings.between / str(self.uids.of(key)) / "channels" / f"said-{time.monotonic_ns()}"
        found.touch()
        found.chmod(0o666)
        return found

    def run(self, key: ServerKey, side: Side, code: str, *words: str) -> str:
        """Run a Python program in a sandbox to its end; return what it printed."""
        process, log = self.start(key, side, code, *words)
        until = time.monotonic() + PATIENCE_S
        while process.runs() and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
        self.sandboxes.reap()
        return log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def ground() -> Iterator[Ground]:
    """Put everything up, and take it away again."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ground-")))
        settings = _settings(root)
        uids = Uids(settings.state / "uids.json", settings.first_uid, settings.uids)
        if settings.as_root:
            mounts.leave_the_hosts_mounts(follow=True)  # as the launcher does
        made = Ground(
            settings, Sandboxes(settings, uids), uids, {}, Homes(settings, _key_of) if settings.as_root else None
        )
        stack.callback(_clear, made)
        for key in (MINE, OTHER):
            if made.homes is not None:
                made.homes.open(key, uids.of(key))
        made.told |= _files(made, root)
        made.told |= _network(stack) | _shared(stack)
        made.told |= _neighbours(made)
        yield made


def _key_of(key: ServerKey) -> bytearray:
    """Return the key of a home, as the gateway would."""
    return bytearray(hashlib.sha256(f"{key.account} {key.project}".encode()).digest())


def _settings(root: Path) -> Settings:
    plain = launcher_kit.settings(root)
    for folder in (plain.orders, plain.hub.parent, plain.between):
        folder.chmod(0o755)
    return replace(
        plain,
        as_root=os.geteuid() == 0,
        first_uid=380_000 + 100 * (os.getpid() % 100),
        uids=20,
        analyst=PYTHON.parents[1],
        config=ROOT / "kernels" / "server_config.py",
    )


def _files(made: Ground, root: Path) -> dict[str, Any]:
    """Put up files that nobody inside may see, and the sockets that each side may."""
    settings = made.settings
    canary = root / "canary"
    canary.write_text("seen")
    canary.chmod(0o644)
    for key in (MINE, OTHER):
        made.box(key, Side.SERVER, "true")  # makes the folders of this person
    orders = [settings.orders / str(made.uids.of(key)) / order_sockets.NAME for key in (MINE, OTHER)]
    for path in (settings.hub, settings.socket, *orders):
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    other = made.uids.of(OTHER, Side.KERNEL)
    homes = [settings.homes / key.project / key.account for key in (MINE, OTHER)]
    if settings.as_root:
        homes = [clear_view(settings, made.uids.of(key)) for key in (MINE, OTHER)]
    return {
        "canary": str(canary),
        "house": str(root / "state"),
        "state": str(settings.state),
        "logs": str(settings.logs),
        "launcher": str(settings.socket),
        "other_home": str(homes[1]),
        "own_home": str(homes[0]),
        "images": str(settings.homes),
        "own_image": str(settings.homes / MINE.project / f"{MINE.account}.home"),
        "mounts_of_homes": str(place_of(settings)),
        "own_cipher": str(clear_view(settings, made.uids.of(MINE)).with_name("raw")),
        "loops": [path.name for path in Path("/sys/block").glob("loop*")],
        "other_caller": str(settings.callers / str(other)),
        "other_orders": str(orders[1]),
        "between": str(settings.between / str(made.uids.of(OTHER))),
        "token": TOKEN,
    }


def _network(stack: ExitStack) -> dict[str, Any]:
    """Listen on the host: TCP on both loopbacks and beyond, UDP that answers, an abstract socket."""
    tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))
    port = tcp.getsockname()[1]
    tcp6 = 0
    with suppress(OSError):
        six = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        tcp6 = six.getsockname()[1]
    udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    threading.Thread(target=_echo, args=(udp,), daemon=True).start()
    name = f"enclave-probe-{os.getpid()}"
    abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0{name}")
    abstract.listen()
    return {"tcp": port, "tcp6": tcp6, "udp": udp.getsockname()[1], "abstract": name, "address": _address()}


def _echo(udp: socket.socket) -> None:
    with suppress(OSError):
        while True:
            data, sender = udp.recvfrom(10)
            udp.sendto(data, sender)


def _address() -> str:
    """Return an address of this machine beyond loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, suppress(OSError):
        one.connect(("192.0.2.1", 9))
        return str(one.getsockname()[0])
    return ""


def _shared(stack: ExitStack) -> dict[str, Any]:
    """Make shared memory on the host, both kinds; both go away again."""
    found = _libc.shmget(SHM_KEY, 4096, 0o1666)
    stack.callback(_libc.shmctl, found, 0, None)
    name = f"enclave-probe-{os.getpid()}"
    path = Path("/dev/shm", name)
    path.write_text("seen")
    stack.callback(path.unlink)
    return {"shm_key": SHM_KEY, "shm_name": name, "pid": os.getpid()}


HOLDER = """
import fcntl, os, time
held = []
programs = ("/usr", "/usr/bin/env", "/usr/bin/python3", "/opt/analyst/pyvenv.cfg")
for path in (*programs, "/dev/null", "/", "/etc/passwd", "/proc/version"):
    held.append(os.open(path, os.O_RDONLY))
    fcntl.flock(held[-1], fcntl.LOCK_EX)
print("held", flush=True)
while True:
    for path in ("/usr/bin/env", "/opt/analyst/pyvenv.cfg", "/dev/null"):
        os.close(os.open(path, os.O_RDONLY))
    time.sleep(0.2)
"""


def _neighbours(made: Ground) -> dict[str, Any]:
    """Start what is beside the probes: the server of the same person, with its token, and another person's kernel."""
    made.start(MINE, Side.SERVER, "import time; time.sleep(3600)")
    process, log = made.start(OTHER, Side.KERNEL, HOLDER)
    until = time.monotonic() + 30
    while "held" not in log.read_text():
        if time.monotonic() > until:
            raise AssertionError(f"the neighbour does not start: {log.read_text()}")
        time.sleep(0.05)
    return {"other_pid": process.pid}


def _clear(made: Ground) -> None:
    for process in made.started:
        process.kill()
    while any(process.runs() for process in made.started):
        time.sleep(0.02)
    made.sandboxes.reap()
    for key in (MINE, OTHER):
        made.sandboxes.clear(key)
    if made.homes is not None:
        _close_homes(made, made.homes)


def _close_homes(made: Ground, homes: Homes) -> None:
    """End what is off the record, by its user, and close the homes."""
    for key in (MINE, OTHER):
        for side in Side:
            kill_user(made.uids.of(key, side))
        homes.close(made.uids.of(key))
    while homes.closing:
        homes.sweep()
        time.sleep(0.02)
    mounts.detach(place_of(made.settings))


def probes_of(made: Ground, side: Side, only: str = "") -> list[tuple[str, str, str, str]]:
    """Run all probes of a side, or only that of a name; return group, name, outcome and reason of each."""
    told = json.dumps(made.told | {"side": str(side), "only": only})
    said = made.run(MINE, side, RUN, told)
    found = []
    for line in said.splitlines():
        try:
            group, name, outcome, reason = json.loads(line)
        except ValueError:
            sys.stderr.write(f"{side}: {line}\n")
            continue
        found.append((group, name, outcome, reason))
    return found
