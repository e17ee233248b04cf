"""The socket on which the launcher gets the keys of homes: for members of a project, while the vault is unlocked.

How it is asked stands in `enclave/sandbox/home_keys.py`. Each key that is handed out, and each refusal, is an entry of
the audit log. Root alone is answered: the launcher is its only process that asks.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import EnclaveError, PermissionDenied, RequestError
from enclave.gateway.permissions import check_open_home
from enclave.sandbox.home_keys import GRANTED, REFUSED
from enclave.wiring.house import House
from enclave.wiring.keys.closed_socket import listen, peer

LONGEST_LINE = 4096
_READ_WAIT_S = 5.0
_NAMES = {"account", "project"}


async def serve_home_keys(house: House, path: Path, launcher_uid: int = 0) -> asyncio.Server:
    """Serve the launcher at `path` from this event loop; close what is returned at the end.

    SetupError HOME_KEYS where another gateway answers there.
    """
    listening = listen(path, "HOME_KEYS")
    handler = _Handler(house, launcher_uid)
    return await asyncio.start_unix_server(handler.serve, sock=listening, limit=LONGEST_LINE)


@dataclass(frozen=True, slots=True)
class _Handler:
    """Answers one question per connection."""

    house: House
    launcher_uid: int

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a line, answer, close."""
        try:
            writer.write(await self._answer(reader, peer(writer)))
            await writer.drain()
        except (OSError, TimeoutError):
            return
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, uid: int) -> bytes:
        try:
            line = await asyncio.wait_for(reader.readline(), _READ_WAIT_S)
            if uid != self.launcher_uid:
                raise PermissionDenied("LAUNCHER_ONLY", "keys of homes are for the launcher alone")
            return GRANTED + await asyncio.to_thread(self._key, *_asked(line))
        except EnclaveError as error:
            return _refusal(error)
        except (ValueError, TypeError, RecursionError):
            return _refusal(RequestError("HOME_KEY_REQUEST", "a key is asked for by account and project"))

    def _key(self, account: str, project: str) -> bytes:
        self.house.allow(account, "open_home", lambda person: check_open_home(person, project))
        return self.house.vault.home_key(project, account)


def _asked(line: bytes) -> tuple[str, str]:
    """Read a question; ValueError or TypeError where it is none."""
    asked = json.loads(line)
    if not isinstance(asked, dict) or set(asked) != _NAMES or not all(isinstance(one, str) for one in asked.values()):
        raise TypeError
    return asked["account"], asked["project"]


def _refusal(error: EnclaveError) -> bytes:
    return REFUSED + json.dumps({"code": error.code, "message": error.message}).encode() + b"\n"
