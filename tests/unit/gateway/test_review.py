"""What two votes decide, and who sees them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from enclave.errors import RequestError
from enclave.gateway.binding import Binding
from enclave.gateway.canonical import NO_HEAD
from enclave.gateway.request import Action, Request, RequestState, Stage
from enclave.gateway.review import Decision, Remark, Vote, approvals, current_votes, outcome, visible_votes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BINDING = Binding("1" * 64, "2" * 64, "3" * 64, "4" * 64)
REQUEST = Request("r1", "project-a", Stage.OUTSIDE, "ann", "c", "t", "p", BINDING, RequestState.REVIEWED, 2)


def vote(person: str, decision: Decision = Decision.APPROVE, turn: int = 2) -> Vote:
    return Vote("r1", turn, person, decision, "because", BINDING.digest, NO_HEAD, NOW)


@pytest.mark.parametrize(("first", "second"), list(product(Decision, Decision)))
def test_every_pair_of_votes(first: Decision, second: Decision) -> None:
    decided = {
        (Decision.APPROVE, Decision.APPROVE): Action.APPROVE,
        (Decision.REJECT, Decision.REJECT): Action.REJECT,
    }.get((first, second))
    assert outcome(REQUEST, [vote("kim", first), vote("lou", second)]) is decided


def test_one_person_is_not_two() -> None:
    assert outcome(REQUEST, [vote("kim"), vote("kim")]) is None
    assert len(approvals(REQUEST, [vote("kim"), vote("kim")])) == 1


def test_votes_of_another_turn_binding_or_request_do_not_count() -> None:
    stale = [vote("kim", turn=1), replace(vote("lou"), binding="9" * 64), replace(vote("max"), request="r2")]
    assert current_votes(REQUEST, stale) == ()
    assert outcome(REQUEST, stale) is None
    assert approvals(REQUEST, stale) == ()


def test_an_objection_is_never_outvoted() -> None:
    votes = [vote("kim"), vote("lou"), vote("max", Decision.CHANGES)]
    assert approvals(REQUEST, votes) == ()
    assert outcome(REQUEST, votes) is None


@pytest.mark.parametrize("decision", [Decision.CHANGES, Decision.REJECT])
def test_an_objection_needs_a_comment(decision: Decision) -> None:
    with pytest.raises(RequestError, match="COMMENT_NEEDED"):
        replace(vote("kim"), decision=decision, comment=" ")
    assert replace(vote("kim"), comment="").comment == ""


def test_a_remark_says_something() -> None:
    with pytest.raises(RequestError, match="COMMENT_NEEDED"):
        Remark("r1", 1, "kim", "\n", NOW)


def test_first_votes_are_blind() -> None:
    votes = [vote("kim", turn=1), vote("kim"), vote("lou")]
    in_review = replace(REQUEST, state=RequestState.PARTIALLY_REVIEWED)
    assert visible_votes(in_review, votes, "lou") == (votes[0], votes[2])
    assert visible_votes(in_review, votes, "ann") == (votes[0],)
    assert visible_votes(REQUEST, votes, "ann") == tuple(votes)
