"""Unix sockets of the gateway that are closed to others, and who is at their other end."""

import asyncio
import errno
import socket
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.peers import peer_uid
from enclave.wiring.keys.operator_client import require_short


def listen(path: Path, code: str) -> socket.socket:
    """Bind a socket (0600), and let nobody in before it is closed to others.

    What a killed gateway left behind is replaced; SetupError with this code where another one answers.
    """
    require_short(path)
    _remove_left_over(path, code)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        listening.close()
        raise SetupError(code, f"no socket can be made at '{path}' ({error.strerror})") from error
    return listening


def peer(writer: asyncio.StreamWriter) -> int:
    """Return the user at the other end, as the kernel says."""
    return peer_uid(writer.get_extra_info("socket"))


def _remove_left_over(path: Path, code: str) -> None:
    """Remove a socket that nobody listens on any more; SetupError for anything else."""
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        if not path.is_socket() or probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise SetupError(
                code, f"'{path}' is taken: if another gateway answers there, stop it; else remove the file"
            )
    path.unlink()
