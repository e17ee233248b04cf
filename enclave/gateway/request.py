"""The life of a request: its states, who owns each, and the only steps there are; the diagram comes from the table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from enclave.errors import RequestError
from enclave.gateway.binding import Binding
from enclave.gateway.canonical import check_name


class Stage(StrEnum):
    """Where a release may be read: inside the house (advice 17/17 par. 4, first stage), or by everybody."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Owner(StrEnum):
    """Whose turn it is."""

    AUTHOR = "author"
    CHECKER = "checker"
    SYSTEM = "system"


class RequestState(StrEnum):
    """Where a request stands. Each state has exactly one owner."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    PARTIALLY_REVIEWED = "partially_reviewed"
    REVIEWED = "reviewed"
    RETURNED = "returned"
    APPROVED = "approved"
    RELEASED = "released"
    PARTLY_RELEASED = "partly_released"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def owner(self) -> Owner:
        """Who has to act next; a finished request is kept by the system."""
        return _OWNERS.get(self, Owner.SYSTEM)

    @property
    def in_review(self) -> bool:
        """True while first votes are being cast, each without sight of the other."""
        return self in (RequestState.SUBMITTED, RequestState.PARTIALLY_REVIEWED)


class Action(StrEnum):
    """What moves a request."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    VOTE = "vote"
    RETURN = "return"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    RELEASE = "release"
    RELEASE_PART = "release part"
    SEND_BACK = "send back"
    REVOKE = "revoke"

    @property
    def actor(self) -> Owner:
        """Who takes this step. A steward revokes, and an operator releases, through the system."""
        return _ACTORS.get(self, Owner.SYSTEM)


_OWNERS = {
    RequestState.PENDING: Owner.AUTHOR,
    RequestState.RETURNED: Owner.AUTHOR,
    RequestState.PARTLY_RELEASED: Owner.AUTHOR,
    RequestState.SUBMITTED: Owner.CHECKER,
    RequestState.PARTIALLY_REVIEWED: Owner.CHECKER,
    RequestState.REVIEWED: Owner.CHECKER,
}

_ACTORS = {
    Action.SUBMIT: Owner.AUTHOR,
    Action.WITHDRAW: Owner.AUTHOR,
    Action.VOTE: Owner.CHECKER,
    Action.RETURN: Owner.CHECKER,
}

TRANSITIONS: Mapping[RequestState, Mapping[Action, RequestState]] = MappingProxyType(
    {
        RequestState.PENDING: {
            Action.SUBMIT: RequestState.SUBMITTED,
            Action.WITHDRAW: RequestState.WITHDRAWN,
        },
        RequestState.SUBMITTED: {
            Action.VOTE: RequestState.PARTIALLY_REVIEWED,
            Action.RETURN: RequestState.RETURNED,
        },
        RequestState.PARTIALLY_REVIEWED: {
            Action.VOTE: RequestState.REVIEWED,
            Action.RETURN: RequestState.RETURNED,
        },
        RequestState.REVIEWED: {
            Action.APPROVE: RequestState.APPROVED,
            Action.REJECT: RequestState.REJECTED,
            Action.RETURN: RequestState.RETURNED,
        },
        RequestState.RETURNED: {
            Action.SUBMIT: RequestState.SUBMITTED,
            Action.WITHDRAW: RequestState.WITHDRAWN,
            Action.EXPIRE: RequestState.EXPIRED,
        },
        RequestState.APPROVED: {
            Action.RELEASE: RequestState.RELEASED,
            Action.RELEASE_PART: RequestState.PARTLY_RELEASED,
            Action.SEND_BACK: RequestState.SUBMITTED,
        },
        RequestState.PARTLY_RELEASED: {
            Action.SUBMIT: RequestState.SUBMITTED,
            Action.REVOKE: RequestState.REVOKED,
        },
        RequestState.RELEASED: {Action.REVOKE: RequestState.REVOKED},
        RequestState.REJECTED: {},
        RequestState.WITHDRAWN: {},
        RequestState.EXPIRED: {},
        RequestState.REVOKED: {},
    }
)
"""Every step there is: state -> action -> next state. The store's triggers are generated from it too."""


def next_state(state: RequestState, action: Action) -> RequestState:
    """Return where `action` leads from `state`; RequestError BAD_TRANSITION names what is possible instead."""
    steps = TRANSITIONS[state]
    if action not in steps:
        possible = ", ".join(sorted(steps)) or "nothing, it is finished"
        raise RequestError("BAD_TRANSITION", f"a request that is {state} cannot {action}. Possible: {possible}")
    return steps[action]


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a release, as it stands now. A step makes a new one; nothing is changed in place.

    `author` is a person's id, never an account. `turn` counts submissions: each time the request enters SUBMITTED, by
    its author or sent back by the system, a new turn begins and the votes of earlier turns no longer count.
    """

    id: str
    project: str
    stage: Stage
    author: str
    population: str
    title: str
    purpose: str
    binding: Binding
    state: RequestState = RequestState.PENDING
    turn: int = 0

    def __post_init__(self) -> None:
        check_name("request id", self.id)
        check_name("project", self.project)
        check_name("person id", self.author)
        for what in ("population", "title", "purpose"):
            if not getattr(self, what).strip():
                raise RequestError("REQUEST_INCOMPLETE", f"a request needs a {what}; fill it in and submit again")

    def step(self, action: Action, binding: Binding | None = None) -> "Request":
        """Return the request after `action`; only a step into SUBMITTED may bring a new binding (BINDING_FIXED)."""
        target = next_state(self.state, action)
        again = target is RequestState.SUBMITTED
        if binding is not None and not again:
            raise RequestError("BINDING_FIXED", f"to {action} cannot change what is requested; submit the change first")
        return replace(self, state=target, turn=self.turn + again, binding=binding or self.binding)


def state_diagram() -> str:
    """Return the transition table as a Mermaid state diagram, each state with its owner."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {state.value} : {state.value.replace('_', ' ').upper()} ({state.owner})" for state in RequestState]
    lines.append(f"    [*] --> {RequestState.PENDING.value}")
    for state, steps in TRANSITIONS.items():
        lines += [f"    {state} --> {target} : {action} ({action.actor})" for action, target in steps.items()]
        if not steps:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"
