"""Free ports of loopback, and those at which somebody listens."""

import socket
from contextlib import ExitStack
from typing import Any

import psutil  # type: ignore[import-untyped]


def free_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on at this moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def listening() -> list[Any]:
    """Return the addresses (`ip`, `port`) at which this process and its children listen, one for each socket."""
    own = psutil.Process()
    connections = [one for process in (own, *own.children(recursive=True)) for one in process.net_connections("inet")]
    return [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
