"""What the database itself refuses, whoever writes: each guard aborts the statement in a trigger.

The rules repeat those of the gateway on purpose: here they hold for raw SQL too. State changes are generated from the
gateway's transition table. A guard's message begins with its code.
"""

# ruff: noqa: S608  these statements are made of our own names; nothing is ever pasted into them

from dataclasses import dataclass

from enclave.gateway.canonical import NO_HEAD
from enclave.gateway.log_entry import LogAction
from enclave.gateway.permissions import Role
from enclave.gateway.request import TRANSITIONS, RequestState
from enclave.gateway.review import VOTES_NEEDED, Decision


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuse `event` ON a table WHEN the condition holds; NULL counts as holding, so that nothing slips through."""

    name: str
    event: str
    table: str
    when: str
    message: str

    @property
    def sql(self) -> str:
        """The statement inside the trigger."""
        return f"SELECT RAISE(ABORT, '{self.name.upper()}: {self.message}') WHERE coalesce({self.when}, 1);"


_STEPS = ", ".join(f"'{state}>{target}'" for state, steps in TRANSITIONS.items() for target in steps.values())
_CHANGED = "NEW.state <> OLD.state"
_OUT = f"NEW.state IN ('{RequestState.RELEASED}', '{RequestState.PARTLY_RELEASED}')"
_ENTERS_REVIEW = f"({_CHANGED} AND NEW.state = '{RequestState.SUBMITTED}')"
_BINDING = ("tables", "pattern", "policy", "snapshot", "binding")
_FIXED = ("number", "id", "project", "stage", "author", "population", "title", "purpose")
_INTENT_FIXED = ("number", "release", "request", "turn", "stage", "package", "created", "manifest", "signature")


def _differs(columns: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns) + ")"


def _same_request(vote: str, request: str) -> str:
    return f"{vote}.request = {request}.id AND {vote}.turn = {request}.turn AND {vote}.binding = {request}.binding"


def _on_project(person: str, project: str) -> str:
    return (
        f"(EXISTS (SELECT 1 FROM memberships m WHERE m.person = {person} AND m.project = {project}) "
        f"OR EXISTS (SELECT 1 FROM conflicts c WHERE c.person = {person} AND c.project = {project}))"
    )


def _logged(seq: str, **facts: str) -> str:
    """Return a condition: the log holds entry `seq`, and it says this."""
    said = " AND ".join(f"json_extract(l.entry, '$.{path.replace('__', '.')}') = {is_}" for path, is_ in facts.items())
    return f"EXISTS (SELECT 1 FROM log l WHERE l.seq = {seq} AND {said})"


_APPROVALS = (
    f"(SELECT count(DISTINCT v.person) FROM votes v WHERE {_same_request('v', 'NEW')} "
    f"AND v.decision = '{Decision.APPROVE}' AND v.person <> NEW.author "
    f"AND NOT {_on_project('v.person', 'NEW.project')})"
)
_OBJECTION = f"EXISTS (SELECT 1 FROM votes v WHERE {_same_request('v', 'NEW')} AND v.decision <> '{Decision.APPROVE}')"
_REQUEST = "(SELECT {} FROM requests r WHERE r.id = NEW.request)"


_REQUESTS = (
    Guard(
        "request_twice",
        "INSERT",
        "requests",
        "EXISTS (SELECT 1 FROM requests WHERE id = NEW.id OR number = NEW.number OR logged = NEW.logged)",
        "a request is stored once",
    ),
    Guard(
        "request_begins",
        "INSERT",
        "requests",
        f"NEW.state <> '{RequestState.PENDING}' OR NEW.turn <> 0",
        "a request begins pending",
    ),
    Guard(
        "request_unlogged",
        "INSERT",
        "requests",
        f"NOT {_logged('NEW.logged', subject='NEW.id', details__state='NEW.state', details__author='NEW.author')}",
        "write the log entry first",
    ),
    Guard("request_fixed", "UPDATE", "requests", _differs(_FIXED), "what a request is about never changes"),
    Guard(
        "request_transition",
        "UPDATE",
        "requests",
        f"{_CHANGED} AND (OLD.state || '>' || NEW.state) NOT IN ({_STEPS})",
        "there is no such step",
    ),
    Guard("request_turn", "UPDATE", "requests", f"NEW.turn <> OLD.turn + {_ENTERS_REVIEW}", "a submission is a turn"),
    Guard(
        "request_binding",
        "UPDATE",
        "requests",
        f"{_differs(_BINDING)} AND NOT {_ENTERS_REVIEW}",
        "a change has to be submitted and approved anew",
    ),
    Guard(
        "state_unlogged",
        "UPDATE",
        "requests",
        f"({_CHANGED} OR {_differs(('logged',))}) AND NOT (NEW.logged > OLD.logged AND "
        f"{_logged('NEW.logged', subject='NEW.id', details__state='NEW.state', details__turn='NEW.turn')})",
        "write the log entry first",
    ),
    Guard(
        "approvals_missing",
        "UPDATE",
        "requests",
        f"{_CHANGED} AND ({_OUT} OR NEW.state = '{RequestState.APPROVED}') AND {_APPROVALS} < {VOTES_NEEDED}",
        "two distinct persons must approve what is requested now",
    ),
    Guard(
        "approval_disputed",
        "UPDATE",
        "requests",
        f"{_CHANGED} AND ({_OUT} OR NEW.state = '{RequestState.APPROVED}') AND {_OBJECTION}",
        "a current vote objects",
    ),
    Guard(
        "release_without_intent",
        "UPDATE",
        "requests",
        f"{_CHANGED} AND {_OUT} AND NOT EXISTS (SELECT 1 FROM intents i JOIN history h ON h.release = i.release "
        "WHERE i.request = NEW.id AND i.turn = NEW.turn AND h.request = NEW.id AND h.binding = NEW.binding)",
        "write intent and history first",
    ),
)

_VOTES = (
    Guard(
        "vote_twice",
        "INSERT",
        "votes",
        "EXISTS (SELECT 1 FROM votes WHERE request = NEW.request AND turn = NEW.turn AND person = NEW.person) "
        "OR EXISTS (SELECT 1 FROM votes WHERE number = NEW.number OR logged = NEW.logged)",
        "one person has one vote in a turn",
    ),
    Guard("vote_by_author", "INSERT", "votes", f"NEW.person = {_REQUEST.format('r.author')}", "others must check"),
    Guard(
        "vote_by_member",
        "INSERT",
        "votes",
        _on_project("NEW.person", _REQUEST.format("r.project")),
        "members of the project and persons with a declared conflict do not vote",
    ),
    Guard(
        "vote_by_untrained",
        "INSERT",
        "votes",
        f"NOT EXISTS (SELECT 1 FROM roles WHERE person = NEW.person AND role = '{Role.OUTPUT_CHECKER}') OR "
        "NOT EXISTS (SELECT 1 FROM persons WHERE id = NEW.person AND trained_until >= substr(NEW.at, 1, 10))",
        "an output checker with valid training must vote",
    ),
    Guard(
        "vote_stale",
        "INSERT",
        "votes",
        f"NEW.turn <> {_REQUEST.format('r.turn')} OR NEW.binding <> {_REQUEST.format('r.binding')} OR "
        f"{_REQUEST.format('r.state')} NOT IN ('{RequestState.SUBMITTED}', '{RequestState.PARTIALLY_REVIEWED}')",
        "the vote is not on what is in review now",
    ),
    Guard(
        "vote_unlogged",
        "INSERT",
        "votes",
        "NOT "
        + _logged(
            "NEW.logged",
            subject="NEW.request",
            actor="NEW.person",
            action=f"'{LogAction.VOTED}'",
            details__decision="NEW.decision",
        ),
        "write the log entry first",
    ),
)

_RELEASES = (
    Guard("remark_twice", "INSERT", "remarks", "EXISTS (SELECT 1 FROM remarks WHERE number = NEW.number)", "it stands"),
    Guard(
        "intent_twice",
        "INSERT",
        "intents",
        "EXISTS (SELECT 1 FROM intents WHERE release = NEW.release OR number = NEW.number "
        "OR (request = NEW.request AND turn = NEW.turn))",
        "a turn of a request is released once",
    ),
    Guard(
        "intent_unapproved",
        "INSERT",
        "intents",
        f"{_REQUEST.format('r.state')} <> '{RequestState.APPROVED}' OR NEW.turn <> {_REQUEST.format('r.turn')} "
        f"OR NEW.package <> {_REQUEST.format('r.tables')} OR NEW.stage <> {_REQUEST.format('r.stage')} "
        "OR NEW.done IS NOT NULL",
        "only what is approved now is released",
    ),
    Guard("intent_fixed", "UPDATE", "intents", _differs(_INTENT_FIXED), "an intent never changes"),
    Guard(
        "intent_done",
        "UPDATE",
        "intents",
        f"OLD.done IS NOT NULL OR NOT "
        f"{_logged('NEW.done', subject='NEW.release', action=f'{chr(39)}{LogAction.PUBLISHED}{chr(39)}')}",
        "an intent is finished once, with its log entry",
    ),
    Guard(
        "history_chain",
        "INSERT",
        "history",
        "NEW.seq <> coalesce((SELECT max(seq) FROM history), 0) + 1 OR "
        f"NEW.previous <> coalesce((SELECT head FROM history ORDER BY seq DESC LIMIT 1), '{NO_HEAD}') "
        "OR EXISTS (SELECT 1 FROM history WHERE release = NEW.release OR head = NEW.head)",
        "history goes on at its end only",
    ),
    Guard(
        "history_without_intent",
        "INSERT",
        "history",
        "NOT EXISTS (SELECT 1 FROM intents i WHERE i.release = NEW.release AND i.request = NEW.request "
        "AND i.package = NEW.package)",
        "write the intent first",
    ),
    Guard(
        "log_chain",
        "INSERT",
        "log",
        "NEW.seq <> coalesce((SELECT max(seq) FROM log), 0) + 1 OR json_extract(NEW.entry, '$.seq') <> NEW.seq OR "
        f"json_extract(NEW.entry, '$.previous') <> "
        f"coalesce((SELECT head FROM log ORDER BY seq DESC LIMIT 1), '{NO_HEAD}') "
        "OR EXISTS (SELECT 1 FROM log WHERE head = NEW.head)",
        "the log goes on at its end only",
    ),
)

_KEPT = ("log", "history", "votes", "remarks")
_NEVER = tuple(Guard(f"{table}_changed", "UPDATE", table, "1", "it stands for ever") for table in _KEPT) + tuple(
    Guard(f"{table}_deleted", "DELETE", table, "1", "nothing is ever deleted")
    for table in (*_KEPT, "requests", "intents", "persons")
)

GUARDS: tuple[Guard, ...] = (*_REQUESTS, *_VOTES, *_RELEASES, *_NEVER)
"""Every guard of the book, in the order in which they are asked."""


def trigger_statements() -> tuple[str, ...]:
    """Return one CREATE TRIGGER for each table and event: only inside one trigger is the order of guards ours."""
    bodies: dict[tuple[str, str], list[str]] = {}
    for guard in GUARDS:
        bodies.setdefault((guard.table, guard.event), []).append(guard.sql)
    return tuple(
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} BEGIN {' '.join(body)} END"
        for (table, event), body in bodies.items()
    )
