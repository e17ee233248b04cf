"""A small HTTP server on a Unix socket, for tests of clients: answers are given, requests are kept."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

Answer = bytes | dict[str, Any] | list[Any] | Callable[["Asked"], Any]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class UnixServer:
    """What the server answers at each "METHOD /path", and what it was asked. `refuse` makes an error of an answer."""

    socket: str
    answers: dict[str, Answer] = field(default_factory=dict)
    refusals: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    drop: int = 0
    """How many of the next connections are closed without an answer."""

    def refuse(self, what: str, status: int, code: str, message: str) -> None:
        body = {"error": {"code": code, "message": message}}
        self.refusals[what] = (status, json.dumps(body).encode())

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]


class _Handler(BaseHTTPRequestHandler):
    known: UnixServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.known.drop:
            self.known.drop -= 1
            self.close_connection = True
            return
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, dict(self.headers), json.loads(raw) if raw else None)
        self.known.asked.append(asked)
        what = f"{self.command} {self.path}"
        if what in self.known.refusals:
            self._send(*self.known.refusals[what])
        elif what in self.known.answers:
            found = self.known.answers[what]
            body = found(asked) if callable(found) else found
            self._send(
                202 if self.command == "POST" else 200, body if isinstance(body, bytes) else json.dumps(body).encode()
            )
        else:
            self._send(404, json.dumps({"error": {"code": "NOT_FOUND", "message": f"nothing at {what}"}}).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in the standard library
        pass


@contextmanager
def serve(folder: Path, name: str = "gateway.sock") -> Iterator[UnixServer]:
    """Serve on a socket in this folder while the block runs."""
    known = UnixServer(str(folder / name))
    handler = type("Handler", (_Handler,), {"known": known})
    with socketserver.ThreadingUnixStreamServer(known.socket, handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield known
        finally:
            server.shutdown()
            thread.join()
