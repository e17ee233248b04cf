"""The real pages and interface on a real house, with an identity that a test decides instead of the hub."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler

from enclave.web.application import application
from enclave.web.identity import Route
from enclave.web.services import Services
from enclave.wiring.house import House

COOKIE = "test-account"
PREFIX = "/services/gateway/"
TOKEN = "token-of-"
SECRET = b"0123456789abcdef0123456789abcdef"


class LogIn(RequestHandler):
    """Where browsers of tests log in: by the account's name."""

    def get(self, account: str) -> None:
        self.set_cookie(COOKIE, account, path=PREFIX)
        self.redirect(PREFIX)


class PlainIdentity:
    """Believes what it is told: a cookie holds the account, a token ends with it."""

    async def account_of_page(self, handler: RequestHandler) -> str | None:
        return handler.get_cookie(COOKIE)

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
