"""Primary rules for sums over contributors: minimum frequency, dominance, p %, minimum number of holdings.

After Hundepool, Domingo-Ferrer, Franconi, Giessing, Schulte Nordholt, Spicer and de Wolf, "Statistical Disclosure
Control" (Wiley, 2012; earlier the ESSnet "Handbook on Statistical Disclosure Control"), chapter 4. With contributions
x1 >= x2 >= ... to a cell of total X, a cell may not be shown under

- the minimum frequency m, when it has contributors, but fewer than m;
- the dominance or (n, k) rule, when its n largest contributors together hold more than k % of X;
- the p % rule, when X - x1 - x2 < p % of x1: the second largest could then estimate the largest to within p %;
- the minimum number of holdings h, when fewer than h groups of contributors, taken together, stand behind it.

A cell to which nobody contributes falls under none of them. Negative figures count by their absolute value. All
comparisons are exact: percentages are fractions, and no figure is rounded.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.table import Bools, Ints

MOST_DOMINANT = 2
"""Tables made elsewhere say what the largest and the second largest contributor hold, and no more."""

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Dominance:
    """The (n, k) rule: the n largest contributors may hold at most k % of a cell."""

    n: int
    k: Fraction

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MOST_DOMINANT:
            raise RequestError(
                "DOMINANCE_N", "dominance needs the n largest contributors, and tables hold two: n is 1 or 2"
            )
        if not 0 < self.k <= _WHOLE:
            raise RequestError("DOMINANCE_K", "k of the dominance rule is a percentage above 0 and at most 100")


@dataclass(frozen=True, slots=True)
class ContributionRules:
    """Which rules hold; None: not this one. RequestError for a rule that says nothing."""

    minimum_frequency: int | None = None
    dominance: Dominance | None = None
    p_percent: Fraction | None = None
    minimum_holdings: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("minimum_frequency", self.minimum_frequency), ("minimum_holdings", self.minimum_holdings)):
            if least is not None and least < 1:
                raise RequestError("RULE_MINIMUM", f"{name} must be a whole number of at least 1")
        if self.p_percent is not None and not 0 < self.p_percent <= _WHOLE:
            raise RequestError("RULE_P_PERCENT", "p_percent is a percentage above 0 and at most 100")

    @property
    def largest_needed(self) -> int:
        """How many of the largest contributors must be known: 0, 1 or 2."""
        if self.p_percent is not None:
            return MOST_DOMINANT
        return 0 if self.dominance is None else self.dominance.n


@dataclass(frozen=True, eq=False)
class Contributions:
    """Who stands behind each cell. Arrays of one shape; None where no rule asks for it.

    `total`, `largest` and `second` are in one unit. RequestError when a needed one is missing (see `reasons`).
    """

    total: Ints
    count: Ints | None = None
    largest: Ints | None = None
    second: Ints | None = None
    holdings: Ints | None = None


def reasons(cells: Contributions, rules: ContributionRules) -> dict[str, Bools]:
    """Return, per rule that holds, the cells that it hides; every one of the rules alone is reason enough."""
    found: dict[str, Bools] = {}
    if rules.minimum_frequency is not None:
        found["minimum_frequency"] = _few(_given(cells.count, "count"), rules.minimum_frequency)
    if rules.dominance is not None:
        found["dominance"] = _dominated(cells, rules.dominance)
    if rules.p_percent is not None:
        found["p_percent"] = _estimated(cells, rules.p_percent)
    if rules.minimum_holdings is not None:
        found["minimum_holdings"] = _few(_given(cells.holdings, "holdings"), rules.minimum_holdings)
    return found


def sensitive_cells(cells: Contributions, rules: ContributionRules) -> Bools:
    """Return the cells that some rule hides."""
    found = np.zeros(cells.total.shape, dtype=np.bool_)
    for hidden in reasons(cells, rules).values():
        found |= hidden
    return found


def _few(numbers: Ints, least: int) -> Bools:
    return np.asarray((numbers > 0) & (numbers < least))


def _dominated(cells: Contributions, rule: Dominance) -> Bools:
    """100 (x1 + ... + xn) > k X, with k a fraction."""
    held = abs(_given(cells.largest, "largest")).astype(object)
    if rule.n == MOST_DOMINANT:
        held = held + abs(_given(cells.second, "second")).astype(object)
    return np.asarray(_WHOLE * rule.k.denominator * held > rule.k.numerator * abs(cells.total).astype(object), np.bool_)


def _estimated(cells: Contributions, p: Fraction) -> Bools:
    """100 (X - x1 - x2) < p x1, with p a fraction."""
    first, second = (
        abs(_given(part, name)).astype(object) for part, name in ((cells.largest, "largest"), (cells.second, "second"))
    )
    rest = abs(cells.total).astype(object) - first - second
    return np.asarray(_WHOLE * p.denominator * rest < p.numerator * first, np.bool_)


def _given(numbers: Ints | None, name: str) -> Ints:
    if numbers is None:
        raise RequestError("CONTRIBUTIONS", f"a rule asks for '{name}', which the table does not give")
    return numbers
