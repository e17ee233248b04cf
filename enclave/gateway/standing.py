"""Which votes still stand: a person may have joined the project or declared a conflict after voting."""

from collections.abc import Iterable

from enclave.errors import PermissionDenied
from enclave.gateway.permissions import check_return
from enclave.gateway.ports import People
from enclave.gateway.request import Request
from enclave.gateway.review import Vote, current_votes


def standing_votes(people: People, request: Request, votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """Return the current votes whose persons may still check this request, by the roles and conflicts of today.

    Training counts as it was on the day of the vote.
    """
    return tuple(vote for vote in current_votes(request, votes) if _stands(people, request, vote))


def _stands(people: People, request: Request, vote: Vote) -> bool:
    try:
        check_return(people.person(vote.person), request, vote.at.date())
    except PermissionDenied:
        return False
    return True
