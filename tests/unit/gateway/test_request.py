"""The life of a request, every pair of state and action, every pair of states."""

from dataclasses import replace
from itertools import product

import pytest

from enclave.errors import RequestError
from enclave.gateway.binding import Binding
from enclave.gateway.request import (
    TRANSITIONS,
    Action,
    Owner,
    Request,
    RequestState,
    Stage,
    next_state,
    state_diagram,
)

S, A = RequestState, Action

# Written by hand from the design, not from the table under test.
STEPS = {
    (S.PENDING, A.SUBMIT): S.SUBMITTED,
    (S.PENDING, A.WITHDRAW): S.WITHDRAWN,
    (S.SUBMITTED, A.VOTE): S.PARTIALLY_REVIEWED,
    (S.SUBMITTED, A.RETURN): S.RETURNED,
    (S.PARTIALLY_REVIEWED, A.VOTE): S.REVIEWED,
    (S.PARTIALLY_REVIEWED, A.RETURN): S.RETURNED,
    (S.REVIEWED, A.APPROVE): S.APPROVED,
    (S.REVIEWED, A.REJECT): S.REJECTED,
    (S.REVIEWED, A.RETURN): S.RETURNED,
    (S.RETURNED, A.SUBMIT): S.SUBMITTED,
    (S.RETURNED, A.WITHDRAW): S.WITHDRAWN,
    (S.RETURNED, A.EXPIRE): S.EXPIRED,
    (S.APPROVED, A.RELEASE): S.RELEASED,
    (S.APPROVED, A.RELEASE_PART): S.PARTLY_RELEASED,
    (S.APPROVED, A.SEND_BACK): S.SUBMITTED,
    (S.PARTLY_RELEASED, A.SUBMIT): S.SUBMITTED,
    (S.PARTLY_RELEASED, A.REVOKE): S.REVOKED,
    (S.RELEASED, A.REVOKE): S.REVOKED,
}

OWNERS = {
    S.PENDING: Owner.AUTHOR,
    S.SUBMITTED: Owner.CHECKER,
    S.PARTIALLY_REVIEWED: Owner.CHECKER,
    S.REVIEWED: Owner.CHECKER,
    S.RETURNED: Owner.AUTHOR,
    S.APPROVED: Owner.SYSTEM,
    S.RELEASED: Owner.SYSTEM,
    S.PARTLY_RELEASED: Owner.AUTHOR,
    S.REJECTED: Owner.SYSTEM,
    S.WITHDRAWN: Owner.SYSTEM,
    S.EXPIRED: Owner.SYSTEM,
    S.REVOKED: Owner.SYSTEM,
}

BINDING = Binding("1" * 64, "2" * 64, "3" * 64, "4" * 64)
OTHER = Binding("5" * 64, "2" * 64, "3" * 64, "4" * 64)


def request_in(state: RequestState, turn: int = 1) -> Request:
    return Request("r1", "project-a", Stage.OUTSIDE, "ann", "clients", "title", "purpose", BINDING, state, turn)


@pytest.mark.parametrize(("state", "action"), list(product(RequestState, Action)))
def test_every_state_and_action(state: RequestState, action: Action) -> None:
    if (state, action) in STEPS:
        assert next_state(state, action) is STEPS[(state, action)]
        return
    with pytest.raises(RequestError) as refusal:
        next_state(state, action)
    assert refusal.value.code == "BAD_TRANSITION"


@pytest.mark.parametrize(("state", "target"), list(product(RequestState, RequestState)))
def test_every_state_and_target(state: RequestState, target: RequestState) -> None:
    assert (target in TRANSITIONS[state].values()) == (target in [to for (at, _), to in STEPS.items() if at is state])


def test_no_state_is_forgotten() -> None:
    assert set(TRANSITIONS) == set(OWNERS) == set(RequestState)


@pytest.mark.parametrize("state", RequestState)
def test_each_state_has_one_owner(state: RequestState) -> None:
    assert state.owner is OWNERS[state]


def test_the_refusal_says_what_is_possible_instead() -> None:
    with pytest.raises(RequestError, match="Possible: submit, withdraw"):
        next_state(S.PENDING, A.VOTE)
    with pytest.raises(RequestError, match="it is finished"):
        next_state(S.REVOKED, A.SUBMIT)


def test_each_submission_begins_a_turn() -> None:
    request = request_in(S.PENDING, 0).step(A.SUBMIT)
    assert request.turn == 1
    assert request.step(A.VOTE).turn == 1
    assert request_in(S.APPROVED, 3).step(A.SEND_BACK).turn == 4


def test_a_new_binding_needs_a_new_turn() -> None:
    assert request_in(S.RETURNED).step(A.SUBMIT, OTHER).binding == OTHER
    assert request_in(S.APPROVED).step(A.SEND_BACK, OTHER).binding == OTHER
    with pytest.raises(RequestError, match="BINDING_FIXED"):
        request_in(S.APPROVED).step(A.RELEASE, OTHER)


@pytest.mark.parametrize("field", ["title", "purpose", "population"])
def test_an_incomplete_request_is_refused(field: str) -> None:
    complete = {"title": "t", "purpose": "p", "population": "c", field: " "}
    with pytest.raises(RequestError, match="REQUEST_INCOMPLETE"):
        replace(request_in(S.PENDING), **complete)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", ".x", "a/b", "é", "a" * 101])
def test_ids_are_plain(name: str) -> None:
    with pytest.raises(RequestError, match="BAD_NAME"):
        Request(name, "project-a", Stage.INSIDE, "ann", "c", "t", "p", BINDING)


def test_the_diagram_is_the_table() -> None:
    lines = [line.strip() for line in state_diagram().splitlines()]
    assert lines[0] == "stateDiagram-v2"
    arrows = {line.split(" : ")[0] for line in lines if "-->" in line and "[*]" not in line}
    assert arrows == {f"{state} --> {target}" for (state, _), target in STEPS.items()}
    assert "approved --> submitted : send back (system)" in lines
    assert "submitted : SUBMITTED (checker)" in lines
    assert {line.split()[0] for line in lines if line.endswith("--> [*]")} == {
        "rejected",
        "withdrawn",
        "expired",
        "revoked",
    }
