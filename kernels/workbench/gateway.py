"""Talking to the gateway: HTTP over a Unix socket that is this account's and project's own.

The gateway knows who asks by the socket and by the user at its other end: nothing that is sent says it. The socket's
path is read from the environment of the process that asks, also in workers of a cluster.
"""

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa

from .errors import InputError, LockedError, RefusedError, UnreachableError, WorkbenchError

SOCKET: Final = "ENCLAVE_GATEWAY_SOCKET"
PREFIX: Final = "/services/gateway/api"
TIMEOUT_S: Final = 120.0
PAUSES_S: Final = (0.2, 1.0, 3.0, 5.0, 10.0, 20.0)
"""Pauses before trying again what may be asked twice: a gateway or hub that restarts is back within half a minute."""
_ON_ITS_WAY_BACK: Final = 503

_KINDS: Final[Mapping[int, type[WorkbenchError]]] = {
    400: InputError,
    401: RefusedError,
    403: RefusedError,
    404: InputError,
    409: InputError,
    423: LockedError,
}


class _UnixConnection(HTTPConnection):
    """An HTTP connection to the socket file at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__("gateway", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket file instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway, as this notebook may use it."""

    socket: str

    @classmethod
    def from_environment(cls) -> "Gateway":
        """Return the gateway that the environment names; UnreachableError where it names none."""
        if not os.environ.get(SOCKET):
            raise UnreachableError(
                "NOT_IN_A_PROJECT",
                f"{SOCKET} is not set: this is no notebook of the workbench; open the project from the hub's page and"
                " use the notebook there",
            )
        return cls(os.environ[SOCKET])

    def get(self, *path: str) -> Any:
        """Return what the gateway says at this path, as parsed JSON."""
        return _parsed(self._ask("GET", path))

    def arrow(self, *path: str) -> pa.Table:
        """Return the table that the gateway streams at this path."""
        try:
            with pa.ipc.open_stream(self._ask("GET", path)) as stream:
                return stream.read_all()
        except pa.ArrowInvalid:
            raise _unreadable() from None

    def post(self, *path: str, body: Mapping[str, Any] | None = None, key: str = "") -> Any:
        """Send `body` and return the answer; with `key`, sending it twice has the effect of sending it once."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return _parsed(self._ask("POST", path, json.dumps(body or {}).encode(), headers, again=bool(key)))

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        again: bool = True,
    ) -> bytes:
        """Return the body of the answer; an error of ours where there is none or it is a refusal."""
        url = "/".join((PREFIX, *(quote(part, safe="") for part in path)))
        for pause in (*PAUSES_S, None) if again else (None,):
            try:
                status, answer = self._once(method, url, body, headers or {})
            except (OSError, HTTPException):
                if pause is None:
                    raise _unreachable() from None
            else:
                if status < 400:  # noqa: PLR2004  from here on HTTP means errors
                    return answer
                if status != _ON_ITS_WAY_BACK or pause is None:
                    raise _refusal(status, answer)
            time.sleep(pause)
        raise _unreachable()

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = _UnixConnection(self.socket)
        try:
            connection.request(method, url, body, dict(headers))
            answer: HTTPResponse = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        raise _unreadable() from None


def _refusal(status: int, answer: bytes) -> WorkbenchError:
    """Return the gateway's own sentence as an error; a sentence of ours where its answer has none."""
    try:
        error = json.loads(answer)["error"]
        return _KINDS.get(status, UnreachableError)(str(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return UnreachableError(
            f"HTTP_{status}", "the gateway could not answer; try again, and tell the operator if it stays so"
        )


def _unreachable() -> UnreachableError:
    return UnreachableError(
        "GATEWAY_UNREACHABLE",
        "the gateway does not answer; try again in a minute, and tell the operator if it stays so",
    )


def _unreadable() -> UnreachableError:
    return UnreachableError(
        "ANSWER_UNREADABLE", "the gateway's answer cannot be read; try again, and tell the operator if it stays so"
    )
