"""Every number of the made-up world, with where it comes from. Nothing here describes a real person.

"Published" names a published figure that the number follows; "fitted" was chosen so that a published figure comes out;
"assumed" has no source. Shares need not add up to 1. Regions stand in the order Flanders, Wallonia, Brussels.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class State(IntEnum):
    """Where a person broadly stands at the end of a quarter."""

    LIVING_WAGE = 0
    ACTIVATION = 1
    EQUIVALENT = 2
    """Equivalent living wage (RMH): support that does not count for advice 17/17."""
    WORK = 3
    UNEMPLOYED = 4
    OTHER = 5
    NONE = 6
    ABROAD = 7
    DEAD = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """Chance per quarter to pass from one state to another.

    It is `base` + `extra` x exp(-quarters in the state / `fade`), times a factor per region, and per season of the year
    where `seasonal`.
    """

    source: State
    target: State
    base: float
    extra: float = 0.0
    fade: float = 4.0
    by_region: tuple[float, float, float] = (1.0, 1.0, 1.0)
    seasonal: bool = False


# Sizes. Published: about 150,000 different clients a year, some 96,000 in a month; the shape over groups is assumed.
FIRST_YEAR_GROUPS: Final = (105_000, 17_000, 15_000, 14_000)
SECOND_YEAR_ENTRANTS: Final = (12_500, 14_000, 12_500, 11_500)
"""First support in the second year; with those who stayed or came back, groups are like the first year's (fitted)."""
STANDING_SHARE: Final = 0.84
"""Of the first group, those whose support began before the world does (assumed)."""
EQUIVALENT_SHARE: Final = 0.12
"""Persons with equivalent living wage only, per client (assumed)."""
BRIEF_ENTRY: Final = 0.12
BRIEF_RETURN: Final = 0.003
"""Support that begins and ends within one quarter: at first entry, and per quarter later (assumed)."""
INTERRUPTION: Final = 0.02
"""Support that is interrupted for some days and taken up again, per quarter (assumed)."""
OTHER_CENTRE: Final = 0.015
"""Persons supported by a centre of another municipality than the one they live in (assumed)."""

# Persons. Regions follow the published month averages of 2010 (25.9, 43.0 and 26.8 thousand); the rest is assumed.
REGION_SHARES: Final = ((25.9, 43.0, 26.8), (40.0, 25.0, 35.0))
"""Clients, and persons with equivalent living wage only."""
POPULATION_POWER: Final = (1.45, 1.3, 1.0)
"""Clients of a municipality grow with its inhabitants to this power (fitted: large towns have more)."""
SHARE_WOMEN: Final = 0.56
SHARE_FOREIGN: Final = ((0.42, 0.33, 0.62), (0.90, 0.90, 0.94))
"""Clients, and persons with equivalent living wage only."""
NATURALISATION: Final = 0.006
AGE_BANDS: Final = ((18, 25), (25, 35), (35, 45), (45, 55), (55, 65), (65, 75), (4, 9))
AGE_SHARES: Final = ((30, 24, 20, 15, 9, 2, 0), (24, 33, 24, 12, 4, 1.5, 1.5))
"""Age at entry. The children (equivalent living wage only) are there because births from 2000 have another check."""

# Change per quarter (.9 % and 2 % as in the prototype; the others assumed).
MOVE: Final = 0.009
MOVE_TO_OTHER_REGION: Final = 0.2
STRUCK_OFF: Final = 0.001
FOUND_AGAIN: Final = 0.15
"""Leaving the register without leaving the country (region unknown, position known), and coming back into it."""
HOUSEHOLD_CHANGE: Final = 0.02
POSITION_CHANGE: Final = 0.06
"""Another position inside the same state."""
EMIGRATION: Final = (0.0006, 0.0025)
"""Belgian, foreign."""
DEATH_AT_30: Final = 0.00055
DEATH_GROWTH: Final = 0.065
"""Deaths per quarter: DEATH_AT_30 x exp(DEATH_GROWTH x (age - 30)), some .15 % over all."""
PENSION_AGE: Final = 65
PENSION_CHANCE: Final = 0.3
SEASONS: Final = (0.93, 1.08, 1.06, 0.93)
"""Factor on seasonal flows, quarters 1 to 4 (assumed: more jobs in spring and summer)."""

BEFORE_ENTRY: Final = (
    (0, 0, 4, 25, 20, 5, 42, 4, 0),
    (0, 0, 0, 6, 4, 2, 58, 30, 0),
)
"""State before the first support, in the order of State; clients, and equivalent living wage only (assumed)."""
STANDING_STATES: Final = (88, 12)
"""Living wage and activation of those whose support began earlier; 12 % after the number under articles 60 and 61."""
STANDING_QUARTERS: Final = 6.0
"""Their mean time in support so far, in quarters (assumed)."""

