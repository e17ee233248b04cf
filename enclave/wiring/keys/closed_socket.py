"""Unix sockets of the gateway that are closed to others: a line asks, an answer comes; the kernel says who asks."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import EnclaveError, RequestError, SetupError
from enclave.sandbox.peers import peer_uid
from enclave.wiring.keys.operator_client import require_short

_READ_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class ClosedSocket:
    """Where questions come in, and how they are answered: one question per connection.

    `answer` takes the line and the user who asks. An EnclaveError of it is answered as `refusal` writes it; so is
    `no_question`, where the line is none: too long, or ValueError, TypeError or RecursionError when it is read.
    """

    path: Path
    taken: str
    """The code of the SetupError where another gateway answers at `path`."""
    longest_line: int
    answer: Callable[[bytes, int], Awaitable[bytes]]
    refusal: Callable[[EnclaveError], bytes]
    no_question: RequestError

    async def serve(self) -> asyncio.Server:
        """Serve from this event loop; close what is returned at the end."""
        listening = _listen(self.path, self.taken)
        return await asyncio.start_unix_server(self._serve_one, sock=listening, limit=self.longest_line)

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a line, answer, close. Whoever sends no line, or is gone, gets no answer."""
        try:
            writer.write(await self._answered(reader, peer_uid(writer.get_extra_info("socket"))))
            await writer.drain()
        except (OSError, TimeoutError):
            return
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader, uid: int) -> bytes:
        try:
            line = await asyncio.wait_for(reader.readline(), _READ_WAIT_S)
            return await self.answer(line, uid)  # not earlier: a close before the line is read swallows the answer
        except EnclaveError as error:
            return self.refusal(error)
        except (ValueError, TypeError, RecursionError):
            return self.refusal(self.no_question)


def _listen(path: Path, code: str) -> socket.socket:
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
