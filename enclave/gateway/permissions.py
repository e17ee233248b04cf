"""Who may do what. Each rule is a pair: `check_x` raises PermissionDenied with the reason, `may_x` says yes or no.

Rules are about persons; an account only says which person is at the keyboard. What is possible in which state is not
decided here but by the transition table in request.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Concatenate, ParamSpec

from enclave.errors import PermissionDenied, RequestError
from enclave.gateway.canonical import check_name
from enclave.gateway.log_entry import PARTS, SYSTEM
from enclave.gateway.request import Request, Stage
from enclave.gateway.review import Vote

P = ParamSpec("P")


class Role(StrEnum):
    """What a person is in this house."""

    ANALYST = "analyst"
    CBSS_STAFF = "cbss_staff"
    OUTPUT_CHECKER = "output_checker"
    STEWARD = "steward"
    AUDITOR = "auditor"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """A human being, with all accounts, roles, projects (by id) and declared conflicts (projects, by id).

    `trained_until` is the last day on which the person's training in output checking is valid; None: never trained.
    """

    id: str
    accounts: frozenset[str] = frozenset()
    roles: frozenset[Role] = frozenset()
    projects: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()
    trained_until: date | None = field(default=None)

    def __post_init__(self) -> None:
        for name in (self.id, *self.accounts, *self.projects, *self.conflicts):
            check_name("person, account or project", name)
        if self.id in {SYSTEM, *PARTS}:
            raise RequestError("NAME_RESERVED", f"'{self.id}' is who acts when nobody does; give the person another id")


_OFFICES = frozenset({Role.OUTPUT_CHECKER, Role.STEWARD, Role.AUDITOR, Role.OPERATOR})
"""Who has to do with every project. All others learn that they are not on it, which is what they can mend."""


def _need_role(person: Person, *roles: Role) -> None:
    if not person.roles & set(roles):
        words = " or ".join(role.replace("_", " ") for role in roles)
        raise PermissionDenied(f"NOT_{roles[0].upper()}", f"this needs the role of {words}; ask a steward")


def _need_project(person: Person, project: str) -> None:
    if project not in person.projects:
        raise PermissionDenied("NOT_ON_PROJECT", f"you are not a member of project {project}; ask its steward")


def _need_author(person: Person, request: Request) -> None:
    if person.id != request.author:
        raise PermissionDenied("NOT_AUTHOR", f"only the author of request {request.id} may do this")


def check_open_microdata(person: Person, project: str) -> None:
    """Let only CBSS staff on the project touch the microdata of a standing advice (17/17 par. 4)."""
    _need_role(person, Role.CBSS_STAFF)
    _need_project(person, project)


def check_take_in(person: Person) -> None:
    """Let stewards and CBSS staff take deliveries in."""
    _need_role(person, Role.STEWARD, Role.CBSS_STAFF)


def check_bring_in(person: Person) -> None:
    """Let stewards bring scripts and public tables to a project (15/018 par. 6): nothing comes in another way."""
    _need_role(person, Role.STEWARD)


def check_enrol(person: Person) -> None:
    """Let stewards and operators say who is who."""
    _need_role(person, Role.STEWARD, Role.OPERATOR)


def check_derive(person: Person, project: str) -> None:
    """Let an analyst of the project, who never opens the microdata, derive from tables released inside (stage 2)."""
    _need_role(person, Role.ANALYST)
    _need_project(person, project)
    if Role.CBSS_STAFF in person.roles:
        raise PermissionDenied(
            "OPENS_MICRODATA", "who may open the microdata cannot ask for stage 2 (17/17 par. 4); let an analyst ask"
        )


def check_request(person: Person, project: str, stage: Stage) -> None:
    """Let CBSS staff of the project make stage 1 (inside), and its analysts stage 2 (outside)."""
    if stage is Stage.INSIDE:
        check_open_microdata(person, project)
    else:
        check_derive(person, project)


def check_submit(person: Person, request: Request) -> None:
    """Let the author submit, while still allowed to make such a request."""
    _need_author(person, request)
    check_request(person, request.project, request.stage)


def check_withdraw(person: Person, request: Request) -> None:
    """Let the author withdraw."""
    _need_author(person, request)


def check_return(person: Person, request: Request, today: date) -> None:
    """Let output checkers act: with valid training, not the author, not of the project, no conflict declared."""
    _need_role(person, Role.OUTPUT_CHECKER)
    if person.trained_until is None or today > person.trained_until:
        raise PermissionDenied("TRAINING_EXPIRED", "your training in output checking is not valid; renew it first")
    if person.id == request.author:
        raise PermissionDenied(
            "SAME_PERSON", f"you are the author of request {request.id}; another person must check it"
        )
    if request.project in person.projects:
        raise PermissionDenied(
            "CHECKER_ON_PROJECT", f"you are a member of project {request.project}; others must check"
        )
    if request.project in person.conflicts:
        raise PermissionDenied("CONFLICT_DECLARED", f"you declared a conflict with project {request.project}")


def check_vote(person: Person, request: Request, votes: Iterable[Vote], today: date) -> None:
    """Let a checker vote as for a return; and nobody twice in a turn, under whichever account."""
    check_return(person, request, today)
    if any(vote.person == person.id and vote.turn == request.turn for vote in votes if vote.request == request.id):
        raise PermissionDenied(
            "VOTED_ALREADY", f"you have voted on request {request.id} in this turn; one person, one vote"
        )


def check_release(person: Person) -> None:
    """Let an operator or a steward start the release of what two others approved."""
    _need_role(person, Role.OPERATOR, Role.STEWARD)


def check_see_state(person: Person) -> None:
    """Let operators and stewards see how the house stands: its vault, and the files that say who is on a project."""
    _need_role(person, Role.OPERATOR, Role.STEWARD)


def check_extend(person: Person, project: str) -> None:
    """Let a steward who is not on the project record a decision that its data may be kept longer (15/018 par. 19)."""
    _need_role(person, Role.STEWARD)
    if project in person.projects:
        raise PermissionDenied("OWN_PROJECT", f"you are a member of project {project}; another steward records this")


def check_destroy(person: Person, project: str, others: Iterable[Person]) -> None:
    """Let two stewards, or a steward and an operator, decide together that a project is destroyed; no member of it."""
    _need_role(person, Role.STEWARD, Role.OPERATOR)
    if project in person.projects:
        raise PermissionDenied("OWN_PROJECT", f"you are a member of project {project}; others decide this")
    before = tuple(others)
    if any(other.id == person.id for other in before):
        raise PermissionDenied("SAME_PERSON", "you have decided this already; a second person must decide it too")
    if before and not any(Role.STEWARD in one.roles for one in (*before, person)):
        raise PermissionDenied("NOT_STEWARD", "one of the two must be a steward; let a steward decide this")


def check_publish(person: Person) -> None:
    """Let an operator finish publications that a crash left open."""
    _need_role(person, Role.OPERATOR)


def check_revoke(person: Person) -> None:
    """Let a steward revoke a release."""
    _need_role(person, Role.STEWARD)


def check_read_log(person: Person) -> None:
    """Let auditors read the audit log; to others it would show votes before both are cast."""
    _need_role(person, Role.AUDITOR)


def check_view(person: Person, request: Request) -> None:
    """Let members of its project see a request, and those whose office it is."""
    check_see_project(person, request.project)


def check_see_project(person: Person, project: str) -> None:
    """Let members of a project see what it is, and those whose office it is."""
    if not person.roles & _OFFICES:
        _need_project(person, project)


def check_open_home(person: Person, project: str) -> None:
    """Let members of a project work in their home there."""
    _need_project(person, project)


def check_open_tables(person: Person, project: str) -> None:
    """Let members of the project and output checkers read its tables that were released inside."""
    if Role.OUTPUT_CHECKER not in person.roles:
        _need_project(person, project)


def check_see_tables(person: Person, request: Request, published: bool) -> None:
    """Let checkers and stewards see tables as they will be published, and after the release members of the project.

    Before it, members see them where they know the figures anyhow: who opens the microdata, or who derives results from
    what was released inside.
    """
    if person.roles & {Role.OUTPUT_CHECKER, Role.STEWARD}:
        return
    _need_project(person, request.project)
    if not published and request.stage is Stage.INSIDE:
        check_open_microdata(person, request.project)


def check_download(person: Person, stage: Stage) -> None:
    """Let stewards carry out what was released for outside; what is released inside stays inside."""
    _need_role(person, Role.STEWARD)
    if stage is not Stage.OUTSIDE:
        raise PermissionDenied("STAYS_INSIDE", "this was released for use inside only; it does not leave the building")


def _pair(check: Callable[Concatenate[Person, P], None]) -> Callable[Concatenate[Person, P], bool]:
    def may(person: Person, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            check(person, *args, **kwargs)
        except PermissionDenied:
            return False
        return True

    may.__doc__ = f"Say whether the person may: {check.__doc__}"
    return may


may_open_microdata = _pair(check_open_microdata)
may_take_in = _pair(check_take_in)
may_bring_in = _pair(check_bring_in)
may_enrol = _pair(check_enrol)
may_derive = _pair(check_derive)
may_request = _pair(check_request)
may_submit = _pair(check_submit)
may_withdraw = _pair(check_withdraw)
may_return = _pair(check_return)
may_vote = _pair(check_vote)
may_release = _pair(check_release)
may_see_state = _pair(check_see_state)
may_extend = _pair(check_extend)
may_destroy = _pair(check_destroy)
may_publish = _pair(check_publish)
may_revoke = _pair(check_revoke)
may_read_log = _pair(check_read_log)
may_view = _pair(check_view)
may_see_project = _pair(check_see_project)
may_open_home = _pair(check_open_home)
may_open_tables = _pair(check_open_tables)
may_see_tables = _pair(check_see_tables)
may_download = _pair(check_download)
