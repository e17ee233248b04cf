"""The gateway's sockets for kernels: one for each account and project, open while its server runs."""

from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket

from enclave.sandbox import callers
from enclave.sandbox.callers import Caller
from enclave.web.application import MOST_BODY_BYTES, caller_application
from enclave.web.services import Services

ONLY_ITS_GROUP = 0o660
"""The socket's mode. Its folder gives it the kernel's group."""


class CallerSockets:
    """Keeps listening where the launcher's list says, and nowhere else."""

    def __init__(self, services: Services, folder: Path) -> None:
        self._services, self._folder = services, folder
        self._open: dict[Caller, HTTPServer] = {}

    def look(self) -> None:
        """Open and close sockets until they are those of the list."""
        wanted = set(callers.read(self._folder))
        for gone in self._open.keys() - wanted:
            self._open.pop(gone).stop()
        for caller in wanted - self._open.keys():
            path = self._folder / caller.folder / callers.SOCKET
            if path.parent.is_dir():
                self._open[caller] = self._listen(caller, path)

    def close(self) -> None:
        """Stop listening."""
        for server in self._open.values():
            server.stop()
        self._open.clear()

    def _listen(self, caller: Caller, path: Path) -> HTTPServer:
        server = HTTPServer(caller_application(self._services, caller), max_body_size=MOST_BODY_BYTES)
        fresh = path.with_suffix(".new")  # in its place only when it has its rights: a kernel may be waiting
        server.add_socket(bind_unix_socket(str(fresh), mode=ONLY_ITS_GROUP))
        fresh.replace(path)
        return server
