"""Who is talking: the hub on one socket, each notebook server on its own. The kernel says which user it is."""

import logging
import os
import select
import socket
from collections.abc import Callable
from pathlib import Path

from enclave.errors import PermissionDenied, RequestError, UserError
from enclave.sandbox import kernel_orders, protocol
from enclave.sandbox.order_sockets import listening
from enclave.sandbox.peers import peer_uid
from enclave.sandbox.servers import Servers

log = logging.getLogger("launcher")

TICK_S = 1.0
"""Seconds between two sweeps where no order comes in."""

PATIENCE_S = 5.0
"""Seconds that an order may take to arrive: the launcher does one thing at a time."""


def bind(path: Path, hub_uid: int, *, as_root: bool) -> socket.socket:
    """Return the listening socket, which only the hub's user may open."""
    server = listening(path, 0o600)
    if as_root:
        os.chown(path, hub_uid, -1)
    return server


def serve(hub: socket.socket, hub_uid: int, servers: Servers, goes_on: Callable[[], bool]) -> None:
    """Take orders of the hub and of notebook servers, one after the other, and sweep in between.

    Until `goes_on` says no.
    """
    while goes_on():
        of_servers = servers.order_sockets()
        ready, _, _ = select.select([hub, *of_servers], [], [], TICK_S)
        for heard in ready:
            try:
                _serve_one(heard, hub_uid, servers, of_servers.get(heard))
            except OSError as error:  # the one who asked is gone, or the socket of a server that ended meanwhile
                log.warning("an order was broken off: %s", error.__class__.__name__)
        servers.sweep()


def _serve_one(heard: socket.socket, hub_uid: int, servers: Servers, server: int | None) -> None:
    connection, _ = heard.accept()
    with connection:
        connection.settimeout(PATIENCE_S)
        if server is None:
            connection.sendall(answer(connection, hub_uid, servers))
        else:
            connection.sendall(answer_server(connection, server, servers))


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


def answer_server(connection: socket.socket, server: int, servers: Servers) -> bytes:
    """Return the answer to an order about a kernel, which came by the socket of the server with this number."""
    try:
        order = kernel_orders.parse(_line(connection))
        return kernel_orders.answer_line(running=servers.do_for_server(server, peer_uid(connection), order))
    except UserError as refusal:
        log.warning("refused: %s", refusal)
        servers.note_kernel_refusal(server, refusal.code)
        return protocol.error_line(refusal)


def _line(connection: socket.socket) -> bytes:
    data = bytearray()
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        data += part
        if not part or len(data) > protocol.MAX_LINE:
            raise RequestError("ORDER_LENGTH", "an order is one line, shorter than 64 KiB; send one")
    return bytes(data)
