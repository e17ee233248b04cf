"""The one path out, on the real book and the real outbox."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from enclave.errors import EnclaveBug, IntegrityError, PermissionDenied, RequestError
from enclave.gateway.binding import Package
from enclave.gateway.permissions import Person, Role
from enclave.gateway.ports import Publisher
from enclave.gateway.records import HistoryEntry, Outcome, PublicFiles, Verdict
from enclave.gateway.release import ATTEMPTS
from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Decision
from enclave.gateway.service import Gateway
from tests.lib.gateway_house import (
    PEOPLE,
    DifferencingAttack,
    HideAll,
    House,
    ManifestSigner,
    PlainIds,
    new_house,
    open_house,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    yield built
    built.close()


@dataclass
class Interrupted:
    """A publisher on a full disk, until it is mended; then the real one."""

    real: Publisher
    broken: bool = True
    seen: list[str] = field(default_factory=list)

    def publish(self, stage: Stage, release_id: str, files: PublicFiles) -> None:
        self.seen.append(release_id)
        if self.broken:
            raise OSError("no space left")
        self.real.publish(stage, release_id, files)


def gateway_with(house: House, publisher: Publisher) -> Gateway:
    return Gateway(
        book=house.book,
        people=house.register,
        clock=house.clock,
        ids=PlainIds(100),
        attack=DifferencingAttack(house.packages),
        reprotect=HideAll(house.packages),
        publisher=publisher,
        packages=house.packages,
        signer=ManifestSigner(house.release_key),
    )


def test_a_release_is_published_signed_and_logged(house: House) -> None:
    request = house.approved()
    head = house.book.log_head()
    assert head is not None
    outcome = house.gateway.release(request.id, "otto")
    assert outcome.released
    assert outcome.request.state is RequestState.RELEASED
    folder = house.root / "outside" / str(outcome.release)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["previous_log_head"] == head.head
    assert (folder / "tables/groups.csv").read_bytes() == b"a,10\na+b,30\nb,20\n"
    assert house.gateway.status(request.id, "ann").published
    assert house.fsck() == []


def test_asking_again_releases_nothing_twice(house: House) -> None:
    request = house.approved()
    first = house.gateway.release(request.id, "otto")
    assert house.gateway.release(request.id, "otto") == first
    assert len(list((house.root / "outside").iterdir())) == 1


@pytest.mark.parametrize("account", ["ann", "kim", "aude"])
def test_only_operators_and_stewards_release(house: House, account: str) -> None:
    request = house.approved()
    with pytest.raises(PermissionDenied, match="NOT_OPERATOR"):
        house.gateway.release(request.id, account)


def test_what_is_not_approved_is_not_released(house: House) -> None:
    request = house.prepared()
    house.gateway.vote(request.id, "kim", Decision.APPROVE)
    with pytest.raises(RequestError, match="BAD_TRANSITION"):
        house.gateway.release(request.id, "otto")


def test_unsafe_with_what_came_in_between_goes_back_with_a_new_pattern(house: House) -> None:
    first, second = house.approved({"a+b": 30}), house.approved({"a+b+c": 33})
    assert house.gateway.release(first.id, "otto").released
    outcome = house.gateway.release(second.id, "otto")
    assert (outcome.request.state, outcome.request.turn) == (RequestState.SUBMITTED, 2)
    assert outcome.release is None
    assert outcome.request.binding.pattern != second.binding.pattern
    with pytest.raises(RequestError, match="BAD_TRANSITION"):
        house.gateway.release(second.id, "otto")
    for account in ("kim", "lou"):
        house.gateway.vote(second.id, account, Decision.APPROVE)
    assert house.gateway.release(second.id, "otto").released
    assert house.fsck() == []


def test_another_release_that_does_no_harm_leaves_approvals_standing(house: House) -> None:
    first, second = house.approved({"a": 10}), house.approved({"b": 20})
    assert house.gateway.release(first.id, "otto").released
    assert house.gateway.release(second.id, "otto").released


@pytest.mark.parametrize(
    "changed",
    [
        Person("lou", roles=frozenset({Role.OUTPUT_CHECKER}), conflicts=frozenset({"project-a"})),
        Person("lou", roles=frozenset({Role.OUTPUT_CHECKER}), projects=frozenset({"project-a"})),
        Person("lou"),
    ],
    ids=["conflict", "joined", "no checker any more"],
)
def test_an_approval_is_checked_again_at_release(house: House, changed: Person) -> None:
    request = house.approved()
    house.register.enrol([changed], "stef")
    outcome = house.gateway.release(request.id, "otto")
    assert (outcome.request.state, outcome.request.turn) == (RequestState.SUBMITTED, 2)
    assert outcome.request.binding == request.binding
    assert house.fsck() == []


def test_a_package_changed_after_approval_stops_everything(house: House) -> None:
    request = house.approved()
    sealed = house.root / "packages" / request.binding.tables
    sealed.write_bytes(sealed.read_bytes().replace(b"10".hex().encode(), b"11".hex().encode()))
    with pytest.raises(IntegrityError, match="PACKAGE_CHANGED"):
        house.gateway.release(request.id, "otto")
    assert house.gateway.status(request.id, "ann").state is RequestState.APPROVED


def test_a_release_is_decided_before_it_is_published_and_finished_later(house: House) -> None:
    request = house.approved()
    publisher = Interrupted(house.outboxes)
    gateway = gateway_with(house, publisher)
    with pytest.raises(OSError, match="no space"):
        gateway.release(request.id, "otto")
    status = house.gateway.status(request.id, "ann")
    assert (status.state, status.published) == (RequestState.RELEASED, False)
    assert any("not in the outbox" in problem for problem in house.fsck())
    publisher.broken = False
    assert gateway.recover() == (status.release,)
    assert gateway.recover() == ()
    assert house.gateway.status(request.id, "ann").published
    assert house.fsck() == []


def test_asking_again_finishes_an_open_release(house: House) -> None:
    request = house.approved()
    publisher = Interrupted(house.outboxes)
    gateway = gateway_with(house, publisher)
    with pytest.raises(OSError, match="no space"):
        gateway.release(request.id, "otto")
    publisher.broken = False
    assert gateway.release(request.id, "otto").released
    assert len(set(publisher.seen)) == 1
    assert house.fsck() == []


@dataclass
class Nemesis:
    """An attack during which something else happens, a number of times."""

    real: DifferencingAttack
    happens: list[House] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    attacked: int = 0

    def attack(self, request: Request, package: Package, history: tuple[HistoryEntry, ...]) -> Verdict:
        self.attacked += 1
        verdict = self.real.attack(request, package, history)
        if self.requests:
            self.happens[0].gateway.release(self.requests.pop(0), "otto")
        return verdict


def release_with_others_in_between(house: House, request: Request, others: list[str]) -> tuple[Outcome, int]:
    """Release while another host, which does not share our lock, releases these others during our attack."""
    elsewhere = open_house(house.root)
    elsewhere.book._folder = house.root / "inside"  # another lock file
    nemesis = Nemesis(DifferencingAttack(house.packages), [elsewhere], others)
    ours = open_house(house.root, attack=nemesis)
    try:
        return ours.gateway.release(request.id, "otto"), nemesis.attacked
    finally:
        (house.root / "inside" / "release.lock").unlink(missing_ok=True)
        elsewhere.close()
        ours.close()


def test_history_that_moves_during_the_attack_is_attacked_again(house: House) -> None:
    harmless, request = house.approved({"a": 10}), house.approved({"b": 20})
    outcome, attacked = release_with_others_in_between(house, request, [harmless.id])
    assert outcome.released
    assert attacked == 2
    assert house.fsck() == []


def test_history_that_moves_during_the_attack_and_makes_it_unsafe(house: House) -> None:
    harmful, request = house.approved({"a": 10}), house.approved({"a+b": 13})
    outcome, attacked = release_with_others_in_between(house, request, [harmful.id])
    assert not outcome.released
    assert attacked == 2
    assert house.fsck() == []


def test_history_that_keeps_moving_is_given_up(house: House) -> None:
    others = [house.approved({letter: 10}).id for letter in "bcdefg"]
    request = house.approved({"a": 10})
    with pytest.raises(RequestError, match="HISTORY_MOVING"):
        release_with_others_in_between(house, request, others)
    assert house.gateway.status(request.id, "ann").state is RequestState.APPROVED
    assert len(list((house.root / "outside").iterdir())) == ATTEMPTS
    assert house.fsck() == []


def test_a_request_that_another_host_sends_back_meanwhile_is_left_to_it(house: House) -> None:
    """Both hosts find it unsafe; the other is quicker. Ours stops, and the request has one new turn, not two."""
    house.gateway.release(house.approved({"a": 10}).id, "otto")
    request = house.approved({"a+b": 13})
    with pytest.raises(RequestError, match="BAD_TRANSITION"):
        release_with_others_in_between(house, request, [request.id])
    assert house.gateway.status(request.id, "kim").request.turn == 2
    assert house.fsck() == []


def test_released_without_an_intent_cannot_be(house: House) -> None:
    request = house.approved()
    raw = sqlite3.connect(house.root / "book.sqlite")
    raw.execute("DROP TRIGGER requests_update")
    raw.execute("UPDATE requests SET state = 'released'")
    raw.commit()
    raw.close()
    with pytest.raises(EnclaveBug, match="RELEASED_WITHOUT_INTENT"):
        house.gateway.release(request.id, "otto")


def test_people_are_known_by_account_only_once(house: House) -> None:
    with pytest.raises(RequestError, match="ACCOUNT_TAKEN"):
        house.register.enrol([Person("kim2", frozenset({"kim"}))], "stef")
    assert house.register.person("lou") == next(person for person in PEOPLE if person.id == "lou")
