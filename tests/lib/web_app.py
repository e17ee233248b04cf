"""The real pages and interface on a real house, with an identity that a test decides instead of the hub."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler

from enclave.errors import SetupError
from enclave.web.application import application
from enclave.web.identity import Route
from enclave.web.page import form_token
from enclave.web.services import Services
from enclave.wiring.house import House

COOKIE = "test-account"
PREFIX = "/services/gateway/"
TOKEN = "token-of-"
NO_HUB = "hub.away"
"""An account whose session nobody can tell, since the hub does not answer."""
SECRET = b"0123456789abcdef0123456789abcdef"


class LogIn(RequestHandler):
    """Where browsers of tests log in: by the account's name."""

    def get(self, account: str) -> None:
        self.set_cookie(COOKIE, account, path=PREFIX)
        self.redirect(PREFIX)


class PlainIdentity:
    """Believes what it is told: a cookie holds the account, a token ends with it."""

    async def account_of_page(self, handler: RequestHandler) -> str | None:
        account = handler.get_cookie(COOKIE)
        if account == NO_HUB:
            raise SetupError("HUB_UNAVAILABLE", "the hub does not say who you are; try again")
        return account

    async def account_of_token(self, token: str) -> str | None:
        return token.removeprefix(TOKEN) if token.startswith(TOKEN) else None

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


class Asker:
    """Asks a real application over loopback, as a program (`api`) or as a browser without scripts (`page`, `send`)."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def api(
        self, method: str, path: str, account: str | None, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        given = dict(headers or {})
        if account is not None:
            given["Authorization"] = f"token {TOKEN}{account}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.ask(method, f"api/{path}", given, data)

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
        server, (socket,) = HTTPServer(application(self.services)), bind_sockets(0, "127.0.0.1")
        server.add_socket(socket)
        try:
            answer = await AsyncHTTPClient(force_instance=True).fetch(
                f"http://127.0.0.1:{socket.getsockname()[1]}{PREFIX}{path}",
                method=method,
                headers=dict(headers),
                body=body,
                raise_error=False,
                follow_redirects=False,
                allow_nonstandard_methods=True,
                request_timeout=60,
            )
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
