"""The made-up world: one simulation from one seed, seen by the deliveries of several years."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enclave.policy.quarter import Quarter
from enclave.synthetic import assumptions as known
from enclave.synthetic.assumptions import State
from enclave.synthetic.chance import Ints, Wheel
from enclave.synthetic.people import (
    DAYS_PER_YEAR,
    NOWHERE,
    UNKNOWN_HOUSEHOLD,
    Bools,
    Homes,
    People,
    Present,
    draw_people,
    draw_present,
)
from enclave.synthetic.presets import COHORTS, WORLD_START, YEARS, Preset, Span
from enclave.synthetic.references import References
from enclave.synthetic.support import Spells, spells
from enclave.synthetic.trajectories import advance, last_day


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The end of a quarter, one entry per person: places in lists, NOWHERE or UNKNOWN_HOUSEHOLD, day of death or 0."""

    quarter: Quarter
    position: NDArray[np.int8]
    home: NDArray[np.int16]
    household: NDArray[np.int8]
    foreign: Bools
    death: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class World:
    """All persons, a snapshot for each quarter from the start, and the spells of the quarters that make groups."""

    people: People
    snapshots: tuple[Snapshot, ...]
    spells: tuple[Spells, ...]

    @property
    def members(self) -> Ints:
        """Who has support of any kind in a quarter that makes a group of any year, by identification number."""
        inside = np.unique(np.concatenate([found.person for found in self.spells]))
        return inside[np.argsort(self.people.number[inside])]


def simulate(
    preset: Preset, references: References, *, span: Span, seed: int, progress: Callable[[str], None]
) -> World:
    """Simulate the world up to the last quarter of `span`; what lies before is the same whatever the span."""
    rng = np.random.default_rng(seed)
    homes = Homes.of(references.municipalities)
    people = draw_people(preset.clients, homes, rng)
    present = draw_present(people, homes, rng)
    snapshots, records = [], []
    for index in range(span.window.stop):
        quarter = WORLD_START + index
        progress(f"simulating {quarter}")
        step = advance(present, people, homes, index=index, quarter=quarter, rng=rng)
        if index < COHORTS * len(YEARS):
            records.append(spells(step, people))
        snapshots.append(_snapshot(present, people, quarter))
    return World(people, tuple(snapshots), tuple(records))


def _snapshot(present: Present, people: People, quarter: Quarter) -> Snapshot:
    return Snapshot(
        quarter,
        _positions(present, people, quarter),
        present.home,
        np.where(present.home == NOWHERE, UNKNOWN_HOUSEHOLD, present.household).astype(np.int8),
        present.foreign,
        present.death.copy(),
    )


def _positions(present: Present, people: People, quarter: Quarter) -> NDArray[np.int8]:
    """Return the place in POSITIONS of everybody's socio-economic position."""
    bands = len(known.POSITION_AGES) + 1
    weights = [
        [shares.get(code, 0.0) for code in known.POSITIONS]
        for state in State
        for shares in known.POSITION_WEIGHTS[state]
    ]
    age = (last_day(quarter) - people.born) / DAYS_PER_YEAR
    band = np.searchsorted(known.POSITION_AGES, age, side="right")
    places = Wheel.of(weights).pick(present.state.astype(np.int64) * bands + band, present.shade)
    for code, (first, earlier) in known.FIRST_QUARTER_OF.items():
        if quarter < Quarter(*first):
            places[places == known.POSITIONS.index(code)] = known.POSITIONS.index(earlier)
    return places.astype(np.int8)
