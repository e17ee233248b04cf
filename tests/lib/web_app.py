"""The real pages and interface on a real house, with an identity that a test decides instead of the hub."""

import asyncio
import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import Resolver, bind_sockets, bind_unix_socket
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application, RequestHandler

from enclave.errors import SetupError
from enclave.sandbox.callers import Caller
from enclave.web.application import application, caller_application
from enclave.web.identity import Route
from enclave.web.page import form_token
from enclave.web.services import Services
from enclave.wiring.house import House

COOKIE = "test-account"
PREFIX = "/services/gateway/"
NO_HUB = "hub.away"
"""An account whose session nobody can tell, since the hub does not answer."""
PROJECT = "advice-17-17-2016"
SECRET = b"0123456789abcdef0123456789abcdef"


class LogIn(RequestHandler):
    """Where browsers of tests log in: by the account's name."""

    def get(self, account: str) -> None:
        self.set_cookie(COOKIE, account, path=PREFIX)
        self.redirect(PREFIX)


class PlainIdentity:
    """Believes what it is told: a cookie holds the account."""

    async def account_of_page(self, handler: RequestHandler) -> str | None:
        account = handler.get_cookie(COOKIE)
        if account == NO_HUB:
            raise SetupError("HUB_UNAVAILABLE", "the hub does not say who you are; try again")
        return account

    def session(self, handler: RequestHandler) -> str:
        return handler.get_cookie(COOKIE) or ""

    def log_in(self, handler: RequestHandler) -> None:
        handler.set_status(401)
        handler.finish("log in")

    def log_out(self, handler: RequestHandler) -> None:
        handler.clear_cookie(COOKIE, path=PREFIX)
        handler.redirect(PREFIX + "about")

    def routes(self) -> Sequence[Route]:
        return [(r"log-in/([a-z.]+)", LogIn, {})]


def services_of(house: House) -> Services:
    return Services.of(house, PlainIdentity(), SECRET, PREFIX)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error, on a page or in JSON."""
        if self.headers["Content-Type"].startswith("application/json"):
            return str(self.json["error"]["code"])
        return self.text.partition("Code for the operator:")[2].partition("<code>")[2].partition("<")[0]


class AtSocket(Resolver):
    """Sends whoever asks for a host to a socket file."""

    def initialize(self, path: Path) -> None:
        self._path = path

    async def resolve(self, host: str, port: int, family: int = 0) -> list[tuple[int, Any]]:  # noqa: ARG002
        return [(socket.AF_UNIX, str(self._path))]


class Asker:
    """Asks the real applications, as a kernel (`api`) or as a browser without scripts (`page`, `send`)."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def api(
        self,
        method: str,
        path: str,
        account: str,
        *,
        project: str = PROJECT,
        uid: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask from a kernel of this account and project, on a socket that is for the present user, or for `uid`."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        caller = Caller("1", os.getuid() if uid is None else uid, os.getuid(), account, project)
        return asyncio.run(self._as_kernel(caller, _request("gateway", method, f"api/{path}", headers or {}, data)))

    def page(self, path: str, account: str | None, language: str = "en") -> Answer:
        return self.ask("GET", path, _browser(account, language), None)

    def send(self, path: str, account: str, *, token: str | None = None, **fields: str) -> Answer:
        """Send a form with the token of this account's session, or another one."""
        fields["_xsrf"] = form_token(SECRET, account) if token is None else token
        headers = _browser(account, "en") | {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, headers, urlencode(fields).encode())

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        return asyncio.run(self._ask(method, path, headers, body))

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        (listening,) = bind_sockets(0, "127.0.0.1")
        request = _request(f"127.0.0.1:{listening.getsockname()[1]}", method, path, headers, body)
        return await _fetched(application(self.services), listening, AsyncHTTPClient(force_instance=True), request)

    async def _as_kernel(self, caller: Caller, request: HTTPRequest) -> Answer:
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder) / "gateway.sock"
            listening = bind_unix_socket(str(at))
            client = SimpleAsyncHTTPClient(force_instance=True, resolver=AtSocket(path=at))
            return await _fetched(caller_application(self.services, caller), listening, client, request)


def _request(where: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> HTTPRequest:
    return HTTPRequest(
        f"http://{where}{PREFIX}{path}",
        method=method,
        headers=dict(headers),
        body=body,
        follow_redirects=False,
        allow_nonstandard_methods=True,
        request_timeout=60,
    )


async def _fetched(
    asked: Application, listening: socket.socket, client: AsyncHTTPClient, request: HTTPRequest
) -> Answer:
    server = HTTPServer(asked)
    server.add_socket(listening)
    try:
        answer = await client.fetch(request, raise_error=False)
    finally:
        server.stop()
        await server.close_all_connections()
    return Answer(answer.code, answer.headers, answer.body)


def _browser(account: str | None, language: str) -> dict[str, str]:
    cookie = {"Cookie": f"{COOKIE}={account}"} if account else {}
    return cookie | {"Accept-Language": language}


@dataclass(frozen=True)
class Running:
    """An application that listens on loopback, in a thread of its own."""

    base: str
    services: Services


@contextmanager
def serving(house: House, *, jobs: bool = False) -> Iterator[Running]:
    """Serve the house until the test is over."""
    services, loop = services_of(house), asyncio.new_event_loop()
    sockets = bind_sockets(0, "127.0.0.1")
    ready = threading.Event()
    ended = asyncio.Event()

    async def run() -> None:
        server = HTTPServer(application(services))
        server.add_sockets(sockets)
        ready.set()
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait(10)
    if jobs:
        services.jobs.start()
    try:
        yield Running(f"http://127.0.0.1:{sockets[0].getsockname()[1]}{PREFIX}", services)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
