"""The operator socket: how a key holder unlocks and locks the vault of a running gateway, and asks how it stands.

One line of JSON asks, one answers, on a Unix socket (0600) that serves root and the owner of the house, nobody else::

    {"do": "unlock", "kind": "passphrase", "texts": ["..."]}      {"do": "lock"}      {"do": "status"}
    {"do": "projects"}
    {"status": {"locked", "since", "protection", "generation"}}   {"projects": ["..."]}
    {"error": {"code", "message", "exit"}}

The secret travels over this socket only, and no answer holds one.
"""

import asyncio
import json
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enclave.errors import EnclaveError, PermissionDenied, RequestError
from enclave.vault.protection import Kind, Opener
from enclave.wiring.house import House
from enclave.wiring.keys.closed_socket import ClosedSocket
from enclave.wiring.keys.operator_client import LONGEST_LINE

MOST_PROJECTS = 50
"""So many lines about projects fit into an answer."""


async def serve_operator_socket(house: House, path: Path, projects: Callable[[], list[str]] = list) -> asyncio.Server:
    """Serve the operator socket of an open house at `path` from this event loop; close what is returned at the end.

    `projects` tells whether the project files hold.

    A socket that a killed gateway left behind is replaced; SetupError OPERATOR_SOCKET where another one answers.
    """
    return await ClosedSocket(
        path=path,
        taken="OPERATOR_SOCKET",
        longest_line=LONGEST_LINE,
        answer=_Handler(house, projects).answer,
        refusal=_refusal,
        no_question=RequestError("OPERATOR_REQUEST", "this is not a question to an operator socket"),
    ).serve()


@dataclass
class _Handler:
    """Does what is asked; what changes the door is done one at a time, beside the event loop."""

    house: House
    projects: Callable[[], list[str]]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, line: bytes, uid: int) -> bytes:
        """Answer a line."""
        self._require_allowed(uid)
        async with self.turn:
            return _line(await asyncio.to_thread(self._do, _asked(line), _account(uid)))

    def _require_allowed(self, uid: int) -> None:
        if uid not in {0, self.house.settings.root.stat().st_uid}:
            raise PermissionDenied("OPERATOR_ONLY", "only root and the owner of the house keep its vault")

    def _do(self, asked: Mapping[str, Any], account: str) -> dict[str, Any]:
        match asked["do"]:
            case "unlock":
                self.house.unlock(_opener(asked), account)
            case "lock":
                self.house.lock(account)
            case "status":
                pass
            case "projects":
                return {"projects": self.projects()[:MOST_PROJECTS]}
            case _:
                raise RequestError(
                    "OPERATOR_REQUEST", "an operator socket is asked to unlock, lock, or tell the status"
                )
        return {"status": self.house.door.status().described()}


def _asked(line: bytes) -> Mapping[str, Any]:
    """Read a question; ValueError where it is none."""
    asked = json.loads(line)
    if not isinstance(asked, dict) or not isinstance(asked.get("do"), str):
        raise TypeError
    return asked


def _opener(asked: Mapping[str, Any]) -> Opener:
    texts = asked.get("texts")
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise TypeError
    return Opener(Kind(str(asked.get("kind"))), tuple(texts))


def _refusal(error: EnclaveError) -> bytes:
    return _line({"error": {"code": error.code, "message": error.message, "exit": error.exit_code}})


def _line(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid.{uid}"
