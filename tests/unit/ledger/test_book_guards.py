"""What the store refuses by itself, to whoever writes raw SQL."""

import sqlite3
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from enclave.gateway.request import TRANSITIONS, Request, RequestState
from enclave.gateway.review import Decision
from enclave.ledger.book import FILE
from enclave.ledger.triggers import GUARDS, trigger_statements
from tests.lib.gateway_house import House, new_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    yield built
    built.close()


@pytest.fixture
def raw(house: House) -> Iterator[sqlite3.Connection]:
    """Return a connection of somebody who goes round the gateway and sets no pragma at all."""
    connection = sqlite3.connect(house.root / FILE, isolation_level=None)
    yield connection
    connection.close()


def forge_log(raw: sqlite3.Connection, action: str, actor: str, subject: str, **details: object) -> int:
    """Append a log entry as the guards of the chain ask for; its signature is of course wrong."""
    seq, previous = raw.execute("SELECT seq + 1, head FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    shown = ", ".join(f"'{key}', ?" for key in details)
    raw.execute(
        f"INSERT INTO log SELECT ?, json_object('seq', ?, 'previous', ?, 'action', ?, 'actor', ?, 'subject', ?, "
        f"'details', json_object({shown})), hex(randomblob(32)), ''",
        (seq, seq, previous, action, actor, subject, *details.values()),
    )
    return int(seq)


def force(raw: sqlite3.Connection, request: Request, state: RequestState) -> None:
    """Put the request into a state, which only works with the guards of requests away."""
    raw.execute("DROP TRIGGER requests_update")
    raw.execute("UPDATE requests SET state = ? WHERE id = ?", (state.value, request.id))
    raw.execute(next(sql for sql in trigger_statements() if "TRIGGER requests_update" in sql))


def refused(raw: sqlite3.Connection, statement: str, values: tuple[object, ...] = ()) -> str:
    """Return the code with which the store refuses the statement, however it is spelled."""
    codes = set()
    for spelling in ("", " OR REPLACE", " OR IGNORE", " OR FAIL"):
        spelled = statement.replace("INSERT", f"INSERT{spelling}").replace("UPDATE", f"UPDATE{spelling}")
        with pytest.raises(sqlite3.IntegrityError) as refusal:
            raw.execute(spelled, values)
        codes.add(str(refusal.value).split(":", maxsplit=1)[0])
    assert len(codes) == 1
    return codes.pop()


VOTE = (
    "INSERT INTO votes (request, turn, person, decision, comment, binding, head_seen, at, logged) "
    "VALUES (?, ?, ?, 'approve', '', ?, '', '2026-11-23T10:00:00.000Z', ?)"
)


def vote_by(raw: sqlite3.Connection, request: Request, person: str) -> str:
    seq = forge_log(raw, "voted", person, request.id, decision="approve")
    return refused(raw, VOTE, (request.id, request.turn, person, request.binding.digest, seq))


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ("ann", "VOTE_BY_AUTHOR"),
        ("bob", "VOTE_BY_MEMBER"),
        ("mia", "VOTE_BY_MEMBER"),
        ("nora", "VOTE_BY_MEMBER"),
        ("olaf", "VOTE_BY_UNTRAINED"),
        ("otto", "VOTE_BY_UNTRAINED"),
        ("nobody", "VOTE_BY_UNTRAINED"),
    ],
)
def test_vote_by_the_wrong_person(house: House, raw: sqlite3.Connection, person: str, code: str) -> None:
    assert vote_by(raw, house.prepared(), person) == code


