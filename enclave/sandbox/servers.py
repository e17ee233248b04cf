"""The servers: started for members only, watched, stopped when asked or when a membership ends."""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from enclave.errors import PermissionDenied, RequestError, SetupError, UserError
from enclave.sandbox import callers, environment, records
from enclave.sandbox.callers import Caller
from enclave.sandbox.destroyed import remove_homes
from enclave.sandbox.directory import Directory
from enclave.sandbox.folders import Folders
from enclave.sandbox.home_keys import HomeKeys
from enclave.sandbox.homes import Homes
from enclave.sandbox.kernel_orders import KernelOperation, KernelOrder
from enclave.sandbox.kernels import Kernels
from enclave.sandbox.notices import Event, Notices, Once
from enclave.sandbox.order_sockets import OrderSockets
from enclave.sandbox.processes import kill_user
from enclave.sandbox.protocol import Operation, Order, ServerKey
from enclave.sandbox.records import Running
from enclave.sandbox.sandboxes import Sandboxes
from enclave.sandbox.settings import Settings
from enclave.sandbox.uids import Side, Uids

log = logging.getLogger("launcher")

REFUSAL_PAUSE_S = 60.0
"""The same refusal again within this time is no further notice."""


class Servers:
    """All servers of this launcher. The directory is read anew at every start, poll and sweep."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._orders = OrderSockets(Folders(settings))
        self._uids = Uids(settings.state / "uids.json", settings.first_uid, settings.uids)
        self._path = settings.state / "servers.json"
        self._running = records.read(self._path)
        self._notices, self._refusals = Notices(settings.notices), Once(REFUSAL_PAUSE_S, clock)
        self._kill_at: dict[ServerKey, float] = {}
        self._ended: dict[ServerKey, str] = {}
        self._sandboxes = Sandboxes(settings, self._uids)
        self._homes = Homes(settings, HomeKeys(settings.keys, settings.gateway_uid)) if settings.as_root else None
        self._kernels = self._kernels_of(settings)
        for key, side in self._uids.given():
            if key not in self._running:
                self._clear(key)
            elif side is Side.SERVER:
                self._orders.open(self._uids.of(key))
                log.info("taken over: %s for %s", key.account, key.project)
        self._tell_gateway()

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

    def order_sockets(self) -> dict[socket.socket, int]:
        """Return the sockets by which servers order kernels, each with the number of its server."""
        return self._orders.all()

    def do_for_server(self, number: int, uid: int, order: KernelOrder) -> bool:
        """Do with a kernel what came by a server's own socket; PermissionDenied for any user but that server's."""
        key = self._uids.server_of(number)
        ending = key in self._kill_at and order.operation is KernelOperation.START  # it may still end its kernels
        if key is None or key not in self._running or ending or uid != self._sandboxes.user(number):
            raise PermissionDenied("NOT_A_SERVER", "only a running notebook server may start kernels; start yours")
        return self._kernels.do(key, order)

    def sweep(self) -> None:
        """Strike off what ended, stop what lost its membership, kill what did not end when asked."""
        directory = self._directory()
        self._kernels.sweep()
        self._sandboxes.reap()
        if self._homes is not None:
            self._homes.sweep()
        if directory is not None:
            remove_homes(self._settings.homes, directory.destroyed, self._running)
        for key, server in list(self._running.items()):
            if not server.process.runs():
                self._strike_off(key)
            elif key in self._kill_at:
                if self._clock() >= self._kill_at[key]:
                    server.process.kill()
            elif self._home_lost(key):
                self._stop(key, "HOME_LOST")
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

    def note_kernel_refusal(self, number: int, code: str) -> None:
        """Note that an order about a kernel was refused, with whose server's socket it came by."""
        key = self._uids.server_of(number)
        whose = {"account": key.account, "project": key.project} if key else {}
        if self._refusals.is_news("kernel", str(number), code):
            self._notices.write_if_possible(Event.KERNEL_REFUSED, code=code, **whose)

    def begin_to_stop_all(self) -> None:
        """Ask every server to end; sweep until none is left, and let them end their kernels meanwhile."""
        for key in list(self._running):
            self._stop(key, "WORKBENCH_STOPPED")

    def some_run(self) -> bool:
        """Say whether a server still runs, or its home is still being closed."""
        return bool(self._running) or (self._homes is not None and self._homes.closing)

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
        with self._home_open(key, uid), self._orders_heard(uid):
            self._notices.write(Event.SERVER_STARTED, account=key.account, project=key.project)  # no start without it
            process = self._sandboxes.start(self._sandboxes.server_box(key, asked))
        self._running[key] = Running(key, uid, process)
        self._ended.pop(key, None)
        self._keep()
        log.info("started: %s for %s, user %d, process %d", key.account, key.project, uid, process.pid)

    @contextmanager
    def _home_open(self, key: ServerKey, uid: int) -> Iterator[None]:
        """Open the home for what is started inside the block; where that fails, close it again."""
        if self._homes is None:
            yield
            return
        self._homes.open(key, uid)
        try:
            yield
        except BaseException:
            self._homes.close(uid)
            raise

    @contextmanager
    def _orders_heard(self, uid: int) -> Iterator[None]:
        """Hear orders about kernels from what is started inside the block; where that fails, no more."""
        self._orders.open(uid)
        try:
            yield
        except BaseException:
            self._orders.close(uid)
            raise

    def _home_lost(self, key: ServerKey) -> bool:
        return self._homes is not None and self._homes.lost(self._uids.of(key))

    def _kernels_of(self, settings: Settings) -> Kernels:
        def check(key: ServerKey) -> None:
            Directory.read(self._settings.directory).check_start(key.account, key.project)
            if self._home_lost(key):
                raise SetupError("HOME_LOST", "your home was closed; stop the project, and start it again")

        return Kernels(settings.state / "kernels.json", self._sandboxes, settings.sandbox.kernels, check)

    def _stop(self, key: ServerKey, reason: str) -> None:
        server = self._running.get(key)
        if server is None or key in self._kill_at:
            return
        log.info("stopping: %s for %s (%s)", key.account, key.project, reason)
        self._ended[key] = reason
        self._kill_at[key] = self._clock() + self._settings.stop_s
        server.process.ask_to_end()

    def _strike_off(self, key: ServerKey) -> None:
        del self._running[key]
        self._clear(key)
        self._kill_at.pop(key, None)
        self._ended.setdefault(key, "ENDED")
        self._keep()
        log.info("ended: %s for %s (%s)", key.account, key.project, self._ended[key])
        ended = {"account": key.account, "project": key.project, "code": self._ended[key]}
        self._notices.write_if_possible(Event.SERVER_ENDED, **ended)

    def _clear(self, key: ServerKey) -> None:
        """End what is left where a server is gone: kernels, or a server that a crash kept off the record."""
        self._orders.close(self._uids.of(key))
        self._kernels.kill_all(key)
        for side in Side if self._settings.as_root else ():  # without root nothing is off the record: it ended with us
            kill_user(self._uids.of(key, side))
        self._kernels.sweep()
        self._sandboxes.reap()
        self._sandboxes.clear(key)
        if self._homes is not None:
            self._homes.close(self._uids.of(key))

    def _keep(self) -> None:
        """Put what runs on record, for the next launcher and for the gateway."""
        records.write(self._path, self._running.values())
        self._tell_gateway()

    def _tell_gateway(self) -> None:
        callers.write(self._settings.callers, map(self._caller, self._running.values()))

    def _caller(self, server: Running) -> Caller:
        number = self._uids.of(server.key, Side.KERNEL)
        user, of_server = self._sandboxes.user(number), self._sandboxes.user(server.uid)
        return Caller(str(number), user, of_server, server.key.account, server.key.project)

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


def _refusal(directory: Directory | None, key: ServerKey) -> str | None:
    """Return why this server may not run any longer. A locked vault ends nothing: it closes the door to data."""
    if directory is None:
        return None
    try:
        directory.check_server(key.account, key.project)
    except PermissionDenied as refusal:
        return "MEMBERSHIP_WITHDRAWN" if refusal.code in {"NOT_ON_PROJECT", "UNKNOWN_ACCOUNT"} else refusal.code
    return None
