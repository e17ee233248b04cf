"""Who may do what: every rule refuses for its own reason, and each pair agrees with itself."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from enclave.errors import PermissionDenied, RequestError
from enclave.gateway import permissions
from enclave.gateway.binding import Binding
from enclave.gateway.canonical import NO_HEAD
from enclave.gateway.permissions import Person, Role
from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Decision, Vote

TODAY = date(2026, 11, 23)
BINDING = Binding("1" * 64, "2" * 64, "3" * 64, "4" * 64)
OUTSIDE = Request("r1", "project-a", Stage.OUTSIDE, "ann", "c", "t", "p", BINDING, RequestState.SUBMITTED, 1)
INSIDE = replace(OUTSIDE, stage=Stage.INSIDE, author="cora")
ON_A = frozenset({"project-a"})
ANN = Person("ann", roles=frozenset({Role.ANALYST}), projects=ON_A)
CORA = Person("cora", roles=frozenset({Role.CBSS_STAFF}), projects=ON_A)
KIM = Person("kim", roles=frozenset({Role.OUTPUT_CHECKER}), trained_until=TODAY)
OTTO = Person("otto", roles=frozenset({Role.OPERATOR}))
STEF = Person("stef", roles=frozenset({Role.STEWARD}))
AUDE = Person("aude", roles=frozenset({Role.AUDITOR}))
NOBODY = Person("no")
VOTE = Vote("r1", 1, "kim", Decision.APPROVE, "", BINDING.digest, NO_HEAD, datetime(2026, 11, 23, tzinfo=UTC))

Case = tuple[str, Person, tuple[object, ...], str | None]

CASES: list[Case] = [
    ("request", CORA, ("project-a", Stage.INSIDE), None),
    ("request", ANN, ("project-a", Stage.INSIDE), "NOT_CBSS_STAFF"),
    ("request", CORA, ("project-b", Stage.INSIDE), "NOT_ON_PROJECT"),
    ("request", ANN, ("project-a", Stage.OUTSIDE), None),
    ("request", CORA, ("project-a", Stage.OUTSIDE), "NOT_ANALYST"),
    ("request", replace(ANN, roles=ANN.roles | CORA.roles), ("project-a", Stage.OUTSIDE), "OPENS_MICRODATA"),
    ("open_microdata", CORA, ("project-a",), None),
    ("open_microdata", ANN, ("project-a",), "NOT_CBSS_STAFF"),
    ("bring_in", STEF, (), None),
    ("bring_in", ANN, (), "NOT_STEWARD"),
    ("enrol", STEF, (), None),
    ("enrol", OTTO, (), None),
    ("enrol", ANN, (), "NOT_STEWARD"),
    ("take_in", CORA, (), None),
    ("take_in", STEF, (), None),
    ("take_in", ANN, (), "NOT_STEWARD"),
    ("derive", ANN, ("project-a",), None),
    ("derive", ANN, ("project-b",), "NOT_ON_PROJECT"),
    ("derive", NOBODY, ("project-a",), "NOT_ANALYST"),
    ("submit", ANN, (OUTSIDE,), None),
    ("submit", CORA, (INSIDE,), None),
    ("submit", replace(ANN, id="bob"), (OUTSIDE,), "NOT_AUTHOR"),
    ("submit", replace(ANN, projects=frozenset()), (OUTSIDE,), "NOT_ON_PROJECT"),
    ("withdraw", ANN, (OUTSIDE,), None),
    ("withdraw", STEF, (OUTSIDE,), "NOT_AUTHOR"),
    ("vote", KIM, (OUTSIDE, (), TODAY), None),
    ("vote", ANN, (OUTSIDE, (), TODAY), "NOT_OUTPUT_CHECKER"),
    ("vote", replace(KIM, id="ann"), (OUTSIDE, (), TODAY), "SAME_PERSON"),
    ("vote", replace(KIM, projects=ON_A), (OUTSIDE, (), TODAY), "CHECKER_ON_PROJECT"),
    ("vote", replace(KIM, conflicts=ON_A), (OUTSIDE, (), TODAY), "CONFLICT_DECLARED"),
    ("vote", KIM, (OUTSIDE, (), date(2026, 11, 24)), "TRAINING_EXPIRED"),
    ("vote", replace(KIM, trained_until=None), (OUTSIDE, (), TODAY), "TRAINING_EXPIRED"),
    ("vote", KIM, (OUTSIDE, (VOTE,), TODAY), "VOTED_ALREADY"),
    ("vote", KIM, (replace(OUTSIDE, turn=2), (VOTE,), TODAY), None),
    ("vote", replace(KIM, id="lou"), (OUTSIDE, (VOTE,), TODAY), None),
    ("return", KIM, (OUTSIDE, TODAY), None),
    ("return", STEF, (OUTSIDE, TODAY), "NOT_OUTPUT_CHECKER"),
    ("release", OTTO, (), None),
    ("release", STEF, (), None),
    ("release", KIM, (), "NOT_OPERATOR"),
    ("see_state", OTTO, (), None),
    ("see_state", STEF, (), None),
    ("see_state", KIM, (), "NOT_OPERATOR"),
    ("extend", STEF, ("project-a",), None),
    ("extend", OTTO, ("project-a",), "NOT_STEWARD"),
    ("extend", replace(STEF, projects=ON_A), ("project-a",), "OWN_PROJECT"),
    ("destroy", OTTO, ("project-a", ()), None),
    ("destroy", STEF, ("project-a", (OTTO,)), None),
    ("destroy", OTTO, ("project-a", (STEF,)), None),
    ("destroy", replace(STEF, id="sue"), ("project-a", (STEF,)), None),
    ("destroy", STEF, ("project-a", (STEF,)), "SAME_PERSON"),
    ("destroy", replace(STEF, accounts=frozenset({"other"})), ("project-a", (STEF,)), "SAME_PERSON"),
    ("destroy", replace(OTTO, id="oda"), ("project-a", (OTTO,)), "NOT_STEWARD"),
    ("destroy", replace(STEF, projects=ON_A), ("project-a", (OTTO,)), "OWN_PROJECT"),
    ("destroy", AUDE, ("project-a", ()), "NOT_STEWARD"),
    ("destroy", CORA, ("project-b", ()), "NOT_STEWARD"),
    ("publish", OTTO, (), None),
    ("publish", STEF, (), "NOT_OPERATOR"),
    ("revoke", STEF, (), None),
    ("revoke", OTTO, (), "NOT_STEWARD"),
    ("read_log", AUDE, (), None),
    ("read_log", KIM, (), "NOT_AUDITOR"),
    ("see_project", ANN, ("project-a",), None),
    ("see_project", AUDE, ("project-a",), None),
    ("see_project", ANN, ("project-b",), "NOT_ON_PROJECT"),
    ("open_home", ANN, ("project-a",), None),
    ("open_home", ANN, ("project-b",), "NOT_ON_PROJECT"),
    ("open_home", KIM, ("project-a",), "NOT_ON_PROJECT"),
    ("open_tables", ANN, ("project-a",), None),
    ("open_tables", KIM, ("project-a",), None),
    ("open_tables", ANN, ("project-b",), "NOT_ON_PROJECT"),
    ("open_tables", STEF, ("project-a",), "NOT_ON_PROJECT"),
    ("see_tables", KIM, (INSIDE, False), None),
    ("see_tables", STEF, (INSIDE, False), None),
    ("see_tables", CORA, (INSIDE, False), None),
    ("see_tables", ANN, (INSIDE, False), "NOT_CBSS_STAFF"),
    ("see_tables", ANN, (INSIDE, True), None),
    ("see_tables", ANN, (OUTSIDE, False), None),
    ("see_tables", replace(ANN, projects=frozenset()), (INSIDE, True), "NOT_ON_PROJECT"),
    ("see_tables", AUDE, (INSIDE, True), "NOT_ON_PROJECT"),
    ("download", STEF, (Stage.OUTSIDE,), None),
    ("download", STEF, (Stage.INSIDE,), "STAYS_INSIDE"),
    ("download", ANN, (Stage.OUTSIDE,), "NOT_STEWARD"),
    ("download", OTTO, (Stage.OUTSIDE,), "NOT_STEWARD"),
    ("view", ANN, (OUTSIDE,), None),
    ("view", KIM, (OUTSIDE,), None),
    ("view", replace(ANN, projects=frozenset({"project-b"})), (OUTSIDE,), "NOT_ON_PROJECT"),
]


@pytest.mark.parametrize(("rule", "person", "about", "code"), CASES)
def test_rule(rule: str, person: Person, about: tuple[object, ...], code: str | None) -> None:
    assert getattr(permissions, f"may_{rule}")(person, *about) is (code is None)
    if code is not None:
        with pytest.raises(PermissionDenied) as refusal:
            getattr(permissions, f"check_{rule}")(person, *about)
        assert refusal.value.code == code


def test_every_rule_is_a_pair_and_is_tried_both_ways() -> None:
    checks = {name.removeprefix("check_") for name in dir(permissions) if name.startswith("check_")} - {"name"}
    assert checks == {name.removeprefix("may_") for name in dir(permissions) if name.startswith("may_")}
    assert checks == {rule for rule, _, _, code in CASES if code} == {rule for rule, _, _, code in CASES if not code}


@pytest.mark.parametrize(("rule", "person", "about", "code"), [case for case in CASES if case[3] is None])
def test_nobody_may_anything(rule: str, person: Person, about: tuple[object, ...], code: str | None) -> None:
    assert getattr(permissions, f"may_{rule}")(NOBODY, *about) is False


@pytest.mark.parametrize("name", ["system", "Kim", ""])
def test_ids_of_persons_are_plain_and_not_reserved(name: str) -> None:
    with pytest.raises(RequestError, match=r"NAME_RESERVED|BAD_NAME"):
        Person(name)
