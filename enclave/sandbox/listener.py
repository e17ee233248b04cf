"""Who is talking: the hub on one socket, notebook servers on another. The kernel says which user it is."""

import logging
import os
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import PermissionDenied, RequestError, UserError
from enclave.sandbox import kernel_orders, protocol
from enclave.sandbox.peers import peer_uid
from enclave.sandbox.servers import Servers

log = logging.getLogger("launcher")

TICK_S = 1.0
"""Seconds between two sweeps where no order comes in."""

PATIENCE_S = 5.0
"""Seconds that an order may take to arrive: the launcher does one thing at a time."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where orders come in: the hub's socket, and the one that notebook servers see in their sandboxes."""

    hub: socket.socket
    servers: socket.socket | None


def bind(path: Path, hub_uid: int, *, as_root: bool) -> socket.socket:
    """Return the listening socket, which only the hub's user may open."""
    server = _listening(path, 0o600)
    if as_root:
        os.chown(path, hub_uid, -1)
    return server


def bind_for_servers(path: Path) -> socket.socket:
    """Return the socket for notebook servers. Whoever sees its folder may open it; who they are is asked then."""
    return _listening(path, 0o666)


def serve(doors: Doors, hub_uid: int, servers: Servers, goes_on: Callable[[], bool]) -> None:
    """Take orders, one after the other, and sweep in between, until `goes_on` says no."""
    open_doors = [door for door in (doors.hub, doors.servers) if door is not None]
    while goes_on():
        ready, _, _ = select.select(open_doors, [], [], TICK_S)
        for door in ready:
            connection, _ = door.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                try:
                    if door is doors.hub:
                        connection.sendall(answer(connection, hub_uid, servers))
                    else:
                        connection.sendall(answer_server(connection, servers))
                except OSError as error:
                    log.warning("an order was broken off: %s", error.__class__.__name__)
        servers.sweep()


def answer(connection: socket.socket, hub_uid: int, servers: Servers) -> bytes:
    """Return the answer to one connection's order; whoever is not the hub is not even read."""
    key = None
    try:
        if peer_uid(connection) != hub_uid:
            raise PermissionDenied("NOT_THE_HUB", "the launcher takes orders from the hub only")
        order = protocol.parse(_line(connection))
        key = order.key
        return protocol.answer_line(servers.do(order))
    except UserError as refusal:
        log.warning("refused: %s", refusal)
        servers.note_refusal(key, refusal.code)
        return protocol.error_line(refusal)


def answer_server(connection: socket.socket, servers: Servers) -> bytes:
    """Return the answer to a notebook server's order about a kernel of its own."""
    uid = peer_uid(connection)
    try:
        order = kernel_orders.parse(_line(connection))
        return kernel_orders.answer_line(running=servers.do_for_server(uid, order))
    except UserError as refusal:
        log.warning("refused: %s", refusal)
        servers.note_kernel_refusal(uid, refusal.code)
        return protocol.error_line(refusal)


def _listening(path: Path, mode: int) -> socket.socket:
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    path.chmod(mode)
    server.listen()
    return server


def _line(connection: socket.socket) -> bytes:
    data = bytearray()
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        data += part
        if not part or len(data) > protocol.MAX_LINE:
            raise RequestError("ORDER_LENGTH", "an order is one line, shorter than 64 KiB; send one")
    return bytes(data)
