"""The door between notebook servers and the hub: of the hub's interface, what a server needs comes through, no more.

`python -m hub_config.door ROOT`, a part of its own with a user of its own: a server never speaks to the hub itself, so
whatever it sends, the hub hears nothing but these four calls. What each may do there is the hub's to say, by the token.
"""

import asyncio
import json
import logging
import re
import signal
import sys
from http import HTTPStatus
from pathlib import Path

from aiohttp import ClientError
from jupyterhub.httpclient import fetch
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

from enclave.errors import UserError
from enclave.sandbox import callers
from enclave.sandbox.environment import socket_url
from enclave.sandbox.notices import Event, Notices, Once
from enclave.sandbox.peers import peer_uid
from enclave.wiring.workbench.layout import Layout

CALLS = (
    ("GET", re.compile(r"/hub/api/?")),
    ("GET", re.compile(r"/hub/api/user")),
    ("POST", re.compile(r"/hub/api/oauth2/token")),
    ("POST", re.compile(r"/hub/api/users/[a-z0-9._-]+/activity")),
)
"""Is the hub there, and of which version; who opened this session; a session's token; this server is used."""

THERE = ("Authorization", "Content-Type", "Accept", "User-Agent")
BACK = ("Content-Type", "X-JupyterHub-Version", "WWW-Authenticate")
MOST_BYTES = 64 * 1024
ANYBODY_MAY_CONNECT = 0o666
"""The folder is what nobody but notebook servers sees, each in its sandbox."""
PAUSE_S = 60.0
"""The same refusal again within this time is no further notice."""

log = logging.getLogger("door")


def lets_through(method: str, path: str) -> bool:
    """Whether a call is one that a notebook server needs."""
    return any(method == verb and shape.fullmatch(path) for verb, shape in CALLS)


class Door(RequestHandler):
    """Passes a call on, or refuses it with a sentence."""

    def initialize(self, layout: Layout, refusals: Once) -> None:
        """Know where the hub is, and which refusals were told already."""
        self._layout, self._refusals = layout, refusals

    async def prepare(self) -> None:
        """Take every method alike; the answer is finished here."""
        if lets_through(self.request.method or "", self.request.path):
            await self._pass_on()
        else:
            await self._refuse()

    async def _pass_on(self) -> None:
        headers = {name: self.request.headers[name] for name in THERE if name in self.request.headers}
        url = f"{socket_url(self._layout.hub_socket)}{self.request.path}"
        body = self.request.body or None
        try:
            answer = await fetch(url, method=self.request.method, headers=headers, data=body, raise_for_status=False)
            content = await answer.read()
        except (OSError, ClientError):
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "HUB_AWAY", "the hub does not answer; it starts again by itself")
            return
        self.set_status(answer.status)
        for name in BACK:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self.finish(content)

    async def _refuse(self) -> None:
        uid = peer_uid(self.request.connection.stream.socket)  # type: ignore[union-attr]
        log.warning("refused: a call of user %d", uid)  # what it asked for is the server's own words
        if self._refusals.is_news(str(uid)):
            details = {"code": "NOT_FOR_SERVERS", **_whose(self._layout, uid)}
            notices = Notices(self._layout.notices("door"))
            await asyncio.to_thread(notices.write_if_possible, Event.HUB_CALL_REFUSED, **details)
        self._say(HTTPStatus.FORBIDDEN, "NOT_FOR_SERVERS", "a notebook server may not ask this of the hub")

    def _say(self, status: HTTPStatus, code: str, message: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"status": int(status), "code": code, "message": message}))


def _whose(layout: Layout, uid: int) -> dict[str, str]:
    """Return whose server runs as a user; nothing where that is not one server's alone."""
    try:
        found = [one for one in callers.read(layout.callers) if one.server_uid == uid]
    except UserError:
        found = []
    return {"account": found[0].account, "project": found[0].project} if len(found) == 1 else {}


def application(layout: Layout) -> Application:
    """Return the door of this workbench."""
    return Application([(r".*", Door, {"layout": layout, "refusals": Once(PAUSE_S)})])


async def serve(layout: Layout) -> None:
    """Listen until a signal comes."""
    server = HTTPServer(application(layout), max_body_size=MOST_BYTES, max_header_size=MOST_BYTES)
    server.add_socket(bind_unix_socket(str(layout.door_socket), mode=ANYBODY_MAY_CONNECT))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("listening on %s", layout.door_socket)
    await stop.wait()
    server.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    asyncio.run(serve(Layout(Path(sys.argv[1]))))
