"""A browser without a window: cookies, forms, websockets. Certificates are taken as they are: they are made up."""

import asyncio
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True)
class Answer:
    """What came back, after redirects."""

    status: int
    url: str
    text: str
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Session:
    """One person at one browser."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=trusting()),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def ask(
        self, method: str, path: str, *, body: Any = None, form: dict[str, str] | None = None, headers: Any = None
    ) -> Answer:
        """Ask with the session's cookies, and with the token against forged requests that pages would send."""
        given = {"Accept-Language": "en", "Sec-Fetch-Mode": "navigate", **(headers or {})}
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        elif body is not None:
            data, given["Content-Type"] = json.dumps(body).encode(), "application/json"
        if method != "GET":
            given["X-XSRFToken"] = self._xsrf(path)
        request = urllib.request.Request(self.url + path, data, given, method=method)
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.url, answer.read().decode(), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.url or "", error.read().decode(), error.headers)

    def log_in(self, account: str, password: str, *, ban: str = "accepted") -> Answer:
        self.get("/hub/login")
        form = {"username": account, "password": password, "ban": ban, "_xsrf": self._xsrf("/hub/login")}
        return self.ask("POST", "/hub/login?next=%2Fhub%2Fhome", form=form)

    def start_server(self, account: str, project: str) -> Answer:
        """Start a server as the page's button does, and wait until it is up or refused."""
        answer = self.get(f"/hub/spawn/{account}/{project}")
        progress = f"/hub/api/users/{account}/servers/{project}/progress"
        if answer.status == 200 and "spawn-pending" in answer.url:
            self.get(f"{progress}?_xsrf={self._xsrf('/hub/')}", **{"Sec-Fetch-Mode": "cors"})
            answer = self.get(f"/user/{account}/{project}/")
        return answer

    def execute(self, base: str, kernel: str, code: str) -> str:
        """Run a cell in a kernel and return what it printed."""
        return asyncio.run(asyncio.wait_for(self._execute(base, kernel, code), 90))

    async def _execute(self, base: str, kernel: str, code: str) -> str:
        url = f"{self.url.replace('https', 'wss')}{base}api/kernels/{kernel}/channels"
        cookies = "; ".join(f"{one.name}={one.value}" for one in self._cookies(base))
        request = HTTPRequest(url, headers={"Cookie": cookies, "Origin": self.url}, ssl_options=trusting())
        channel = await websocket_connect(request)
        wanted = uuid.uuid4().hex
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        header = {"msg_id": wanted, "msg_type": "execute_request", "session": wanted, "username": "", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await channel.write_message(json.dumps(message))
        printed = ""
        while True:
            raw = await channel.read_message()
            assert raw is not None, "the kernel's channel was closed"
            told = json.loads(raw)
            if told["parent_header"].get("msg_id") != wanted:
                continue
            if told["msg_type"] == "stream":
                printed += told["content"]["text"]
            if told["msg_type"] == "error":
                printed += told["content"]["evalue"]
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                channel.close()
                return printed

    def _cookies(self, path: str) -> list[Any]:
        return [one for one in self.cookies if path.startswith(one.path)]

    def _xsrf(self, path: str) -> str:
        """Return the token of the longest path that holds this one."""
        found = [one for one in self._cookies(path) if one.name == "_xsrf"]
        return str(max(found, key=lambda one: len(one.path)).value) if found else ""