# Published, and what the flows are fitted to: leavers go to work (42 %; 48, 37 and 44 by region), unemployment benefit
# (24 %), another benefit (15 %) or out of sight (19 %); some 30 % of them come back within four years, 9.6 % after
# one quarter in work; 69 % are out of support after four years (here some 75 %: else the groups would grow each year).
_TO_WORK = (1.14, 0.88, 1.05)
_TO_REST = (0.90, 1.09, 0.96)
FLOWS: Final = (
    Flow(State.LIVING_WAGE, State.ACTIVATION, 0.012, 0.020, 6.0),
    Flow(State.LIVING_WAGE, State.WORK, 0.019, 0.118, 3.5, _TO_WORK, seasonal=True),
    Flow(State.LIVING_WAGE, State.UNEMPLOYED, 0.005, 0.055, 3.5, _TO_REST),
    Flow(State.LIVING_WAGE, State.OTHER, 0.006, 0.036, 3.5, _TO_REST),
    Flow(State.LIVING_WAGE, State.NONE, 0.007, 0.060, 3.5, _TO_REST),
    Flow(State.LIVING_WAGE, State.EQUIVALENT, 0.0008),
    Flow(State.ACTIVATION, State.LIVING_WAGE, 0.015),
    Flow(State.ACTIVATION, State.UNEMPLOYED, 0.08),
    Flow(State.ACTIVATION, State.WORK, 0.06, seasonal=True),
    Flow(State.EQUIVALENT, State.LIVING_WAGE, 0.03),
    Flow(State.EQUIVALENT, State.WORK, 0.02, 0.03, seasonal=True),
    Flow(State.EQUIVALENT, State.NONE, 0.03, 0.05),
    Flow(State.WORK, State.LIVING_WAGE, 0.002, 0.096, 4.0),
    Flow(State.WORK, State.UNEMPLOYED, 0.012, 0.05, 6.0),
    Flow(State.WORK, State.OTHER, 0.006),
    Flow(State.WORK, State.NONE, 0.006),
    Flow(State.UNEMPLOYED, State.LIVING_WAGE, 0.005, 0.04, 4.0),
    Flow(State.UNEMPLOYED, State.WORK, 0.06, 0.04, 4.0, _TO_WORK, seasonal=True),
    Flow(State.UNEMPLOYED, State.OTHER, 0.015),
    Flow(State.UNEMPLOYED, State.NONE, 0.012),
    Flow(State.OTHER, State.LIVING_WAGE, 0.002, 0.03, 4.0),
    Flow(State.OTHER, State.WORK, 0.01, seasonal=True),
    Flow(State.OTHER, State.UNEMPLOYED, 0.006),
    Flow(State.OTHER, State.NONE, 0.006),
    Flow(State.NONE, State.LIVING_WAGE, 0.008, 0.06, 4.0),
    Flow(State.NONE, State.WORK, 0.035, seasonal=True),
    Flow(State.NONE, State.UNEMPLOYED, 0.012),
    Flow(State.NONE, State.OTHER, 0.010),
    Flow(State.ABROAD, State.NONE, 0.02),
)

# Household positions (LIPRO), as delivered; the last weight is "unknown". Assumed, not sourced.
HOUSEHOLDS: Final = (
    *("SING", "MAR0", "MAR+", "CMAR", "UNM0", "UNM+"),
    *("CUNM", "H1PA", "C1PA", "NFRP", "OTHR", "COLL"),
)
HOUSEHOLD_WEIGHTS: Final = (
    (50, 5, 14, 2, 5, 8, 0.5, 2.2, 5, 5, 2, 3, 0.4),
    (31, 5, 13, 1, 4, 7, 0.3, 33, 2, 3, 1.5, 1.2, 0.4),
    (32, 0.8, 3, 12, 5, 6, 3.5, 0.5, 20, 8, 3, 2.5, 0.4),
    (20, 2, 7, 8, 6, 11, 2.5, 19, 12, 5, 2, 1, 0.4),
)
"""Men and women from 30, men and women below 30."""
YOUNG_BELOW: Final = 30

# Positions inside a state, by age band; skewed, so that tables have rare codes. Assumed.
POSITION_AGES: Final = (18, 25, 58, 65)
POSITIONS: Final = (
    *("111", "112", "121", "122", "123", "131", "132", "133", "141", "142", "143", "211", "212", "213"),
    *("31", "32", "331", "332", "34", "35", "36", "37", "38", "39", "4"),
)
OUT_OF_SIGHT: Final = "4"
"""Position of the dead and the emigrated."""
FIRST_QUARTER_OF: Final = {"39": ((2011, 1), "35")}
"""Codes that are younger than the world: their first quarter, and what stood for them before."""
_Shares = dict[str, float]
_JOBS: _Shares = {"111": 820, "112": 60, "121": 65, "122": 8, "131": 12, "132": 0.6, "141": 25, "142": 5, "143": 0.6}
_BENEFITS: _Shares = {"211": 620, "212": 50, "213": 330}
_OTHER: _Shares = {"37": 560, "38": 250, "32": 50, "31": 20, "34": 60}
_OTHER_OLD: _Shares = {"37": 330, "38": 180, "32": 300, "31": 10, "34": 120, "35": 50, "39": 6}
_JOBS_OLD: _Shares = {"111": 300, "121": 20, "123": 400, "133": 60, "141": 10}
POSITION_WEIGHTS: Final[dict[State, tuple[_Shares, ...]]] = {
    State.LIVING_WAGE: ({"331": 1.0},) * 5,
    State.ACTIVATION: ({"111": 98.5, "112": 1.5},) * 5,
    State.EQUIVALENT: ({"36": 1.0}, *({"332": 1.0},) * 4),
    State.WORK: (_JOBS, _JOBS, _JOBS, _JOBS, _JOBS_OLD),
    State.UNEMPLOYED: (_BENEFITS, {"211": 300, "212": 40, "213": 660}, _BENEFITS, _BENEFITS, {"34": 1}),
    State.OTHER: ({"36": 1}, {"37": 400, "38": 350, "36": 200, "31": 5}, _OTHER, _OTHER_OLD, {"34": 970, "38": 30}),
    State.NONE: ({"36": 1}, {"36": 80, "4": 20}, {"4": 1}, {"4": 1}, {"34": 30, "4": 70}),
    State.ABROAD: ({OUT_OF_SIGHT: 1.0},) * 5,
    State.DEAD: ({OUT_OF_SIGHT: 1.0},) * 5,
}
