"""How persons pass from one quarter to the next: a semi-Markov model over broad states."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enclave.policy.quarter import Quarter
from enclave.synthetic import assumptions as known
from enclave.synthetic.assumptions import FLOWS, Flow, State
from enclave.synthetic.chance import Draws, Wheel
from enclave.synthetic.people import ADULT, DAYS_PER_YEAR, NOWHERE, Bools, Homes, People, Present, draw_households

States = NDArray[np.int8]
_LONGEST_PAUSE = 20


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one quarter, one entry per person: what support records are made of.

    `before` and `after` are the states at its two ends; `is_broken` says that support at both ends does not run on
    unbroken; `is_brief` that some support began and ended inside. Things happen on `day`; support that is taken up
    again starts `pause` days later. Days are counted since 1970-01-01.
    """

    quarter: Quarter
    before: States
    after: States
    is_broken: Bools
    is_brief: Bools
    day: NDArray[np.int32]
    pause: NDArray[np.int32]
    home_before: NDArray[np.int16]
    home_after: NDArray[np.int16]
    since: NDArray[np.int32]


def in_support(state: States) -> Bools:
    """Say who has support, of whatever kind."""
    return state <= State.EQUIVALENT


def first_day(quarter: Quarter) -> int:
    """Return the first day of the quarter in days since 1970-01-01."""
    return int(np.datetime64(quarter.first_day, "D").astype(np.int64))


def last_day(quarter: Quarter) -> int:
    """Return the last day of the quarter in days since 1970-01-01."""
    return first_day(quarter + 1) - 1


def advance(
    present: Present, people: People, homes: Homes, *, index: int, quarter: Quarter, rng: np.random.Generator
) -> Step:
    """Carry `present` over quarter number `index` and return what happened in it."""
    count = len(people.number)
    has_entered = (people.entry < index) | people.standing
    day, pause = _days(quarter, count, rng)
    before, home_before, since = present.state, present.home, present.since
    after = _flow(present, people, quarter, rng.random(count, dtype=np.float32))
    after = _rewrite(after, before, people, has_entered=has_entered, quarter=quarter)
    after = _fate(after, present, people, has_entered=has_entered, quarter=quarter, rng=rng)
    after, is_brief = _enter(after, before, people, index=index, has_entered=has_entered, rng=rng)
    present.home = _homes(present, people, homes, after=after, is_brief=is_brief, rng=rng)
    both = in_support(before) & in_support(after)
    is_interrupted = rng.random(count, dtype=np.float32) < known.INTERRUPTION
    is_broken = both & ((before != after) | (home_before != present.home) | is_interrupted)
    starts = in_support(after) & (is_broken | ~in_support(before))
    present.since = np.where(starts, day + np.where(is_broken, pause, 0), since).astype(np.int32)
    _age(present, people, after, quarter, rng)
    present.death[(after == State.DEAD) & (before != State.DEAD)] = day[(after == State.DEAD) & (before != State.DEAD)]
    return Step(quarter, before, after, is_broken, is_brief, day, pause, home_before, present.home, since)


