"""The socket on which the launcher gets the keys of homes: for members of a project, while the vault is unlocked.

How it is asked stands in `enclave/sandbox/home_keys.py`. Each key that is handed out, and each refusal, is an entry of
the audit log. Root alone is answered: the launcher is its only process that asks.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import EnclaveError, PermissionDenied, RequestError
from enclave.gateway.permissions import check_open_home
from enclave.sandbox.home_keys import GRANTED, REFUSED
from enclave.wiring.house import House
from enclave.wiring.keys.closed_socket import ClosedSocket

LONGEST_LINE = 4096
_NAMES = {"account", "project"}


async def serve_home_keys(house: House, path: Path, launcher_uid: int = 0) -> asyncio.Server:
    """Serve the launcher at `path` from this event loop; close what is returned at the end.

    SetupError HOME_KEYS where another gateway answers there.
    """
    return await ClosedSocket(
        path=path,
        taken="HOME_KEYS",
        longest_line=LONGEST_LINE,
        answer=_Handler(house, launcher_uid).answer,
        refusal=_refusal,
        no_question=RequestError("HOME_KEY_REQUEST", "a key is asked for by account and project"),
    ).serve()


@dataclass(frozen=True, slots=True)
class _Handler:
    """Hands keys out."""

    house: House
    launcher_uid: int

    async def answer(self, line: bytes, uid: int) -> bytes:
        """Answer a line with a key."""
        if uid != self.launcher_uid:
            raise PermissionDenied("LAUNCHER_ONLY", "keys of homes are for the launcher alone")
        return GRANTED + await asyncio.to_thread(self._key, *_asked(line))

    def _key(self, account: str, project: str) -> bytes:
        self.house.allow(account, "open_home", lambda person: check_open_home(person, project))
        self.house.require_open(account, "open_home", project)
        return self.house.vault.home_key(project, account)


def _asked(line: bytes) -> tuple[str, str]:
    """Read a question; ValueError or TypeError where it is none."""
    asked = json.loads(line)
    if not isinstance(asked, dict) or set(asked) != _NAMES or not all(isinstance(one, str) for one in asked.values()):
        raise TypeError
    return asked["account"], asked["project"]


def _refusal(error: EnclaveError) -> bytes:
    return REFUSED + json.dumps({"code": error.code, "message": error.message}).encode() + b"\n"
