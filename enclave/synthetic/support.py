"""Support records of one quarter, one per spell, made from what happened in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.synthetic.assumptions import State
from enclave.synthetic.chance import Ints
from enclave.synthetic.people import NOWHERE, Bools, People
from enclave.synthetic.trajectories import Step, in_support, last_day

_BRIEF_DAYS_PER_PAUSE = 2
_Whole = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Spells:
    """Support records, one entry per spell; days count from 1970-01-01, `person` and `centre` are places in lists."""

    person: Ints
    is_equivalent: Bools
    is_activation: Bools
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    centre: NDArray[np.int16]


def spells(step: Step, people: People) -> Spells:
    """Return the records of the quarter, in no particular order.

    Support at the start of the quarter is a first spell, support at its end a second one, unless both are one spell
    that runs on; support inside the quarter is a spell of its own.
    """
    parts = [_first(step, people), _second(step, people), _brief(step, people)]
    return Spells(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Spells.__slots__})


def _first(step: Step, people: People) -> Spells:
    chosen = np.flatnonzero(in_support(step.before))
    runs_on = in_support(step.after[chosen]) & ~step.is_broken[chosen]
    end = np.where(runs_on, last_day(step.quarter), step.day[chosen])
    return _records(people, chosen, state=step.before, start=step.since, end=end, home=step.home_before)


def _second(step: Step, people: People) -> Spells:
    chosen = np.flatnonzero(in_support(step.after) & (step.is_broken | ~in_support(step.before)))
    start = step.day + np.where(step.is_broken, step.pause, 0)
    end = np.full(len(chosen), last_day(step.quarter))
    return _records(people, chosen, state=step.after, start=start, end=end, home=step.home_after)


def _brief(step: Step, people: People) -> Spells:
    chosen = np.flatnonzero(step.is_brief)
    state = np.where(people.client, State.LIVING_WAGE, State.EQUIVALENT)
    end = np.minimum(step.day + _BRIEF_DAYS_PER_PAUSE * step.pause, last_day(step.quarter))[chosen]
    return _records(people, chosen, state=state, start=step.day, end=end, home=step.home_after)


def _records(people: People, chosen: Ints, *, state: _Whole, start: _Whole, end: _Whole, home: _Whole) -> Spells:
    """Make one record per chosen person; `end` holds one entry per record, the others one per person of the world."""
    other = people.centre[chosen]
    return Spells(
        person=chosen,
        is_equivalent=state[chosen] == State.EQUIVALENT,
        is_activation=state[chosen] == State.ACTIVATION,
        start=start[chosen].astype(np.int32),
        end=end.astype(np.int32),
        centre=np.where(other == NOWHERE, home[chosen], other).astype(np.int16),
    )
