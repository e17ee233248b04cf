"""The servers: started for members only, watched, stopped when asked or when a membership ends."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from enclave.errors import PermissionDenied, RequestError, UserError
from enclave.sandbox import command, environment, records
from enclave.sandbox.command import Launch
from enclave.sandbox.directory import Directory
from enclave.sandbox.notices import Event, Notices, Once
from enclave.sandbox.processes import Process, kill_user
from enclave.sandbox.protocol import Operation, Order, ServerKey
from enclave.sandbox.records import Running
from enclave.sandbox.settings import Settings
from enclave.sandbox.uids import Uids

log = logging.getLogger("launcher")

REFUSAL_PAUSE_S = 60.0
"""The same refusal again within this time is no further notice."""


class Servers:
    """All servers of this launcher. The directory is read anew at every start, poll and sweep."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._uids = Uids(settings.state / "uids.json", settings.first_uid, settings.uids)
        self._path = settings.state / "servers.json"
        self._running = records.read(self._path)
        self._notices, self._refusals = Notices(settings.notices), Once(REFUSAL_PAUSE_S, clock)
        self._kill_at: dict[ServerKey, float] = {}
        self._ended: dict[ServerKey, str] = {}
        for key, uid in self._uids.given().items():
            if key in self._running:
                log.info("taken over: %s for %s", key.account, key.project)
            else:
                self._clear(uid)

    def do(self, order: Order) -> list[dict[str, object]]:
        """Do what an order says, and tell about the servers concerned."""
        if order.operation is Operation.LIST or order.key is None:
            self.sweep()
            return [self._entry(key) for key in sorted(self._running)]
        if order.operation is Operation.START:
            self._start(order.key, order.environment)
        elif order.operation is Operation.STOP:
            self._stop(order.key, "STOPPED")
        else:
            self.sweep()
        return [self._entry(order.key)]

    def sweep(self) -> None:
        """Strike off what ended, stop what lost its membership, kill what did not end when asked."""
        directory = self._directory()
        for key, server in list(self._running.items()):
            if not server.process.runs():
                self._strike_off(key)
            elif key in self._kill_at:
                if self._clock() >= self._kill_at[key]:
                    server.process.kill()
            elif (reason := _refusal(directory, key)) is not None:
                self._stop(key, reason)

    def note_refusal(self, key: ServerKey | None, code: str) -> None:
        """Note for the audit log that an order was refused, with the names in it that the house knows."""
        account, project = (key.account, key.project) if key else ("", "")
        if self._refusals.is_news(account, project, code):
            directory = self._directory()
            known = {
                "account": account if directory and account in directory.accounts else "",
                "project": project if directory and project in directory.projects else "",
            }
            self._notices.write_if_possible(Event.SERVER_REFUSED, code=code, **known)

    def stop_all(self) -> None:
        """Stop every server and return when none is left."""
        for key in list(self._running):
            self._stop(key, "WORKBENCH_STOPPED")
        while self._running:
            self.sweep()
            time.sleep(0.05)

    def _directory(self) -> Directory | None:
        try:
            return Directory.read(self._settings.directory)
        except UserError:
            return None  # a directory that cannot be read ends nothing, and starts nothing

    def _start(self, key: ServerKey, asked: Mapping[str, str]) -> None:
        Directory.read(self._settings.directory).check_start(key.account, key.project)
        environment.check(asked)
        self.sweep()
        if key in self._running:
            raise RequestError("SERVER_RUNS", "this server runs already; stop it first")
        uid = self._uids.of(key)
        self._notices.write(Event.SERVER_STARTED, account=key.account, project=key.project)  # no start without it
        process = Process.of(command.start(self._launch(key, asked, uid)))
        self._running[key] = Running(key, uid, process)
        self._ended.pop(key, None)
        records.write(self._path, self._running.values())
        log.info("started: %s for %s, user %d, process %d", key.account, key.project, uid, process.pid)

    def _launch(self, key: ServerKey, asked: Mapping[str, str], uid: int) -> Launch:
        settings, home, socket = self._settings, self._home(key, uid), self._socket_folder(uid) / "nb.sock"
        whole = environment.build(
            asked,
            home=home,
            socket_url=socket_url(socket),
            analyst=settings.analyst,
            gateway=settings.gateway,
            project=key.project,
        )
        return Launch(
            line=command.command_line(settings.analyst, settings.config, socket, settings.idle_s),
            environment=whole,
            home=home,
            log=settings.logs / f"server-{key.project}-{key.account}.log",
            identity=(uid, settings.server_gid) if settings.as_root else None,
            limits=settings.limits,
        )

    def _stop(self, key: ServerKey, reason: str) -> None:
        server = self._running.get(key)
        if server is None or key in self._kill_at:
            return
        log.info("stopping: %s for %s (%s)", key.account, key.project, reason)
        self._ended[key] = reason
        self._kill_at[key] = self._clock() + self._settings.stop_s
        server.process.ask_to_end()

    def _strike_off(self, key: ServerKey) -> None:
        server = self._running.pop(key)
        self._clear(server.uid)
        self._kill_at.pop(key, None)
        self._ended.setdefault(key, "ENDED")
        records.write(self._path, self._running.values())
        log.info("ended: %s for %s (%s)", key.account, key.project, self._ended[key])
        ended = {"account": key.account, "project": key.project, "code": self._ended[key]}
        self._notices.write_if_possible(Event.SERVER_ENDED, **ended)

    def _clear(self, uid: int) -> None:
        """Kill what is left of a user whose server is gone: kernels, or a server that a crash kept off the record."""
        if self._settings.as_root:
            kill_user(uid)

    def _home(self, key: ServerKey, uid: int) -> Path:
        project = self._own(self._settings.homes / key.project, 0, 0, 0o711)
        return self._own(project / key.account, uid, self._settings.server_gid, 0o700)

    def _socket_folder(self, uid: int) -> Path:
        """Return the folder that holds the server's socket: the front may enter, other servers may not."""
        return self._own(self._settings.run / str(uid), uid, self._settings.front_gid, 0o2750)

    def _own(self, folder: Path, uid: int, gid: int, mode: int) -> Path:
        """Make a folder of a server's, once. Its parent is root's, so nobody can put a link in its place."""
        if not folder.is_dir():
            folder.mkdir(mode=0o700)
            if self._settings.as_root:
                os.chown(folder, uid, gid)
            folder.chmod(mode)
        return folder

    def _entry(self, key: ServerKey) -> dict[str, object]:
        running = key in self._running
        socket = self._settings.run / str(self._uids.of(key)) / "nb.sock" if running else None
        return {
            "account": key.account,
            "project": key.project,
            "running": running,
            "socket": str(socket) if socket else "",
            "reason": self._ended.get(key, ""),
        }


def socket_url(socket: Path) -> str:
    """Return the URL of a socket as JupyterHub and its proxy spell it."""
    return f"http+unix://{quote(str(socket), safe='')}"


def _refusal(directory: Directory | None, key: ServerKey) -> str | None:
    """Return why this server may not run any longer. A locked vault ends nothing: it closes the door to data."""
    if directory is None:
        return None
    try:
        directory.check_server(key.account, key.project)
    except PermissionDenied as refusal:
        return "MEMBERSHIP_WITHDRAWN" if refusal.code in {"NOT_ON_PROJECT", "UNKNOWN_ACCOUNT"} else refusal.code
    return None
