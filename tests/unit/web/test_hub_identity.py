"""Identity by the hub: who counts as logged in, for how long, and what the hub must have said. The hub's side is given.

The whole of it, with a real hub, is tried in tests/functional/test_pages_through_hub.py.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, RequestHandler, create_signed_value

from enclave.errors import PermissionDenied, SetupError
from enclave.web.hub_identity import HubIdentity
from enclave.web.settings import WebSettings
from tests.lib.unix_server import UnixServer, serve

SECRET = b"0123456789abcdef0123456789abcdef"
ACCESS = "access:services!service=gateway"
ASKED = "GET /hub/api/user"
HOUR_S = 3600


@pytest.fixture
def settings() -> Iterator[WebSettings]:
    with TemporaryDirectory() as folder:
        (Path(folder) / "run" / "hub").mkdir(parents=True)
        yield WebSettings(Path(folder))


@pytest.fixture
def hub(settings: WebSettings) -> Iterator[UnixServer]:
    """A hub that says of every token that it belongs to the analyst, with access to the gateway."""
    with serve(settings.root) as known:
        (settings.root / "run" / "hub" / "hub.sock").symlink_to(known.socket)
        known.answers[ASKED] = said()
        yield known


def said(kind: str = "user", scopes: tuple[str, ...] = (ACCESS,)) -> dict[str, Any]:
    return {"kind": kind, "name": "analyst.one", "scopes": list(scopes), "session_id": None}


def identity(settings: WebSettings) -> HubIdentity:
    return HubIdentity(settings, "the-token-of-the-service")


class Silent(HTTPConnection):
    """A connection that nobody reads."""

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        pass


def page(age_s: float = 0.0) -> RequestHandler:
    """Return a page that is asked for with a session's cookie of this age."""
    cookie = create_signed_value(SECRET, "service-gateway", "a-token", clock=lambda: time.time() - age_s).decode()
    line = RequestStartLine("GET", "/services/gateway/", "HTTP/1.1")
    headers = HTTPHeaders({"Host": "gateway", "Cookie": f"service-gateway={cookie}"})
    request = HTTPServerRequest(start_line=line, headers=headers, connection=Silent())
    return RequestHandler(Application(cookie_secret=SECRET), request)


def test_a_session_belongs_to_the_account_that_the_hub_names(settings: WebSettings, hub: UnixServer) -> None:
    assert asyncio.run(identity(settings).account_of_page(page())) == "analyst.one"
    assert [asked.headers["Authorization"] for asked in hub.asked] == ["token a-token"]


def test_without_access_to_the_gateway_a_session_gets_nowhere(settings: WebSettings, hub: UnixServer) -> None:
    hub.answers[ASKED] = said(scopes=("read:users!user=analyst.one",))
    with pytest.raises(PermissionDenied, match="NO_ACCESS"):
        asyncio.run(identity(settings).account_of_page(page()))


def test_the_token_of_a_notebook_server_opens_no_page(settings: WebSettings, hub: UnixServer) -> None:
    hub.answers[ASKED] = said(scopes=("users:activity!user=analyst.one",))
    with pytest.raises(PermissionDenied, match="NO_ACCESS"):
        asyncio.run(identity(settings).account_of_page(page()))


def test_a_session_of_another_service_is_nobodys(settings: WebSettings, hub: UnixServer) -> None:
    hub.answers[ASKED] = said(kind="service")
    assert asyncio.run(identity(settings).account_of_page(page())) is None


@pytest.mark.parametrize(("hours", "is_one"), [(3.9, True), (4.1, False)])
def test_a_session_on_the_pages_lasts_four_hours(settings: WebSettings, hours: float, is_one: bool) -> None:
    assert bool(identity(settings).session(page(hours * HOUR_S))) is is_one


def test_what_the_hub_said_is_believed_for_seconds_only(settings: WebSettings) -> None:
    assert settings.rights_seconds == 5
    assert identity(settings)._auth.cache_max_age == settings.rights_seconds


def test_a_hub_that_does_not_answer_is_said_so(settings: WebSettings) -> None:
    with pytest.raises(SetupError, match="HUB_UNAVAILABLE"):
        asyncio.run(identity(settings).account_of_page(page()))
