"""Random schedules of two analysts, three checkers and an operator, with mishaps, on the real book and outbox.

A history checker of its own then reads the log and the outbox: nothing was released without two distinct current
approvals, nothing twice, nothing unsafe together with what came before, and the log verifies. One seed is one history.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from enclave.errors import UserError
from enclave.gateway.binding import Package
from enclave.gateway.ports import Publisher
from enclave.gateway.records import HistoryEntry, PublicFiles, Verdict
from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Decision
from enclave.gateway.service import Gateway
from tests.lib.gateway_house import (
    PROJECT,
    THRESHOLD,
    DifferencingAttack,
    HideAll,
    House,
    ManifestSigner,
    PlainIds,
    binding_of,
    new_house,
    table_package,
)

STEPS = 45
COUNTS = {"a": 11, "b": 3, "c": 9, "d": 2, "e": 40}
VOTERS = ("kim", "kim.home", "lou", "max", "kim", "lou", "max", "mia", "ann")
MEMBERS = {"ann", "bob", "cora", "mia", "ana"}


@dataclass
class Mishaps:
    """A disk that is full now and then: a publication that fails before or after it was done."""

    real: Publisher
    chance: random.Random
    working: bool = False

    def publish(self, stage: Stage, release_id: str, files: PublicFiles) -> None:
        if not self.working and self.chance.random() < 0.15:
            raise OSError("before publication")
        self.real.publish(stage, release_id, files)
        if not self.working and self.chance.random() < 0.15:
            raise OSError("after publication")


@dataclass
class Walk:
    """One schedule: at each step somebody does something, perhaps while a release is being attacked."""

    house: House
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.attacker, self.disk = DifferencingAttack(self.house.packages), Mishaps(self.house.outboxes, self.chance)
        self.gateway = Gateway(
            book=self.house.book,
            people=self.house.register,
            clock=self.house.clock,
            ids=PlainIds(),
            attack=self,
            reprotect=HideAll(self.house.packages),
            publisher=self.disk,
            packages=self.house.packages,
            signer=ManifestSigner(self.house.release_key),
        )

    def attack(self, request: Request, package: Package, history: tuple[HistoryEntry, ...]) -> Verdict:
        """Be the attack port: the real attacker, during whose work others go on."""
        verdict = self.attacker.attack(request, package, history)
        while self.chance.random() < 0.4:
            self.step()
        return verdict

    def step(self) -> None:
        act = self.chance.choices(
            (self.ask, self.vote, self.give_back, self.submit, self.release, self.recover, self.conflict),
            (4, 16, 1, 2, 6, 1, 1),
        )[0]
        try:
            act()
            self.done[act.__name__] += 1
        except UserError as refusal:
            self.done[refusal.code] += 1
        except OSError:
            self.done["disk full"] += 1

    def binding(self) -> Any:
        """Seal a table of three random groups, each big enough to show by itself."""
        counts: dict[str, int | None] = {}
        while len(counts) < 2:
            letters = sorted(self.chance.sample(sorted(COUNTS), self.chance.randint(1, 4)))
            total = sum(COUNTS[letter] for letter in letters)
            counts["+".join(letters)] = total if total >= THRESHOLD else None
        return binding_of(self.house.packages.seal(table_package(counts)))

    def ask(self) -> None:
        author = self.chance.choice(("ann", "bob"))
        about = {"project": PROJECT, "population": "clients", "title": "t", "purpose": "p"}
        request = self.gateway.create(author, stage=Stage.OUTSIDE, binding=self.binding(), **about)
        self.gateway.submit(request.id, author)

    def any_request(self, *likely: RequestState) -> Request:
        """Pick a request, mostly in one of these states, sometimes in a wrong one."""
        found = self.gateway.requests("kim")
        wanted = [request for request in found if request.state in likely]
        if not found:
            raise UserError("NONE_YET", "nothing to do")
        return self.chance.choice(wanted if wanted and self.chance.random() < 0.9 else found)

    def vote(self) -> None:
        request = self.any_request(RequestState.SUBMITTED, RequestState.PARTIALLY_REVIEWED)
        decision = self.chance.choices(list(Decision), (12, 1, 1))[0]
        self.gateway.vote(request.id, self.chance.choice(VOTERS), decision, "a comment")

    def give_back(self) -> None:
        request = self.any_request(RequestState.REVIEWED, RequestState.PARTIALLY_REVIEWED)
        self.gateway.return_(request.id, self.chance.choice(VOTERS), "a comment")

    def submit(self) -> None:
        request = self.any_request(RequestState.RETURNED)
        new = self.binding() if self.chance.random() < 0.5 else None
        self.gateway.submit(request.id, request.author, new)

    def release(self) -> None:
        outcome = self.gateway.release(self.any_request(RequestState.APPROVED).id, "otto")
        self.done["released" if outcome.released else "sent back"] += 1

    def recover(self) -> None:
        self.gateway.recover()

    def conflict(self) -> None:
        person = self.house.register.person("max")
        declared = frozenset() if person.conflicts else frozenset({PROJECT})
        self.house.register.enrol([replace(person, conflicts=declared)], "stef")


def walk(root: Path, seed: int) -> tuple[Counter[str], list[str]]:
    """Walk one schedule, finish what is open, and return what happened and what is wrong."""
    house = new_house(root, lock_wait_s=0)
    walking = Walk(house, random.Random(seed))
    for _ in range(STEPS):
        walking.step()
    walking.disk.working = True
    walking.gateway.recover()
    with house.book.connection(reading=True) as connection:
        entries = [json.loads(data) for data, _ in house.book.audit.lines(connection)]
    problems = [*house.fsck(), *judge(entries), *jointly_unsafe(root / "outside")]
    house.close()
    return walking.done, problems


@dataclass
class Judge:
    """Reads the log as a stranger: were the rules kept?"""

    problems: list[str] = field(default_factory=list)
    author: dict[str, str] = field(default_factory=dict)
    binding: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, set[str]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)

    def read(self, entry: dict[str, Any]) -> None:
        action, request, details = entry["action"], entry["subject"], entry["details"]
        if action == "request_created":
            self.author[request] = details["author"]
        elif action in ("request_submitted", "request_sent_back"):
            self.approvals[request], self.binding[request] = set(), details["binding"]
        elif action == "voted":
            self.vote(entry["actor"], request, details)
        elif action == "request_released":
            self.release(request, details)

    def vote(self, person: str, request: str, details: dict[str, Any]) -> None:
        if person in MEMBERS | {self.author[request]}:
            self.problems.append(f"{request}: {person} may not vote")
        if person in self.approvals[request]:
            self.problems.append(f"{request}: {person} voted twice")
        if details["decision"] == "approve" and details["binding"] == self.binding[request]:
            self.approvals[request].add(person)

    def release(self, request: str, details: dict[str, Any]) -> None:
        if len(self.approvals[request]) < 2 or set(details["approved_by"]) != self.approvals[request]:
            self.problems.append(f"{request}: released without two current approvals")
        if details["binding"] != self.binding[request]:
            self.problems.append(f"{request}: something else was released than approved")
        if request in self.released:
            self.problems.append(f"{request}: released twice")
        self.released.add(request)


def judge(entries: Iterable[dict[str, Any]]) -> list[str]:
    judging = Judge()
    for entry in entries:
        judging.read(entry)
    return judging.problems


def jointly_unsafe(outbox: Path) -> list[str]:
    """Subtract everything that is public from everything else."""
    shown: dict[frozenset[str], int] = {}
    for table in outbox.glob("*/tables/groups.csv"):
        rows = (line.split(",") for line in table.read_text().splitlines())
        shown |= {frozenset(group.split("+")): int(count) for group, count in rows if count}
    return [
        f"{sorted(large - small)} can be worked out"
        for (small, few), (large, many) in permutations(shown.items(), 2)
        if small < large and many - few < THRESHOLD
    ]


def all_walks(root: Path, seeds: Iterable[int]) -> Counter[str]:
    done: Counter[str] = Counter()
    for seed in seeds:
        happened, problems = walk(root / str(seed), seed)
        assert problems == [], f"seed {seed}: {problems}"
        done += happened
    return done


def saw_everything(done: Counter[str]) -> bool:
    """Tell whether the schedules were worth the name: releases, returns, crashes, and refusals of each kind."""
    needed = {
        "released",
        "sent back",
        "disk full",
        "VOTED_ALREADY",
        "CHECKER_ON_PROJECT",
        "BAD_TRANSITION",
        "RELEASE_BUSY",
    }
    return needed <= set(done)


def test_random_schedules(tmp_path: Path) -> None:
    assert saw_everything(all_walks(tmp_path, range(10)))


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_two_hundred_schedules(tmp_path: Path) -> None:
    assert saw_everything(all_walks(tmp_path, range(200)))


def approved_by_one(entries: list[dict[str, Any]]) -> None:
    next(entry for entry in entries if entry["action"] == "voted")["details"]["decision"] = "changes"


def voted_by_the_author(entries: list[dict[str, Any]]) -> None:
    next(entry for entry in entries if entry["action"] == "voted")["actor"] = "ann"


def released_again(entries: list[dict[str, Any]]) -> None:
    entries.append(next(entry for entry in entries if entry["action"] == "request_released"))


def voted_before_the_change(entries: list[dict[str, Any]]) -> None:
    at = next(at for at, entry in enumerate(entries) if entry["action"] == "request_released")
    submitted = next(entry for entry in entries if entry["action"] == "request_submitted")
    entries.insert(at, submitted)


@pytest.mark.parametrize("harm", [approved_by_one, voted_by_the_author, released_again, voted_before_the_change])
def test_the_judge_sees_a_broken_rule(tmp_path: Path, harm: Callable[[list[dict[str, Any]]], None]) -> None:
    house = new_house(tmp_path / "house")
    house.gateway.release(house.approved().id, "otto")
    with house.book.connection(reading=True) as connection:
        entries = [json.loads(data) for data, _ in house.book.audit.lines(connection)]
    house.close()
    assert judge(entries) == []
    harm(entries)
    assert judge(entries) != []
