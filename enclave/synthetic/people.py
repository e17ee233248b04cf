"""The persons of the made-up world: who they are, when they first ask for support, and how things stood before."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from enclave.synthetic import assumptions as known
from enclave.synthetic import identifiers
from enclave.synthetic.assumptions import State
from enclave.synthetic.chance import Ints, Wheel
from enclave.synthetic.presets import WORLD_START
from enclave.synthetic.references import Municipality, Region

Bools = NDArray[np.bool_]

NOWHERE = -1
"""Municipality of those who live abroad, are dead, or are lost from the register."""
UNKNOWN_HOUSEHOLD = len(known.HOUSEHOLDS)
ADULT = 18
DAYS_PER_YEAR = 365.25
_START_DAY = int(np.datetime64(WORLD_START.first_day, "D").astype(np.int64))
_QUARTER_DAYS = 91


@dataclass(frozen=True, slots=True)
class Homes:
    """Draws municipalities (as places in the list of references) for regions."""

    wheel: Wheel

    @classmethod
    def of(cls, municipalities: tuple[Municipality, ...]) -> Self:
        """Weigh each municipality by its inhabitants to the power of its region."""
        weights = np.zeros((len(Region), len(municipalities)))
        for place, one in enumerate(municipalities):
            weights[one.region, place] = one.population ** known.POPULATION_POWER[one.region]
        return cls(Wheel.of(weights))

    def draw(self, regions: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int16]:
        """Return a municipality in each of the regions."""
        return self.wheel.pick(regions, rng.random(len(regions), dtype=np.float32)).astype(np.int16)


@dataclass(frozen=True, slots=True)
class People:
    """What does not change, one entry per person.

    `born` is in days since 1970-01-01; `entry` the quarter of the first support, counted from the start of the world;
    `standing` says that support began before the world does; `client` is False for those who get the equivalent living
    wage only; `centre` is another municipality that gives the support, or NOWHERE.
    """

    number: Ints
    born: NDArray[np.int32]
    male: Bools
    client: Bools
    entry: NDArray[np.int8]
    standing: Bools
    region: NDArray[np.int8]
    centre: NDArray[np.int16]


@dataclass(slots=True)
class Present:
    """What changes, as it stands at the end of a quarter, one entry per person.

    `since` is the first day of the support that runs (days since 1970-01-01); `quarters` the time in the state;
    `shade` a number in [0, 1) that picks the position inside the state; `death` a day, or 0.
    """

    state: NDArray[np.int8]
    quarters: NDArray[np.int16]
    since: NDArray[np.int32]
    home: NDArray[np.int16]
    household: NDArray[np.int8]
    foreign: Bools
    shade: NDArray[np.float32]
    death: NDArray[np.int32]


def draw_people(clients: int, homes: Homes, rng: np.random.Generator) -> People:
    """Draw everybody who is in support in one of the eight quarters of two years."""
    entries = np.concatenate([_entries(clients), _entries(round(clients * known.EQUIVALENT_SHARE))])
    count = len(entries)
    client = np.arange(count) < len(_entries(clients))
    male = rng.random(count) >= known.SHARE_WOMEN
    born = _births(entries, client, rng)
    region = Wheel.of(known.REGION_SHARES).pick(_row(client), rng.random(count, dtype=np.float32)).astype(np.int8)
    has_other_centre = rng.random(count) < known.OTHER_CENTRE
    return People(
        number=identifiers.draw_numbers(born, male),
        born=born,
        male=male,
        client=client,
        entry=entries,
        standing=(entries == 0) & (rng.random(count) < known.STANDING_SHARE),
        region=region,
        centre=np.where(has_other_centre, homes.draw(region, rng), np.int16(NOWHERE)),
    )


def draw_present(people: People, homes: Homes, rng: np.random.Generator) -> Present:
    """Draw how everybody stands on the day before the world starts."""
    count = len(people.number)
    state = _first_states(people, rng)
    in_support = people.standing
    mean = known.STANDING_QUARTERS
    quarters = np.where(in_support, np.minimum(rng.exponential(mean, count), 60), rng.integers(0, 12, count))
    since = _START_DAY - 1 - _QUARTER_DAYS * quarters.astype(np.int64) - rng.integers(0, _QUARTER_DAYS, count)
    # Nobody has a living wage as a child, nor any support before being born.
    since = np.maximum(since, people.born + np.where(people.client & people.standing, ADULT * DAYS_PER_YEAR, 0))
    home = homes.draw(people.region, rng)
    home[state == State.ABROAD] = NOWHERE
    row = _row(people.client)
    return Present(
        state=state,
        quarters=quarters.astype(np.int16),
        since=since.astype(np.int32),
        home=home,
        household=draw_households(people, _START_DAY, rng),
        foreign=rng.random(count) < np.asarray(known.SHARE_FOREIGN)[row, people.region],
        shade=rng.random(count, dtype=np.float32),
        death=np.zeros(count, dtype=np.int32),
    )


def draw_households(people: People, day: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw a household position by sex and age on `day` for everybody; UNKNOWN_HOUSEHOLD for some."""
    is_young = (day - people.born) < known.YOUNG_BELOW * DAYS_PER_YEAR
    rows = 2 * is_young + ~people.male
    draws = rng.random(len(rows), dtype=np.float32)
    return Wheel.of(known.HOUSEHOLD_WEIGHTS).pick(rows, draws).astype(np.int8)


def _entries(clients: int) -> NDArray[np.int8]:
    """Return the entry quarter of each person of a group of which `clients` enter in the first year."""
    shape = np.array(known.FIRST_YEAR_GROUPS + known.SECOND_YEAR_ENTRANTS) * clients / sum(known.FIRST_YEAR_GROUPS)
    ends = np.rint(np.cumsum(shape)).astype(np.int64)
    return np.repeat(np.arange(len(ends), dtype=np.int8), np.diff(ends, prepend=0))


def _births(entries: NDArray[np.int8], client: Bools, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draw days of birth by age at the start of the entry quarter."""
    bands = Wheel.of(known.AGE_SHARES).pick(_row(client), rng.random(len(entries), dtype=np.float32))
    youngest, oldest = np.asarray(known.AGE_BANDS).T
    age = youngest[bands] + rng.random(len(entries)) * (oldest - youngest)[bands]
    born = _START_DAY + _QUARTER_DAYS * entries.astype(np.int64) - np.ceil(age * DAYS_PER_YEAR)
    days: NDArray[np.int32] = born.astype(np.int32)
    return days


def _first_states(people: People, rng: np.random.Generator) -> NDArray[np.int8]:
    count = len(people.number)
    before = Wheel.of(known.BEFORE_ENTRY).pick(_row(people.client), rng.random(count, dtype=np.float32))
    support = Wheel.of([known.STANDING_STATES]).pick(np.zeros(count), rng.random(count, dtype=np.float32))
    support[~people.client] = State.EQUIVALENT
    return np.where(people.standing, support, before).astype(np.int8)


def _row(client: Bools) -> Ints:
    """Return the row of the tables that give clients first, then persons with equivalent living wage only."""
    return np.where(client, 0, 1).astype(np.int64)
