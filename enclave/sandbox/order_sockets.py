"""Where notebook servers order kernels: a socket for each server, in a folder that its sandbox alone sees.

Which server asks is known by the socket; that it is the server's own user who does, is asked of the kernel as well.
"""

import socket
from pathlib import Path

from enclave.sandbox.folders import Folders

NAME = "kernels.sock"


def listening(path: Path, mode: int) -> socket.socket:
    """Return a socket that listens at this path, where one of an earlier launcher may still stand."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    path.chmod(mode)
    server.listen()
    return server


class OrderSockets:
    """The sockets of all servers that run, by the number of the server."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._open: dict[int, socket.socket] = {}

    def open(self, server: int) -> None:
        """Listen to this server. Its folder lets in whoever sees it, so the socket need not choose."""
        self._open[server] = listening(self._folders.orders(server) / NAME, 0o666)

    def close(self, server: int) -> None:
        """Listen to this server no more."""
        found = self._open.pop(server, None)
        if found is not None:
            found.close()

    def all(self) -> dict[socket.socket, int]:
        """Return whose server each socket is."""
        return {one: server for server, one in self._open.items()}
