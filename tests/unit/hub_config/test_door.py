"""The door before the hub: what a notebook server may ask comes through as it is, everything else is refused."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from jupyterhub.httpclient import fetch
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket

from enclave.sandbox import callers
from enclave.sandbox.callers import Caller
from enclave.sandbox.environment import socket_url
from enclave.wiring.workbench.layout import Layout
from hub_config import door
from tests.lib.unix_server import UnixServer, serve

NEEDED = [
    ("GET", "/hub/api"),
    ("GET", "/hub/api/"),
    ("GET", "/hub/api/user"),
    ("POST", "/hub/api/oauth2/token"),
    ("POST", "/hub/api/users/analyst.one/activity"),
]
REFUSED = [
    ("GET", "/hub/api/users"),
    ("GET", "/hub/api/users/analyst.one"),
    ("POST", "/hub/api/users/analyst.one/tokens"),
    ("POST", "/hub/api/users/analyst.one/servers/another"),
    ("DELETE", "/hub/api/users/analyst.one/servers/another"),
    ("GET", "/hub/api/users/analyst.one/activity"),
    ("POST", "/hub/api/users/../shutdown/activity"),
    ("POST", "/hub/api/users/a/b/activity"),
    ("POST", "/hub/api/users/%2e%2e/activity"),
    ("POST", "/hub/api/user"),
    ("PUT", "/hub/api/oauth2/token"),
    ("POST", "/hub/api/shutdown"),
    ("GET", "/hub/api/proxy"),
    ("GET", "/hub/api//user"),
    ("GET", "/hub/api/user/"),
    ("GET", "/hub/home"),
    ("POST", "/hub/login"),
    ("GET", "/"),
    ("HEAD", "/hub/api/user"),
    ("OPTIONS", "/hub/api"),
]


@pytest.mark.parametrize(("method", "path"), NEEDED)
def test_what_a_server_needs_comes_through(method: str, path: str) -> None:
    assert door.lets_through(method, path)


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_everything_else_is_refused(method: str, path: str) -> None:
    assert not door.lets_through(method, path)


@pytest.fixture
def layout() -> Iterator[Layout]:
    with TemporaryDirectory() as folder:
        found = Layout(Path(folder))
        for needed in (found.hub_socket.parent, found.door_socket.parent, found.callers, found.notices("door")):
            needed.mkdir(parents=True)
        yield found


@pytest.fixture
def hub(layout: Layout) -> Iterator[UnixServer]:
    with serve(layout.hub_socket.parent, layout.hub_socket.name) as server:
        yield server


def ask(layout: Layout, method: str, path: str, **more: Any) -> tuple[int, Any]:
    """Knock as a notebook server does; return status and answer."""

    async def knock() -> tuple[int, Any]:
        server = HTTPServer(door.application(layout), max_body_size=door.MOST_BYTES)
        server.add_socket(bind_unix_socket(str(layout.door_socket)))
        try:
            url = f"{socket_url(layout.door_socket)}{path}"
            answer = await fetch(url, method=method, raise_for_status=False, **more)
            return answer.status, json.loads(await answer.text() or "null")
        finally:
            server.stop()

    return asyncio.run(knock())


def test_a_call_and_its_answer_pass_with_the_token_and_nothing_else(layout: Layout, hub: UnixServer) -> None:
    hub.answers["POST /hub/api/users/analyst.one/activity"] = {"told": True}
    headers = {"Authorization": "token mine", "Cookie": "session=theirs", "X-Forwarded-For": "10.0.0.1"}
    asked = ask(layout, "POST", "/hub/api/users/analyst.one/activity", headers=headers, data='{"servers": {}}')
    assert asked == (202, {"told": True})
    (heard,) = hub.asked
    assert heard.body == {"servers": {}}
    assert heard.headers["Authorization"] == "token mine"
    assert not {"Cookie", "X-Forwarded-For"} & set(heard.headers)


def test_what_follows_a_question_mark_stays_outside(layout: Layout, hub: UnixServer) -> None:
    hub.answers["GET /hub/api/user"] = {"name": "analyst.one"}
    assert ask(layout, "GET", "/hub/api/user?more=1") == (200, {"name": "analyst.one"})
    assert hub.paths() == ["GET /hub/api/user"]


def test_a_refusal_of_the_hub_stays_its_own(layout: Layout, hub: UnixServer) -> None:
    hub.refuse("GET /hub/api/user", 403, "FORBIDDEN", "no")
    assert ask(layout, "GET", "/hub/api/user") == (403, {"error": {"code": "FORBIDDEN", "message": "no"}})


def test_a_refused_call_does_not_reach_the_hub_and_is_noted_once_with_whose_server_it_was(
    layout: Layout, hub: UnixServer
) -> None:
    callers.write(layout.callers, [Caller("8", os.getuid() + 1, os.getuid(), "analyst.one", "some-project")])
    for _ in range(3):
        status, said = ask(layout, "GET", "/hub/api/users")
        assert (status, said["code"]) == (403, "NOT_FOR_SERVERS")
    assert hub.asked == []
    notices = [json.loads(path.read_text()) for path in layout.notices("door").iterdir()]
    whose = {"account": "analyst.one", "project": "some-project"}
    assert {(one["event"], *sorted(one["details"].items())) for one in notices} == {
        ("hub_call_refused", *sorted({"code": "NOT_FOR_SERVERS", **whose}.items()))
    }


def test_where_all_servers_are_one_user_nobody_is_named(layout: Layout, hub: UnixServer) -> None:
    two = [Caller(str(n), os.getuid(), os.getuid(), f"analyst.{n}", "some-project") for n in range(2)]
    callers.write(layout.callers, two)
    assert ask(layout, "GET", "/hub/api/users")[0] == 403
    (notice,) = (json.loads(path.read_text()) for path in layout.notices("door").iterdir())
    assert notice["details"] == {"code": "NOT_FOR_SERVERS"}


def test_a_hub_that_is_away_is_told_in_a_sentence(layout: Layout) -> None:
    status, said = ask(layout, "GET", "/hub/api/user")
    assert (status, said["code"]) == (503, "HUB_AWAY")


def test_too_long_a_call_is_not_taken(layout: Layout, hub: UnixServer) -> None:
    status, _ = ask(layout, "POST", "/hub/api/oauth2/token", data="x" * (door.MOST_BYTES + 1))
    assert status == 400
    assert hub.asked == []
