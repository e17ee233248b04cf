"""Votes that must not count: by the author, by the author's project, twice by one person. Core and store refuse."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.errors import EnclaveBug, PermissionDenied, RequestError
from enclave.gateway.canonical import NO_HEAD
from enclave.gateway.log_entry import Details, LogAction, LogDraft
from enclave.gateway.permissions import Person, Role
from enclave.gateway.request import Action, Request, RequestState
from enclave.gateway.review import Decision, Vote
from enclave.ledger.book import FILE
from tests.lib.gateway_house import PROJECT, TRAINED, House, binding_of, new_house, table_package


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    yield built
    built.close()


def vote_past_the_core(house: House, request: Request, person: str) -> None:
    """Write a vote, with its log entry, as a core without rules would."""
    binding = request.binding.digest
    vote = Vote(request.id, request.turn, person, Decision.APPROVE, "", binding, NO_HEAD, house.clock())
    moved = request.step(Action.VOTE)
    details: Details = {"decision": "approve", "turn": moved.turn, "state": moved.state.value}
    with house.book.transaction() as tx:
        tx.add_vote(vote, moved, LogDraft(person, LogAction.VOTED, request.id, details))


@pytest.mark.parametrize(
    ("account", "person", "core", "store"),
    [
        ("ana", "ana", "SAME_PERSON", "VOTE_BY_AUTHOR"),
        ("ana.checks", "ana", "SAME_PERSON", "VOTE_BY_AUTHOR"),
        ("mia", "mia", "CHECKER_ON_PROJECT", "VOTE_BY_MEMBER"),
        ("nora", "nora", "CONFLICT_DECLARED", "VOTE_BY_MEMBER"),
        ("olaf", "olaf", "TRAINING_EXPIRED", "VOTE_BY_UNTRAINED"),
        ("bob", "bob", "NOT_OUTPUT_CHECKER", "VOTE_BY_MEMBER"),
    ],
    ids=["author", "author by another account", "member", "declared conflict", "untrained", "analyst"],
)
def test_vote_by_the_wrong_person(house: House, account: str, person: str, core: str, store: str) -> None:
    request = house.prepared(account="ana")
    with pytest.raises(PermissionDenied, match=core):
        house.gateway.vote(request.id, account, Decision.APPROVE)
    with pytest.raises(EnclaveBug, match=f"STORE_REFUSED.*{store}"):
        vote_past_the_core(house, request, person)
    assert house.gateway.status(request.id, "kim").votes == ()
    assert house.fsck() == []


@pytest.mark.parametrize("account", ["kim", "kim.home"])
def test_double_vote_under_one_or_two_accounts(house: House, account: str) -> None:
    request = house.prepared()
    once = house.gateway.vote(request.id, "kim", Decision.APPROVE)
    with pytest.raises(PermissionDenied, match="VOTED_ALREADY"):
        house.gateway.vote(request.id, account, Decision.APPROVE)
    with pytest.raises(EnclaveBug, match=r"STORE_REFUSED.*VOTE_TWICE"):
        vote_past_the_core(house, once, "kim")
    assert house.gateway.status(request.id, "kim").state is RequestState.PARTIALLY_REVIEWED


def test_an_account_cannot_be_lent_to_a_second_person(house: House) -> None:
    twin = Person("twin", frozenset({"kim.home"}), frozenset({Role.OUTPUT_CHECKER}), trained_until=TRAINED)
    with pytest.raises(RequestError, match="ACCOUNT_TAKEN"):
        house.register.enrol([twin], "stef")


def test_approve_one_thing_and_have_another_released(house: House) -> None:
    """After approval nothing about the request can change, neither by the core nor in the store."""
    request = house.approved()
    other = binding_of(house.packages.seal(table_package({"a": 99})))
    with pytest.raises(RequestError, match="BAD_TRANSITION"):
        house.gateway.submit(request.id, "ann", other)
    raw = sqlite3.connect(house.root / FILE)
    with pytest.raises(sqlite3.IntegrityError, match="REQUEST_BINDING"):
        raw.execute("UPDATE requests SET tables = ?, binding = ?", (other.tables, other.digest))
    raw.close()


def test_an_approval_of_another_version_is_not_replayed(house: House) -> None:
    """Kim approved turn 1; the request came back changed; the old approval does not count towards turn 2."""
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    house.gateway.return_(request.id, "lou", "add a total")
    other = binding_of(house.packages.seal(table_package({"a": 99})))
    again = house.gateway.submit(request.id, "ann", other)
    house.gateway.vote(request.id, "lou", Decision.APPROVE)
    with pytest.raises(RequestError, match="BAD_TRANSITION"):
        house.gateway.release(request.id, "otto")
    replayed = Vote(request.id, 2, "kim", Decision.APPROVE, "", request.binding.digest, NO_HEAD, house.clock())
    moved = again.step(Action.VOTE).step(Action.VOTE)
    details: Details = {"decision": "approve", "turn": 2, "state": moved.state.value}
    with pytest.raises(EnclaveBug, match="VOTE_STALE"), house.book.transaction() as tx:
        tx.add_vote(replayed, moved, LogDraft("kim", LogAction.VOTED, request.id, details))


def test_whoever_joins_the_project_after_voting_has_not_voted(house: House) -> None:
    request = house.approved()
    kim = house.register.person("kim")
    joined = Person(kim.id, kim.accounts, kim.roles, frozenset({PROJECT}), trained_until=TRAINED)
    house.register.enrol([joined], "stef")
    assert house.gateway.release(request.id, "otto").release is None
    assert house.gateway.status(request.id, "lou").state is RequestState.SUBMITTED


def test_every_refused_vote_is_in_the_log(house: House) -> None:
    request = house.prepared(account="ana")
    for account in ("ana", "mia", "nora"):
        with pytest.raises(PermissionDenied):
            house.gateway.vote(request.id, account, Decision.APPROVE)
    with house.book.connection(reading=True) as connection:
        entries = [json.loads(data) for data, _ in house.book.audit.lines(connection)]
    refused = [entry["details"]["code"] for entry in entries if entry["action"] == "refused"]
    assert refused == ["SAME_PERSON", "CHECKER_ON_PROJECT", "CONFLICT_DECLARED"]
