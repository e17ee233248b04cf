"""What people do with requests: look, vote, release."""

from collections.abc import Iterator
from pathlib import Path

from enclave.errors import RequestError
from enclave.gateway import permissions
from enclave.gateway.review import Decision
from enclave.wiring.house import House

DECISIONS = tuple(decision.value for decision in Decision)


def requests(house: House, account: str) -> Iterator[str]:
    """List requests, one line each."""
    for request in house.gateway.requests(account):
        yield f"{request.id}  {request.state.value:<19}  {request.stage.value:<7}  {request.title}"


def status(house: House, account: str, request_id: str) -> Iterator[str]:
    """Tell where a request stands, what was voted and said."""
    found = house.gateway.status(request_id, account)
    request = found.request
    yield f"{request.id}: {request.state.value}, turn {request.turn}, stage {request.stage.value}"
    yield f"  {request.title}; purpose: {request.purpose}; author: {request.author}"
    for vote in found.votes:
        yield f"  vote in turn {vote.turn}: {vote.decision.value} by {vote.person} {vote.comment}".rstrip()
    for remark in found.remarks:
        yield f"  remark in turn {remark.turn} by {remark.person}: {remark.text}"
    if found.release:
        yield f"  release {found.release}: {'published' if found.published else 'decided, not yet published'}"


def unpack(house: House, account: str, request_id: str, out: Path) -> str:
    """Write the files of a request's package into an empty folder, for who may see its tables."""
    status = house.gateway.status(request_id, account)
    request = status.request
    house.allow(account, "see_tables", lambda one: permissions.check_see_tables(one, request, status.published))
    if out.exists() and any(out.iterdir()):
        raise RequestError("FOLDER_NOT_EMPTY", f"'{out}' is not empty; choose another folder")
    for path, data in house.packages.read(request.binding.tables).files.items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return str(out)


def vote(house: House, account: str, request_id: str, decision: str, comment: str) -> str:
    """Cast a vote; return the request's state."""
    return house.gateway.vote(request_id, account, Decision(decision), comment).state.value


def release(house: House, account: str, request_id: str) -> str:
    """Release a request; return the folder, or what became of the request instead."""
    outcome = house.gateway.release(request_id, account)
    if outcome.release is None:
        return f"sent back to the checkers: {outcome.request.state.value}; its approvals are void"
    return str(house.settings.outboxes[outcome.request.stage] / outcome.release)
