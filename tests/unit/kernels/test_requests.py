"""Requests followed from a notebook: made by a job, decided by people, seen with what one may see."""

from typing import Any

import pytest

from kernels import workbench
from kernels.workbench import requests as module
from kernels.workbench.errors import InputError, RefusedError, WorkbenchError
from tests.lib.small_project import PROJECT, words
from tests.lib.unix_server import Asked, UnixServer
from tests.unit.kernels.conftest import API

ASK = f"POST {API}/projects/{PROJECT}/requests"
JOB = f"GET {API}/jobs/j1"
REQUEST = f"GET {API}/requests/r1"


def _request(state: str, **more: Any) -> dict[str, Any]:
    facts = {"id": "r1", "project": PROJECT, "stage": "outside", "title": "advice results", "purpose": "the advice"}
    return {**facts, "state": state, "turn": 1, "author": "analyst.one", "votes": [], "remarks": [], **more}


@pytest.fixture
def house(server: UnixServer, monkeypatch: pytest.MonkeyPatch) -> UnixServer:
    """A gateway that needs three looks to make a request, and then has it."""
    monkeypatch.setattr(module, "_POLL_S", 0.0)
    looks = iter(["waiting", "running", "done"])

    def job(_: Asked) -> dict[str, Any]:
        state = next(looks, "done")
        progress = ["counting", "attacking"][: {"waiting": 0, "running": 1, "done": 2}[state]]
        return {"id": "j1", "state": state, "request": "r1" if state == "done" else None, "progress": progress}

    server.answers |= {ASK: {"job": "j1"}, JOB: job, REQUEST: _request("submitted")}
    return server


def _result(project: workbench.Project) -> workbench.Result:
    return project.sum("at_work", table="t1", select={"position": ["1"]}, title=words("At work"))


def test_results_are_requested_outside_with_what_was_declared(analyst: workbench.Project, house: UnixServer) -> None:
    analyst.request_release([_result(analyst)], purpose="the advice")
    sent = next(asked for asked in house.asked if asked.method == "POST")
    assert sent.body == {
        "stage": "outside",
        "purpose": "the advice",
        "results": [
            {"id": "at_work", "title": words("At work"), "kind": "sum", "table": "t1", "select": {"position": ["1"]}}
        ],
    }
    assert sent.headers["Idempotency-Key"]


def test_nothing_but_a_purpose_requests_the_yearly_tables(staff: workbench.Project, house: UnixServer) -> None:
    staff.request_release(purpose="yearly tables")
    assert next(asked for asked in house.asked if asked.method == "POST").body == {
        "stage": "inside",
        "purpose": "yearly tables",
    }


def test_two_requests_have_two_keys(staff: workbench.Project, house: UnixServer) -> None:
    staff.request_release(purpose="one")
    staff.request_release(purpose="two")
    keys = [asked.headers["Idempotency-Key"] for asked in house.asked if asked.method == "POST"]
    assert len(set(keys)) == 2


def test_each_stage_is_for_those_whose_stage_it_is(
    staff: workbench.Project, analyst: workbench.Project, house: UnixServer
) -> None:
    with pytest.raises(RefusedError, match="you may request results"):
        analyst.request_release(purpose="yearly tables")
    with pytest.raises(RefusedError, match="NOT_YOUR_STAGE"):
        staff.request_release([_result(staff)], purpose="results")
    assert [asked for asked in house.asked if asked.method == "POST"] == []


def test_a_purpose_is_asked_for(staff: workbench.Project) -> None:
    with pytest.raises(InputError, match="PURPOSE_MISSING"):
        staff.request_release(purpose=" ")


def test_two_results_of_one_id_are_refused(analyst: workbench.Project) -> None:
    with pytest.raises(InputError, match="RESULT_TWICE"):
        analyst.request_release([_result(analyst), _result(analyst)], purpose="x")


def test_waiting_tells_what_the_gateway_does_until_the_request_is_made(
    analyst: workbench.Project, house: UnixServer
) -> None:
    said: list[str] = []
    request = analyst.request_release(_result(analyst), purpose="x")
    assert request.id == ""
    assert "being made" in repr(request)
    request.wait(say=said.append)
    assert request.id == "r1"
    assert said == ["counting", "attacking", "r1: with the output checkers; nobody has voted yet"]


def test_waiting_for_the_decision_ends_when_it_is_back_with_the_author(
    analyst: workbench.Project, house: UnixServer
) -> None:
    states = iter(["submitted", "partially_reviewed", "returned"])
    house.answers[REQUEST] = lambda _: _request(next(states), remarks=[{"turn": 1, "text": "say which year"}])
    request = analyst.request_release(_result(analyst), purpose="x").wait("decided", say=lambda _: None)
    assert request.state == "returned"
    assert "say which year" in repr(request)


def test_waiting_has_an_end(analyst: workbench.Project, house: UnixServer) -> None:
    house.answers[JOB] = {"id": "j1", "state": "running", "request": None, "progress": []}
    with pytest.raises(WorkbenchError, match="TIMEOUT"):
        analyst.request_release(_result(analyst), purpose="x").wait(timeout=0, say=lambda _: None)


def test_a_failed_job_is_the_gateways_sentence(analyst: workbench.Project, house: UnixServer) -> None:
    error = {"code": "NO_STAGE_ONE", "message": "release it first"}
    house.answers[JOB] = {"id": "j1", "state": "failed", "request": None, "error": error, "progress": []}
    with pytest.raises(InputError, match=r"^NO_STAGE_ONE: release it first$"):
        analyst.request_release(_result(analyst), purpose="x")


def test_submitting_again_and_withdrawing_ask_the_gateway(analyst: workbench.Project, house: UnixServer) -> None:
    house.answers |= {
        f"GET {API}/requests": [_request("returned"), _request("released", id="r0", project="another")],
        f"POST {API}/requests/r1/submit": {},
        f"POST {API}/requests/r1/withdraw": {},
    }
    (request,) = list(analyst.requests())
    request.submit()
    request.withdraw()
    posted = [path for path in house.paths() if path.startswith("POST")]
    assert posted == [f"POST {API}/requests/r1/submit", f"POST {API}/requests/r1/withdraw"]


def test_what_is_shown_holds_votes_and_release_and_is_escaped(analyst: workbench.Project, house: UnixServer) -> None:
    votes = [{"turn": 1, "decision": "approve", "comment": "<b>fine</b>"}]
    house.answers[REQUEST] = _request("released", votes=votes, release="rel-1", published=True)
    request = analyst.request_release(_result(analyst), purpose="x").wait(say=lambda _: None)
    assert "release: rel-1, published" in repr(request)
    assert "approve &lt;b&gt;fine&lt;/b&gt;" in request._repr_html_()


def test_no_requests_is_said_so(analyst: workbench.Project, house: UnixServer) -> None:
    house.answers[f"GET {API}/requests"] = []
    assert repr(analyst.requests()) == "no requests yet"
    assert "none yet" in analyst.requests()._repr_html_()


def test_every_state_of_the_house_has_its_sentence() -> None:
    from enclave.gateway.request import RequestState  # noqa: PLC0415  tests may look at both sides

    assert {state.value for state in RequestState} == set(module.MEANING)
    assert {state.value for state in RequestState if state.owner.value == "author"} == module.AUTHORS_TURN