def _days(quarter: Quarter, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Draw a day for what happens and a pause after it; both ends stay inside the quarter."""
    length = last_day(quarter) - first_day(quarter) + 1
    offset = rng.integers(1, length - 1, count)
    pause = np.minimum(rng.integers(1, _LONGEST_PAUSE, count), length - 1 - offset)
    return (first_day(quarter) + offset).astype(np.int32), pause.astype(np.int32)


def _flow(present: Present, people: People, quarter: Quarter, draws: Draws) -> States:
    """Draw the state at the end of the quarter from the competing flows out of each state."""
    after = present.state.copy()
    for state in State:
        chosen = np.flatnonzero(present.state == state)
        edge = np.zeros(len(chosen))
        for flow in (flow for flow in FLOWS if flow.source is state):
            chance = _chance(flow, present.quarters[chosen], people.region[chosen], quarter)
            hit = (draws[chosen] >= edge) & (draws[chosen] < edge + chance)
            after[chosen[hit]] = flow.target
            edge += chance
    return after


def _chance(flow: Flow, quarters: NDArray[np.int16], region: NDArray[np.int8], quarter: Quarter) -> NDArray[np.float64]:
    fading = flow.base + flow.extra * np.exp(-quarters / flow.fade)
    season = known.SEASONS[quarter.number - 1] if flow.seasonal else 1.0
    chance: NDArray[np.float64] = fading * np.asarray(flow.by_region)[region] * season
    return chance


def _rewrite(after: States, before: States, people: People, *, has_entered: Bools, quarter: Quarter) -> States:
    """Undo what cannot be: support before the first support, a living wage for non-clients, children at work."""
    after = np.where((after == State.LIVING_WAGE) & ~people.client, np.int8(State.EQUIVALENT), after)
    is_child = last_day(quarter) - people.born < ADULT * DAYS_PER_YEAR
    is_too_early = in_support(after) & ~has_entered & (after != before)
    is_at_work = is_child & np.isin(after, (State.WORK, State.UNEMPLOYED, State.OTHER))
    return np.where(is_too_early | is_at_work, before, after)


def _fate(
    after: States, present: Present, people: People, *, has_entered: Bools, quarter: Quarter, rng: np.random.Generator
) -> States:
    """Let people who have entered die, emigrate, or pass from support to a pension."""
    draws = rng.random(len(after), dtype=np.float32)
    age = (last_day(quarter) - people.born) / DAYS_PER_YEAR
    death = known.DEATH_AT_30 * np.exp(known.DEATH_GROWTH * (age - 30))
    leaving = death + np.asarray(known.EMIGRATION)[present.foreign.astype(np.int64)]
    is_pensioner = in_support(after) & (age >= known.PENSION_AGE) & (draws > 1 - known.PENSION_CHANCE)
    after = np.where(is_pensioner & has_entered, np.int8(State.OTHER), after)
    can = has_entered & (present.state != State.ABROAD) & (present.state != State.DEAD)
    after = np.where(can & (draws < leaving), np.int8(State.ABROAD), after)
    return np.where(can & (draws < death), np.int8(State.DEAD), after)


def _enter(
    after: States, before: States, people: People, *, index: int, has_entered: Bools, rng: np.random.Generator
) -> tuple[States, Bools]:
    """Give everybody whose quarter has come support in it, and say who has it briefly, inside the quarter."""
    draws = rng.random(len(after), dtype=np.float32)
    enters = (people.entry == index) & ~people.standing
    can_be_brief = ~in_support(before) & (before != State.ABROAD)
    is_brief = enters & can_be_brief & (draws < known.BRIEF_ENTRY)
    support = np.where(people.client, np.int8(State.LIVING_WAGE), np.int8(State.EQUIVALENT))
    after = np.where(enters, np.where(is_brief, before, support), after)
    is_out = (before >= State.WORK) & (before <= State.NONE) & (after >= State.WORK) & (after <= State.NONE)
    return after, is_brief | (has_entered & is_out & (draws < known.BRIEF_RETURN))


def _homes(
    present: Present, people: People, homes: Homes, *, after: States, is_brief: Bools, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Move people house; some get lost from the register, or are found again, but not while a centre supports them."""
    count = len(after)
    draws = rng.random((3, count), dtype=np.float32)
    somewhere = Wheel.of(known.REGION_SHARES[:1]).pick(np.zeros(count), rng.random(count, dtype=np.float32))
    region = np.where(draws[1] < known.MOVE_TO_OTHER_REGION, somewhere, people.region).astype(np.int8)
    is_lost = present.home == NOWHERE
    is_supported = in_support(after) | is_brief
    is_found = is_supported | (present.state == State.ABROAD) | (draws[0] < known.FOUND_AGAIN)
    moves = np.where(is_lost, is_found, draws[0] < known.MOVE)
    home = np.where(moves, homes.draw(region, rng), present.home)
    is_gone = (after >= State.ABROAD) | (~is_supported & (draws[2] < known.STRUCK_OFF))
    return np.where(is_gone, np.int16(NOWHERE), home)


def _age(present: Present, people: People, after: States, quarter: Quarter, rng: np.random.Generator) -> None:
    """Carry the other characteristics over the quarter, and the clock of the state."""
    count = len(after)
    draws = rng.random((4, count), dtype=np.float32)
    households = draw_households(people, last_day(quarter), rng)
    has_changed = after != present.state
    present.household = np.where(draws[0] < known.HOUSEHOLD_CHANGE, households, present.household)
    present.foreign = present.foreign & (draws[1] >= known.NATURALISATION)
    present.shade = np.where(has_changed | (draws[2] < known.POSITION_CHANGE), draws[3], present.shade)
    present.quarters = np.where(has_changed, 0, present.quarters + 1).astype(np.int16)
    present.state = after
