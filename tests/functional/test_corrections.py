"""Corrections of the data, through a whole house: what is asked after one is released in the end, and nothing more."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Decision
from enclave.policy.model import Policy
from enclave.sdc.protection import Protection, protect
from enclave.sdc.table import Table, TableSpec
from enclave.wiring.content import sdc_rules
from enclave.wiring.demo import POLICY
from enclave.wiring.house import House, made_up_people, open_house
from enclave.wiring.outsider import attack_folders
from enclave.wiring.ports import now
from tests.lib.house_kit import made_house

YEAR = 2016
BRUSSELS, ELSEWHERE = "04000", "02000|03000|XX"
FIRST, SECOND = "1" * 64, "2" * 64
"""Names of the data's states, before and after a correction."""


@dataclass(frozen=True)
class Office:
    """An open house, and what its people do in it."""

    house: House
    policy: Policy

    @property
    def population(self) -> str:
        return self.policy.population_id(YEAR)

    def table(self, name: str, men: int, women: int, snapshot: str, region: str = "") -> Table:
        """Return a table of men and women in one quarter, of all regions or some."""
        specs = self.policy.table_specs(YEAR, self.house.reference.codelists, snapshot)
        known = {variable.id: variable for spec in specs for variable in spec.dimensions}
        spec = TableSpec(
            id=name,
            dimensions=(known["sex"],),
            periods=specs[0].periods[:1],
            population=self.population,
            filters=((known["region"], region),) if region else (),
            data_date=snapshot,
        )
        return Table.from_leaves(spec, np.array([[men, women]]))

    def protected(self, table: Table) -> Protection:
        with self.house.book.view() as view:
            history = self.house.look.history(self.population, view.history())
        return protect([table], sdc_rules(self.policy), history)

    def ask(self, protection: Protection) -> Request:
        """Seal the package and hand it to the checkers."""
        snapshot = protection.truth[0].spec.data_date
        request = self.house.gateway.create(
            "staff.one",
            project=self.policy.project_id(YEAR),
            stage=Stage.INSIDE,
            population=self.population,
            title="made-up tables",
            purpose="a correction of made-up data",
            binding=self.house.look.seal(self.policy, YEAR, protection, snapshot),
        )
        return self.house.gateway.submit(request.id, "staff.one")

    def release(self, request: Request) -> str | None:
        """Approve by two checkers and release; None where the request is sent back."""
        for checker in ("checker.one", "checker.two"):
            self.house.gateway.vote(request.id, checker, Decision.APPROVE)
        return self.house.gateway.release(request.id, "operator.one").release

    def state(self, request: Request) -> RequestState:
        return self.house.gateway.status(request.id, "staff.one").request.state

    def attack(self, releases: list[str]) -> bool:
        """Attack as anybody could who holds these releases."""
        settings = self.house.settings
        folders = [settings.outboxes[Stage.INSIDE] / release for release in releases]
        return attack_folders(folders, settings.release_public_key.read_bytes()).passed


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_house(tmp_path / "house", made_house(tmp_path / "house")) as house:
        policy = house.reference.policy(POLICY)
        people = made_up_people(policy.project_id(YEAR), now().date() + timedelta(days=365))
        house.register.enrol(people, "steward.one")
        yield Office(house, policy)


def test_a_request_after_a_correction_is_released_in_the_end(office: Office) -> None:
    """All but Brussels, then all: whoever knows that the women were left alone knows the one woman of Brussels.

    So her figure is bounded before anybody asks for Brussels. It is hidden all the same, and no reason to send back.
    """
    tables = [
        office.table("t1", 13, 12, FIRST),
        office.table("t2", 9, 11, SECOND, ELSEWHERE),
        office.table("t3", 14, 12, SECOND),
        office.table("t4", 5, 1, SECOND, BRUSSELS),
    ]
    releases = []
    for table in tables:
        protection = office.protected(table)
        release = office.release(office.ask(protection))
        assert release is not None
        releases.append(release)
    assert protection.known_before[0].any(), "nothing was known before: the case does not test what it should"
    assert office.attack(releases)
    assert office.attack(list(reversed(releases))), "the order is that in which they were made, not that of the folders"


def test_what_became_unsafe_since_it_was_approved_is_sent_back_and_released_with_another_pattern(
    office: Office,
) -> None:
    """Two requests, each safe alone: the slower one comes back, and out in the end."""
    most, everybody = office.table("t2", 27, 12, FIRST, ELSEWHERE), office.table("t1", 30, 22, FIRST)
    slower, faster = office.ask(office.protected(most)), office.ask(office.protected(everybody))
    first = office.release(faster)
    assert first is not None
    assert office.release(slower) is None
    assert office.state(slower) is RequestState.SUBMITTED
    second = office.release(slower)
    assert second is not None
    assert office.attack([first, second])


def test_a_planted_table_that_shows_a_small_group_never_leaves(office: Office) -> None:
    few = office.protected(office.table("t2", 3, 4, FIRST, BRUSSELS))
    bare = replace(few.tables[0], values=few.truth[0].values, marks=np.full(few.tables[0].marks.shape, "F"))
    request = office.ask(replace(few, tables=(bare,)))
    assert office.release(request) is None
