"""Two independent votes: what a vote is, what two of them decide, and who may see which of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enclave.errors import RequestError
from enclave.gateway.canonical import check_digest, check_name
from enclave.gateway.request import Action, Request

VOTES_NEEDED = 2
"""Distinct persons who must approve. The floor of the house (`output_checkers` in policies/house.yaml)."""


class Decision(StrEnum):
    """What a checker says about a request as it stands."""

    APPROVE = "approve"
    CHANGES = "changes"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote in one turn. It binds to what was seen: the binding's digest and the history head.

    Raises RequestError COMMENT_NEEDED for a change request or a rejection without a comment.
    """

    request: str
    turn: int
    person: str
    decision: Decision
    comment: str
    binding: str
    head_seen: str
    at: datetime

    def __post_init__(self) -> None:
        check_name("person id", self.person)
        check_digest("binding", self.binding)
        check_digest("history head", self.head_seen)
        if self.decision is not Decision.APPROVE:
            check_comment(self.comment)


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody wrote when returning or revoking a request."""

    request: str
    turn: int
    person: str
    text: str
    at: datetime

    def __post_init__(self) -> None:
        check_comment(self.text)


def check_comment(text: str) -> None:
    """Raise RequestError COMMENT_NEEDED when nothing is written."""
    if not text.strip():
        raise RequestError("COMMENT_NEEDED", "say in a comment what has to change and why; the author reads it")


def current_votes(request: Request, votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """Return the votes that count: of this request, this turn, and bound to what is requested now."""
    return tuple(
        vote
        for vote in votes
        if vote.request == request.id and vote.turn == request.turn and vote.binding == request.binding.digest
    )


def approvals(request: Request, votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """Return one current approval per person; none at all while a current vote objects."""
    current = current_votes(request, votes)
    if any(vote.decision is not Decision.APPROVE for vote in current):
        return ()
    return tuple({vote.person: vote for vote in current}.values())


def outcome(request: Request, votes: Iterable[Vote]) -> Action | None:
    """Return what the two votes decide, or None when checkers must talk and return the request with a comment.

    An objection is never outvoted: both approve, both reject, or the request goes back.
    """
    current = current_votes(request, votes)
    decisions = {vote.decision for vote in current}
    if len({vote.person for vote in current}) < VOTES_NEEDED or len(decisions) != 1:
        return None
    return {Decision.APPROVE: Action.APPROVE, Decision.REJECT: Action.REJECT}.get(decisions.pop())


def visible_votes(request: Request, votes: Iterable[Vote], viewer: str) -> tuple[Vote, ...]:
    """Return the votes that `viewer` (a person id) may see: until both are cast, of this turn only one's own."""
    return tuple(
        vote for vote in votes if not (request.state.in_review and vote.turn == request.turn and vote.person != viewer)
    )
