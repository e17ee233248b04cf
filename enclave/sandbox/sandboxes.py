"""The two kinds of sandboxes, and what is in each.

    server   the notebook server; home, the door to the hub, the launcher's socket for kernels. No data, no gateway.
    kernel   what people write; home, the gateway's socket of this account and project, what was brought to the project.
             No hub, no token, no server.

Both see the system's programs and the analysts' environment, read-only; nothing else of the host is there.
"""

from collections.abc import Mapping
from contextlib import suppress
from os import WNOHANG, getgid, getuid, waitpid
from pathlib import Path

from enclave.sandbox import box, environment, seccomp
from enclave.sandbox.box import HOME, Bind, Box, Room
from enclave.sandbox.callers import SOCKET
from enclave.sandbox.cgroups import Cgroups, Resources
from enclave.sandbox.command import command_line
from enclave.sandbox.environment import Places
from enclave.sandbox.folders import Folders
from enclave.sandbox.homes import place_of
from enclave.sandbox.processes import Process
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.settings import Settings
from enclave.sandbox.uids import Side, Uids

INSIDE = Places(
    home=Path(HOME),
    analyst=Path("/opt/analyst"),
    product=Path("/opt/workbench"),
    server=Path("/run/server/nb.sock"),
    hub=Path("/run/hub/hub.sock"),
    orders=Path("/run/launcher/kernels.sock"),
    connections=Path("/run/connections"),
    channels=Path("/run/channels"),
    gateway=Path("/run/gateway") / SOCKET,
    own_files=Path("/opt/own-files"),
)
"""The names of sockets are those that hub, launcher and gateway give them: folders are bound, not sockets, since a part
that starts again makes a new socket."""


class Sandboxes:
    """Starts sandboxes; made once for each launcher."""

    def __init__(self, settings: Settings, uids: Uids) -> None:
        self._settings, self._uids = settings, uids
        self._folders, self._cgroups = Folders(settings), Cgroups()
        self._filter = seccomp.program()
        self._stage = settings.state / "stage"
        self._stage.mkdir(mode=0o700, exist_ok=True)
        self._outside: set[int] = set()

    @property
    def missing(self) -> tuple[str, ...]:
        """The limits that this machine does not give."""
        return self._cgroups.missing

    def server_box(self, key: ServerKey, asked: Mapping[str, str]) -> Box:
        """Return the sandbox of a notebook server; its folders are there then."""
        server, kernel = self._uids.of(key), self._uids.of(key, Side.KERNEL)
        between, settings = self._folders.between(server, kernel), self._settings
        self._folders.caller(server, kernel)
        config = INSIDE.product / settings.config.name
        return Box(
            line=tuple(command_line(INSIDE.analyst, config, INSIDE.server, settings.idle_s)),
            environment=environment.of_server(asked, key, INSIDE, as_root=settings.as_root),
            folder=HOME,
            as_root=settings.as_root,
            user=self.user(server),
            group=self._group(server),
            trees=(*self._trees(), (settings.config.parent, str(INSIDE.product))),
            binds=(
                Bind(self._folders.home(key, server), HOME, writable=True),
                Bind(self._folders.server(server), str(INSIDE.server.parent), writable=True),
                Bind(between.connections, str(INSIDE.connections), writable=True),
                Bind(between.channels, str(INSIDE.channels), writable=True),
                Bind(settings.hub.parent, str(INSIDE.hub.parent), writable=False),
                Bind(self._folders.orders(server), str(INSIDE.orders.parent), writable=False),
            ),
            hidden=self._hidden(),
            join=self._joined(server, settings.sandbox.server_memory),
            room=self._room(),
            log=settings.logs / f"server-{key.project}-{key.account}.log",
            silent=False,
        )

    def kernel_box(self, key: ServerKey, kernel_id: str, folder: str) -> Box:
        """Return the sandbox of a kernel that starts in this folder of the home."""
        server, kernel = self._uids.of(key), self._uids.of(key, Side.KERNEL)
        between, settings = self._folders.between(server, kernel), self._settings
        python, connection = INSIDE.analyst / "bin" / "python", INSIDE.connections / f"{kernel_id}.json"
        return Box(
            line=(str(python), "-m", "ipykernel_launcher", "-f", str(connection)),
            environment=environment.of_kernel(key, INSIDE),
            folder=str(INSIDE.home / folder),
            as_root=settings.as_root,
            user=self.user(kernel),
            group=self._group(server),
            trees=self._trees(),
            binds=(
                Bind(self._folders.home(key, server), HOME, writable=True),
                Bind(between.connections, str(INSIDE.connections), writable=False),
                Bind(between.channels, str(INSIDE.channels), writable=True),
                Bind(self._folders.caller(server, kernel), str(INSIDE.gateway.parent), writable=False),
                Bind(self._folders.own_files(key.project), str(INSIDE.own_files), writable=False),
            ),
            hidden=self._hidden(),
            join=self._joined(kernel, settings.sandbox.kernel_memory),
            room=self._room(),
            log=settings.logs / f"kernel-{key.project}-{key.account}.log",
            silent=True,
        )

    def clear(self, key: ServerKey) -> None:
        """Remove what a server and its kernels leave behind, when none of them runs any more."""
        self._folders.clear(self._uids.of(key))
        for side in Side if self._settings.as_root else ():
            self._cgroups.remove(str(self._uids.of(key, side)))

    def reap(self) -> None:
        """Take what waited outside for a sandbox's end off the kernel's table."""
        for pid in list(self._outside):
            with suppress(ChildProcessError):
                if waitpid(pid, WNOHANG) == (0, 0):
                    continue
            self._outside.discard(pid)

    def start(self, wanted: Box) -> Process:
        """Start a sandbox; return its first process."""
        process, outside = box.start(wanted, self._stage, self._filter)
        self._outside.add(outside)
        return process

    def user(self, number: int) -> int:
        """Return who runs in the sandbox with this number: without root everybody is the present user."""
        return number if self._settings.as_root else getuid()

    def _group(self, number: int) -> int:
        return number if self._settings.as_root else getgid()

    def _hidden(self) -> tuple[Path, ...]:
        """Return the mounts of homes; without root there are none."""
        return (place_of(self._settings),) if self._settings.as_root else ()

    def _trees(self) -> tuple[tuple[Path, str], ...]:
        return ((Path("/usr"), "/usr"), (self._settings.analyst.resolve(), str(INSIDE.analyst)))

    def _joined(self, uid: int, memory: int) -> tuple[Path, ...]:
        if not self._settings.as_root:
            return ()
        most = Resources(memory, self._settings.limits.processes, self._settings.sandbox.cpu_percent)
        return self._cgroups.make(str(uid), most)

    def _room(self) -> Room:
        sandbox = self._settings.sandbox
        return Room(self._settings.limits, sandbox.temporary_bytes, sandbox.temporary_files)
