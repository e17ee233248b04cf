"""The gateway's front door, on the real book."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from enclave.errors import PermissionDenied, RequestError
from enclave.gateway.canonical import NO_HEAD
from enclave.gateway.permissions import Person, Role
from enclave.gateway.request import RequestState, Stage
from enclave.gateway.review import Decision
from tests.lib.gateway_house import PROJECT, House, binding_of, new_house, table_package


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    yield built
    built.close()


def last_entry(house: House) -> str:
    with house.book.connection(reading=True) as connection:
        return [data.decode() for data, _ in house.book.audit.lines(connection)][-1]


def test_two_approvals_approve(house: House) -> None:
    request = house.prepared()
    assert house.gateway.vote(request.id, "kim", Decision.APPROVE).state is RequestState.PARTIALLY_REVIEWED
    assert house.gateway.vote(request.id, "lou", Decision.APPROVE).state is RequestState.APPROVED


def test_two_rejections_reject(house: House) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.REJECT, "no context")
    assert house.gateway.vote(request.id, "lou", Decision.REJECT, "no purpose").state is RequestState.REJECTED


def test_when_votes_differ_the_request_goes_back_and_comes_again(house: House) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    assert house.gateway.vote(request.id, "lou", Decision.CHANGES, "explain").state is RequestState.REVIEWED
    assert house.gateway.return_(request.id, "kim", "lou is right").state is RequestState.RETURNED
    again = house.gateway.submit(request.id, "ann")
    assert (again.state, again.turn) == (RequestState.SUBMITTED, 2)
    house.gateway.vote(request.id, "lou", Decision.APPROVE)
    assert house.gateway.vote(request.id, "max", Decision.APPROVE).state is RequestState.APPROVED
    seen = house.gateway.status(request.id, "ann")
    assert [remark.text for remark in seen.remarks] == ["lou is right"]
    assert len(seen.votes) == 4


def test_a_first_vote_that_fell_away_does_not_approve(house: House) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    kim = house.register.person("kim")
    house.register.enrol([replace(kim, conflicts=frozenset({PROJECT}))], "stef")
    assert house.gateway.vote(request.id, "lou", Decision.APPROVE).state is RequestState.REVIEWED
    assert house.gateway.return_(request.id, "lou", "kim's vote fell away").state is RequestState.RETURNED


def test_a_return_without_comment_changes_nothing(house: House) -> None:
    request = house.prepared()
    with pytest.raises(RequestError, match="COMMENT_NEEDED"):
        house.gateway.return_(request.id, "kim", " ")
    assert house.gateway.status(request.id, "kim").state is RequestState.SUBMITTED


def test_first_votes_are_blind(house: House) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    assert house.gateway.status(request.id, "lou").votes == ()
    assert len(house.gateway.status(request.id, "kim").votes) == 1
    house.gateway.vote(request.id, "lou", Decision.APPROVE)
    assert len(house.gateway.status(request.id, "ann").votes) == 2


def test_a_vote_remembers_the_history_it_saw(house: House) -> None:
    first, second = house.prepared(), house.prepared()
    house.gateway.vote(second.id, "kim", Decision.APPROVE)
    for account in ("kim", "lou"):
        house.gateway.vote(first.id, account, Decision.APPROVE)
    house.gateway.release(first.id, "otto")
    house.gateway.vote(second.id, "lou", Decision.APPROVE)
    seen = [vote.head_seen for vote in house.gateway.status(second.id, "kim").votes]
    assert seen == [NO_HEAD, house.gateway.history_head()]
    assert house.gateway.history_head() != NO_HEAD


def test_withdraw_expire_revoke(house: House) -> None:
    withdrawn = house.prepared()
    house.gateway.return_(withdrawn.id, "kim", "why")
    assert house.gateway.withdraw(withdrawn.id, "ann").state is RequestState.WITHDRAWN
    lying = house.prepared()
    house.gateway.return_(lying.id, "kim", "why")
    assert house.gateway.expire(lying.id).state is RequestState.EXPIRED
    released = house.approved()
    house.gateway.release(released.id, "otto")
    head = house.gateway.history_head()
    with pytest.raises(PermissionDenied, match="NOT_STEWARD"):
        house.gateway.revoke(released.id, "otto", "wrong")
    assert house.gateway.revoke(released.id, "stef", "wrong").state is RequestState.REVOKED
    assert house.gateway.history_head() == head, "what is public stays in the history"
    assert house.fsck() == []


def test_an_approved_request_cannot_be_edited(house: House) -> None:
    request = house.approved()
    other = binding_of(house.packages.seal(table_package({"a": 99})))
    with pytest.raises(RequestError, match="BAD_TRANSITION"):
        house.gateway.submit(request.id, "ann", other)


@pytest.mark.parametrize(
    ("operation", "account", "code"),
    [
        ("submit", "bob", "NOT_AUTHOR"),
        ("submit", "zoe", "NOT_AUTHOR"),
        ("withdraw", "bob", "NOT_AUTHOR"),
        ("withdraw", "stef", "NOT_AUTHOR"),
        ("return", "ann", "NOT_OUTPUT_CHECKER"),
        ("return", "mia", "CHECKER_ON_PROJECT"),
        ("return", "nora", "CONFLICT_DECLARED"),
        ("return", "olaf", "TRAINING_EXPIRED"),
        ("status", "zoe", "NOT_ON_PROJECT"),
        ("release", "kim", "NOT_OPERATOR"),
        ("revoke", "otto", "NOT_STEWARD"),
    ],
)
def test_every_operation_asks_who_does_it(house: House, operation: str, account: str, code: str) -> None:
    house.register.enrol(
        [Person("zoe", frozenset({"zoe"}), frozenset({Role.ANALYST}), frozenset({"project-b"}))], "stef"
    )
    request = house.prepared()
    operations: dict[str, Callable[[], object]] = {
        "submit": lambda: house.gateway.submit(request.id, account),
        "withdraw": lambda: house.gateway.withdraw(request.id, account),
        "return": lambda: house.gateway.return_(request.id, account, "a comment"),
        "status": lambda: house.gateway.status(request.id, account),
        "release": lambda: house.gateway.release(request.id, account),
        "revoke": lambda: house.gateway.revoke(request.id, account, "a comment"),
    }
    with pytest.raises(PermissionDenied, match=code):
        operations[operation]()
    assert house.gateway.status(request.id, "ann").request == request


def test_others_do_not_see_the_request_in_their_list(house: House) -> None:
    house.register.enrol(
        [Person("zoe", frozenset({"zoe"}), frozenset({Role.ANALYST}), frozenset({"project-b"}))], "stef"
    )
    house.prepared()
    assert house.gateway.requests("zoe") == ()
    assert len(house.gateway.requests("bob")) == 1


def test_a_new_binding_voids_the_vote_on_the_old_one(house: House) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    house.gateway.return_(request.id, "lou", "one table more")
    other = binding_of(house.packages.seal(table_package({"a": 99})))
    assert house.gateway.submit(request.id, "ann", other).binding == other
    assert house.gateway.vote(request.id, "lou", Decision.APPROVE).state is RequestState.PARTIALLY_REVIEWED


def test_stage_one_is_made_by_staff_and_stage_two_by_analysts(house: House) -> None:
    binding = binding_of(house.packages.seal(table_package({"a": 10})))
    about = {"project": PROJECT, "population": "c", "title": "t", "purpose": "p"}
    assert house.gateway.create("cora", stage=Stage.INSIDE, binding=binding, **about).author == "cora"
    with pytest.raises(PermissionDenied, match="NOT_CBSS_STAFF"):
        house.gateway.create("ann", stage=Stage.INSIDE, binding=binding, **about)
    with pytest.raises(PermissionDenied, match="NOT_ANALYST"):
        house.gateway.create("cora", stage=Stage.OUTSIDE, binding=binding, **about)


def test_every_refusal_is_logged(house: House) -> None:
    request = house.prepared()
    with pytest.raises(PermissionDenied, match="NOT_OUTPUT_CHECKER"):
        house.gateway.vote(request.id, "ann", Decision.APPROVE)
    assert '"action":"refused","actor":"ann"' in last_entry(house)
    assert '{"account":"ann","code":"NOT_OUTPUT_CHECKER","operation":"vote"}' in last_entry(house)
    with pytest.raises(PermissionDenied, match="UNKNOWN_ACCOUNT"):
        house.gateway.vote(request.id, "mallory", Decision.APPROVE)
    assert '"actor":"system"' in last_entry(house)
    assert '"account":"mallory"' in last_entry(house)


@pytest.mark.parametrize("name", ["", "../../etc", "x" * 500, 'a"b', "Kim\n"])
def test_odd_names_are_refused_and_logged_without_them(house: House, name: str) -> None:
    with pytest.raises(PermissionDenied, match="UNKNOWN_ACCOUNT"):
        house.gateway.withdraw("r1", name)
    assert '"account"' not in last_entry(house)
    with pytest.raises(RequestError, match="UNKNOWN_REQUEST"):
        house.gateway.withdraw(name, "ann")
    assert '"subject":"unknown"' in last_entry(house)


def test_requests_are_listed_for_those_who_may_see_them(house: House) -> None:
    first, second = house.prepared(), house.approved()
    assert [request.id for request in house.gateway.requests("kim")] == [first.id, second.id]
    assert [request.id for request in house.gateway.requests("ann", RequestState.APPROVED)] == [second.id]
    with pytest.raises(PermissionDenied, match="UNKNOWN_ACCOUNT"):
        house.gateway.requests("mallory")