def test_vote_by_one_person_twice(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    assert vote_by(raw, request, "kim") == "VOTE_TWICE"


def test_vote_in_another_turn_on_another_binding_or_out_of_review(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    seq = forge_log(raw, "voted", "kim", request.id, decision="approve")
    assert refused(raw, VOTE, (request.id, 2, "kim", request.binding.digest, seq)) == "VOTE_STALE"
    assert refused(raw, VOTE, (request.id, 1, "kim", "0" * 64, seq)) == "VOTE_STALE"
    assert refused(raw, VOTE, ("no-such", 1, "kim", "0" * 64, seq)).startswith("VOTE_")
    assert vote_by(raw, house.approved(), "max") == "VOTE_STALE"


def test_vote_without_its_log_entry(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    seq = forge_log(raw, "voted", "lou", request.id, decision="approve")
    assert refused(raw, VOTE, (request.id, 1, "kim", request.binding.digest, seq)) == "VOTE_UNLOGGED"


@pytest.mark.parametrize("table", ["log", "votes", "remarks", "history", "requests", "intents", "persons"])
def test_nothing_is_ever_deleted(house: House, raw: sqlite3.Connection, table: str) -> None:
    house.gateway.return_(house.prepared().id, "kim", "why")
    house.gateway.release(house.approved().id, "otto")
    assert refused(raw, f"DELETE FROM {table}") == f"{table.upper()}_DELETED"


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("log", "entry = '{}'"),
        ("log", "signature = ''"),
        ("votes", "decision = 'reject', comment = 'x'"),
        ("votes", "person = 'max'"),
        ("history", "binding = ''"),
        ("remarks", "text = 'other'"),
    ],
)
def test_what_happened_stands(house: House, raw: sqlite3.Connection, table: str, change: str) -> None:
    house.gateway.return_(house.prepared().id, "kim", "why")
    house.gateway.release(house.approved().id, "otto")
    assert refused(raw, f"UPDATE {table} SET {change}") == f"{table.upper()}_CHANGED"


@pytest.mark.parametrize(
    ("column", "value"),
    [("release", "'x'"), ("package", "'x'"), ("manifest", "x'00'"), ("signature", "x'00'"), ("created", "'x'")],
)
def test_an_intent_never_changes(house: House, raw: sqlite3.Connection, column: str, value: str) -> None:
    house.gateway.release(house.approved().id, "otto")
    assert refused(raw, f"UPDATE intents SET {column} = {value}") == "INTENT_FIXED"


def test_an_intent_is_finished_once(house: House, raw: sqlite3.Connection) -> None:
    house.gateway.release(house.approved().id, "otto")
    assert refused(raw, "UPDATE intents SET done = NULL") == "INTENT_DONE"
    assert refused(raw, "UPDATE intents SET done = 1") == "INTENT_DONE"


def expected(state: RequestState, target: RequestState) -> str | None:
    """Return the code with which a logged but unfounded change is refused; None where it is a step like others."""
    if target not in TRANSITIONS[state].values():
        return "REQUEST_TRANSITION"
    decided = target in (RequestState.APPROVED, RequestState.RELEASED, RequestState.PARTLY_RELEASED)
    return "APPROVALS_MISSING" if decided else None


def test_every_state_change(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    change = "UPDATE requests SET state = ?, turn = turn + ?, logged = ? WHERE id = ?"
    for state, target in permutations(RequestState, 2):
        again = target is RequestState.SUBMITTED
        raw.execute("BEGIN")
        force(raw, request, state)
        seq = forge_log(raw, "x", "x", request.id, state=target.value, turn=request.turn + again)
        values = (target.value, int(again), seq, request.id)
        code = expected(state, target)
        if code is None:
            assert raw.execute(change, values).rowcount == 1
        else:
            assert refused(raw, change, values) == code
        raw.execute("ROLLBACK")


def test_a_state_change_needs_its_own_log_entry(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    change = "UPDATE requests SET state = 'returned', logged = ? WHERE id = ?"
    logged = raw.execute("SELECT logged FROM requests").fetchone()[0]
    other = forge_log(raw, "request_returned", "kim", "another", state="returned", turn=1)
    wrong = forge_log(raw, "request_returned", "kim", request.id, state="rejected", turn=1)
    for seq in (logged, other, wrong, 10_000):
        assert refused(raw, change, (seq, request.id)) == "STATE_UNLOGGED"
    assert refused(raw, "UPDATE requests SET state = 'returned'") == "STATE_UNLOGGED"


def approve_in_raw(raw: sqlite3.Connection, request: Request) -> str:
    seq = forge_log(raw, "x", "x", request.id, state="approved", turn=request.turn)
    return refused(raw, "UPDATE requests SET state = 'approved', logged = ? WHERE id = ?", (seq, request.id))


def test_approval_needs_two_current_approvals(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    force(raw, request, RequestState.REVIEWED)
    assert approve_in_raw(raw, request) == "APPROVALS_MISSING"


def test_approval_is_refused_while_one_objects(house: House, raw: sqlite3.Connection) -> None:
    request = house.approved()
    force(raw, request, RequestState.SUBMITTED)
    house.gateway.vote(request.id, "max", Decision.CHANGES, "no")
    force(raw, request, RequestState.REVIEWED)
    assert approve_in_raw(raw, request) == "APPROVAL_DISPUTED"


def release_in_raw(raw: sqlite3.Connection, request: Request) -> str:
    seq = forge_log(raw, "x", "x", request.id, state="released", turn=request.turn)
    return refused(raw, "UPDATE requests SET state = 'released', logged = ? WHERE id = ?", (seq, request.id))


def test_release_needs_an_intent_and_history(house: House, raw: sqlite3.Connection) -> None:
    assert release_in_raw(raw, house.approved()) == "RELEASE_WITHOUT_INTENT"


def test_release_needs_approvals_that_still_stand(house: House, raw: sqlite3.Connection) -> None:
    request = house.approved()
    raw.execute("INSERT INTO conflicts VALUES ('kim', 'project-a')")
    assert release_in_raw(raw, request) == "APPROVALS_MISSING"


INTENT = (
    "INSERT INTO intents (release, request, turn, stage, package, created, manifest, signature) "
    "VALUES (?, ?, ?, 'outside', ?, '', x'00', x'00')"
)


def test_intent_only_for_what_is_approved_now(house: House, raw: sqlite3.Connection) -> None:
    waiting, approved = house.prepared(), house.approved()
    package = approved.binding.tables
    assert refused(raw, INTENT, ("x", waiting.id, 1, package)) == "INTENT_UNAPPROVED"
    assert refused(raw, INTENT, ("x", approved.id, 2, package)) == "INTENT_UNAPPROVED"
    assert refused(raw, INTENT, ("x", approved.id, 1, "0" * 64)) == "INTENT_UNAPPROVED"
    raw.execute(INTENT, ("x", approved.id, 1, package))
    assert refused(raw, INTENT, ("y", approved.id, 1, package)) == "INTENT_TWICE"


@pytest.mark.parametrize("column", ["project", "stage", "author", "population", "title", "purpose", "id"])
def test_what_a_request_is_about_never_changes(house: House, raw: sqlite3.Connection, column: str) -> None:
    house.prepared()
    assert refused(raw, f"UPDATE requests SET {column} = 'x'") == "REQUEST_FIXED"


@pytest.mark.parametrize("column", ["tables", "pattern", "policy", "snapshot", "binding"])
def test_the_binding_is_fixed_once_submitted(house: House, raw: sqlite3.Connection, column: str) -> None:
    house.approved()
    assert refused(raw, f"UPDATE requests SET {column} = 'x'") == "REQUEST_BINDING"


def test_a_turn_begins_only_with_a_submission(house: House, raw: sqlite3.Connection) -> None:
    house.approved()
    assert refused(raw, "UPDATE requests SET turn = turn + 1") == "REQUEST_TURN"


def test_the_log_goes_on_at_its_end_only(house: House, raw: sqlite3.Connection) -> None:
    seq, head = raw.execute("SELECT seq, head FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    for number, previous in ((seq, head), (seq + 2, head), (seq + 1, "0" * 64), (1, "0" * 64)):
        entry = f'{{"seq":{number},"previous":"{previous}"}}'
        assert refused(raw, "INSERT INTO log VALUES (?, ?, 'x', '')", (number, entry)) == "LOG_CHAIN"


def test_history_goes_on_at_its_end_only_and_with_an_intent(house: House, raw: sqlite3.Connection) -> None:
    house.gateway.release(house.approved().id, "otto")
    columns = "request, project, stage, population, binding, package, at"
    row = f"INSERT INTO history SELECT ?, ?, {columns}, ?, 'x' FROM history"
    head = house.gateway.history_head()
    assert refused(raw, row, (1, "x", head)) == "HISTORY_CHAIN"
    assert refused(raw, row, (3, "x", head)) == "HISTORY_CHAIN"
    assert refused(raw, row, (2, "x", "0" * 64)) == "HISTORY_CHAIN"
    assert refused(raw, row, (2, "x", head)) == "HISTORY_WITHOUT_INTENT"


def test_a_request_begins_pending_logged_and_once(house: House, raw: sqlite3.Connection) -> None:
    request = house.prepared()
    columns = "project, stage, author, population, title, purpose, tables, pattern, policy, snapshot, binding"
    row = f"INSERT INTO requests (id, {columns}, state, turn, logged) SELECT ?, {columns}, ?, ?, ? FROM requests"
    seq = forge_log(raw, "request_created", "ann", "r9", state="pending", author="ann")
    assert refused(raw, row, (request.id, "pending", 0, seq)) == "REQUEST_TWICE"
    assert refused(raw, row, ("r9", "approved", 0, seq)) == "REQUEST_BEGINS"
    assert refused(raw, row, ("r9", "pending", 1, seq)) == "REQUEST_BEGINS"
    assert refused(raw, row, ("r8", "pending", 0, seq)) == "REQUEST_UNLOGGED"
    raw.execute(row, ("r9", "pending", 0, seq))


def test_remarks_are_not_replaced(house: House, raw: sqlite3.Connection) -> None:
    house.gateway.return_(house.prepared().id, "kim", "why")
    row = "INSERT INTO remarks SELECT number, request, turn, person, 'other', at FROM remarks"
    assert refused(raw, row) == "REMARK_TWICE"


def test_every_guard_is_named_once() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
