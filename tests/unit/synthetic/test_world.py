"""The made-up world at the size of the demonstration: its shape against the published figures it is fitted to."""

import csv
import io

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.synthetic.assumptions import POSITIONS
from enclave.synthetic.people import NOWHERE
from enclave.synthetic.presets import YEARS, Preset, Span
from enclave.synthetic.references import References, Region
from enclave.synthetic.world import World, simulate


@pytest.fixture(scope="module")
def world(references: References) -> World:
    return simulate(Preset.DEMO, references, span=Span(2017), seed=11, progress=lambda _: None)


@pytest.fixture(scope="module")
def groups(world: World) -> dict[int, list[np.ndarray]]:
    return {year: _groups(world, Span(year)) for year in YEARS}


@pytest.fixture(scope="module")
def clients(groups: dict[int, list[np.ndarray]]) -> np.ndarray:
    return np.concatenate(groups[2016])


def _groups(world: World, span: Span) -> list[np.ndarray]:
    """Return the persons of the four groups, in order: RMI only, each person in the first group it fits."""
    is_seen = np.zeros(len(world.people.number), dtype=np.bool_)
    groups = []
    for index in span.cohorts:
        is_here = np.zeros_like(is_seen)
        is_here[world.spells[index].person[~world.spells[index].is_equivalent]] = True
        groups.append(np.flatnonzero(is_here & ~is_seen))
        is_seen |= is_here
    return groups


def test_groups_have_the_planned_sizes(groups: dict[int, list[np.ndarray]]) -> None:
    assert [len(group) for group in groups[2016]] == [105_000, 17_000, 15_000, 14_000]


def test_next_years_groups_look_alike_and_hold_mostly_the_same_people(groups: dict[int, list[np.ndarray]]) -> None:
    first, second = (np.concatenate(groups[year]) for year in YEARS)
    sizes = [len(group) for group in groups[2017]]
    assert sizes == pytest.approx([105_000, 17_000, 15_000, 14_000], rel=0.08)
    assert 0.6 < len(np.intersect1d(first, second)) / len(second) < 0.75


def test_some_have_only_the_equivalent_living_wage_and_some_clients_have_it_too(
    world: World, clients: np.ndarray
) -> None:
    spells = [world.spells[index] for index in range(4)]
    only = np.setdiff1d(np.concatenate([one.person for one in spells]), clients)
    equivalent = np.concatenate([world.spells[index].person[world.spells[index].is_equivalent] for index in range(4)])
    assert 0.08 < len(only) / len(clients) < 0.18
    assert len(np.intersect1d(equivalent, clients)) > 500


def test_geography_is_as_skewed_as_planned(world: World, clients: np.ndarray, references: References) -> None:
    homes = world.snapshots[0].home[clients]
    sizes = np.bincount(homes[homes != NOWHERE], minlength=len(references.municipalities))
    regions = np.array([one.region for one in references.municipalities])
    shares = [sizes[regions == region].sum() / sizes.sum() for region in Region]
    assert shares == pytest.approx([0.271, 0.449, 0.280], abs=0.01)
    assert 60 < np.median(sizes) < 95
    assert 8_500 < sizes.max() < 10_500
    assert 1 < (sizes < 5).sum() < 15
    assert 0.30 < np.sort(sizes)[-10:].sum() / sizes.sum() < 0.38


def test_people_leave_and_come_back(world: World, groups: dict[int, list[np.ndarray]]) -> None:
    """Seen from group 1: living wage (331) or not at quarter ends; activated people look like workers."""
    group = groups[2016][0]
    living_wage = np.array([shot.position[group] for shot in world.snapshots[:17]]) == POSITIONS.index("331")
    living_wage = living_wage[:, living_wage[0]]
    left = ~living_wage.all(axis=0)
    back = (living_wage[1:] & ~living_wage[:-1]).any(axis=0)
    assert 0.65 < left.mean() < 0.9
    assert 0.2 < back[left].mean() < 0.4


def test_the_dead_stay_and_are_out_of_sight(world: World, clients: np.ndarray) -> None:
    last = world.snapshots[-1]
    dead = last.death > 0
    assert 0.02 < dead[clients].mean() < 0.04
    assert (last.home[dead] == NOWHERE).all()
    assert (last.position[dead] == POSITIONS.index("4")).all()


def test_some_live_nowhere_known_but_have_a_position(world: World) -> None:
    last = world.snapshots[-1]
    lost = (last.home == NOWHERE) & (last.position != POSITIONS.index("4"))
    assert 0 < lost.mean() < 0.01


def test_children_for_whom_a_benefit_is_paid_are_below_25(world: World) -> None:
    for shot in (world.snapshots[0], world.snapshots[-1]):
        day = np.datetime64(shot.quarter.last_day, "D").astype(np.int64)
        entitled = shot.position == POSITIONS.index("36")
        assert entitled.sum() > 100
        assert (day - world.people.born[entitled]).max() < 25 * 365.25


def test_rare_positions_exist(world: World, clients: np.ndarray) -> None:
    counts = np.bincount(np.concatenate([shot.position[clients] for shot in world.snapshots]), minlength=len(POSITIONS))
    assert dict(zip(POSITIONS, counts > 0, strict=True)) == dict.fromkeys(POSITIONS, True)
    assert counts[POSITIONS.index("39")] < 5 * len(world.snapshots)


def test_no_position_is_given_out_before_it_exists(world: World, classifications: dict[str, str]) -> None:
    starts = {row["code"]: row["valid_from"] for row in csv.DictReader(io.StringIO(classifications["positions"]))}
    assert len(set(starts.values())) > 1
    for shot in world.snapshots:
        given = {POSITIONS[place] for place in np.unique(shot.position)}
        assert max(starts[code] for code in given) <= str(shot.quarter.last_day)


def test_a_shorter_simulation_is_the_start_of_the_longer_one(references: References) -> None:
    short, long = (
        simulate(Preset.TINY, references, span=Span(year), seed=5, progress=lambda _: None) for year in (2016, 2017)
    )
    for one, other in zip(short.snapshots, long.snapshots, strict=False):
        assert (one.position == other.position).all()
        assert (one.home == other.home).all()


def test_a_year_out_of_reach_is_refused() -> None:
    with pytest.raises(RequestError, match="2018"):
        Span(2018)
