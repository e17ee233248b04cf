"""Asking the gateway: what is sent, what is tried again, and how a refusal reads."""

import pickle

import pytest

from kernels.workbench import gateway
from kernels.workbench.errors import InputError, LockedError, RefusedError, UnreachableError, WorkbenchError
from kernels.workbench.gateway import Gateway
from tests.lib.unix_server import UnixServer
from tests.unit.kernels.conftest import API


@pytest.fixture
def asking(server: UnixServer) -> Gateway:
    return Gateway.from_environment()


def test_nothing_that_is_sent_says_who_asks(server: UnixServer, asking: Gateway) -> None:
    server.answers |= {f"GET {API}/me": {"account": "a"}, f"POST {API}/x": {}}
    asking.get("me")
    asking.post("x", body={"a": 1})
    usual = {"Host", "Accept-Encoding", "Content-Length", "Content-Type"}
    assert [set(asked.headers) - usual for asked in server.asked] == [set(), set()]


def test_parts_of_a_path_cannot_leave_their_place(server: UnixServer, asking: Gateway) -> None:
    with pytest.raises(InputError):
        asking.get("projects", "../me?x=1")
    assert server.asked[0].path == f"{API}/projects/..%2Fme%3Fx%3D1"


def test_outside_the_workbench_the_sentence_says_where_to_go(
    server: UnixServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(gateway.SOCKET)
    with pytest.raises(UnreachableError, match=rf"NOT_IN_A_PROJECT: {gateway.SOCKET} is not set.*open the project"):
        Gateway.from_environment()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InputError),
        (401, RefusedError),
        (403, RefusedError),
        (404, InputError),
        (409, InputError),
        (423, LockedError),
    ],
)
def test_a_refusal_is_the_gateways_own_sentence(
    server: UnixServer, asking: Gateway, status: int, kind: type[WorkbenchError]
) -> None:
    server.refuse(f"GET {API}/me", status, "SOME_CODE", "what to do")
    with pytest.raises(kind, match=r"^SOME_CODE: what to do$"):
        asking.get("me")
    assert len(server.asked) == 1, "a refusal is not asked again"


def test_an_error_without_a_sentence_gets_one(server: UnixServer, asking: Gateway) -> None:
    server.refusals[f"GET {API}/me"] = (502, b"<html>Bad gateway</html>")
    with pytest.raises(UnreachableError, match=r"HTTP_502: .*tell the operator"):
        asking.get("me")


def test_what_cannot_be_read_is_said_so(server: UnixServer, asking: Gateway) -> None:
    server.answers[f"GET {API}/me"] = b"not json"
    with pytest.raises(UnreachableError, match="ANSWER_UNREADABLE"):
        asking.get("me")
    with pytest.raises(UnreachableError, match="ANSWER_UNREADABLE"):
        asking.arrow("me")


def test_a_gateway_that_restarts_is_asked_again(server: UnixServer, asking: Gateway) -> None:
    server.answers[f"GET {API}/me"] = {"account": "a"}
    server.drop = 2
    assert asking.get("me") == {"account": "a"}


def test_a_gateway_whose_hub_restarts_is_asked_again(server: UnixServer, asking: Gateway) -> None:
    server.refusals[f"GET {API}/me"] = (503, b'{"error": {"code": "HUB_UNAVAILABLE", "message": "try again"}}')
    with pytest.raises(UnreachableError, match="HUB_UNAVAILABLE: try again"):
        asking.get("me")
    assert len(server.asked) == 1 + len(gateway.PAUSES_S)


def test_what_may_not_be_done_twice_is_not_asked_twice(server: UnixServer, asking: Gateway) -> None:
    server.answers[f"POST {API}/x"] = {}
    server.drop = 1
    with pytest.raises(UnreachableError, match="GATEWAY_UNREACHABLE"):
        asking.post("x")
    assert server.asked == []


def test_with_a_key_it_is_asked_again_under_the_same_key(server: UnixServer, asking: Gateway) -> None:
    server.answers[f"POST {API}/x"] = {}
    server.drop = 1
    asking.post("x", key="the-key")
    assert [asked.headers["Idempotency-Key"] for asked in server.asked] == ["the-key"]


def test_without_a_gateway_the_sentence_says_so(asking: Gateway) -> None:
    with pytest.raises(UnreachableError, match="GATEWAY_UNREACHABLE: the gateway does not answer; try again"):
        Gateway(f"{asking.socket}.none").get("me")


def test_a_notebook_shows_the_sentence_without_a_traceback() -> None:
    assert RefusedError("CODE", "what to do")._render_traceback_() == ["CODE: what to do"]


def test_errors_travel_home_from_a_worker() -> None:
    home = pickle.loads(pickle.dumps(RefusedError("CODE", "what to do")))
    assert (type(home), home.code, home.message) == (RefusedError, "CODE", "what to do")
