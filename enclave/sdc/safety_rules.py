"""Primary rules: which cells may not be shown for what they are, whatever stands around them.

The threshold rule hides counts of fewer respondents than `minimum_frequency` (deliberation 15/018, par. 6). How zeros
are treated is a separate choice, since 0 is also smaller than five.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.table import Bools, CellKey, Ints


class Zeros(StrEnum):
    """What happens to cells with nobody in them."""

    SHOW = "show"
    """Every zero is shown: a hidden cell is at least 1."""
    SHOW_OR_SECONDARY = "show_or_secondary"
    """Zeros are shown, but may be hidden to protect another cell: a hidden cell is at least 0."""
    HIDE = "hide"
    """Zeros are small counts and hidden like them."""
    STRUCTURAL = "structural"
    """Zeros are hidden like small counts, but for combinations that cannot exist, which are shown."""


class MarkMode(StrEnum):
    """Whether readers can tell a small count from a cell hidden to protect it."""

    ONE = "one"
    TWO = "two"


class Weights(StrEnum):
    """What hiding one more cell costs."""

    UNIT = "unit"
    COUNT = "count"
    LOG_COUNT = "log_count"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one policy. `structural` holds (variable, code) combinations that cannot exist."""

    minimum_frequency: int = 5
    zeros: Zeros = Zeros.SHOW_OR_SECONDARY
    mark: MarkMode = MarkMode.ONE
    weights: Weights = Weights.LOG_COUNT
    structural: frozenset[frozenset[tuple[str, str]]] = frozenset()

    def __post_init__(self) -> None:
        if isinstance(self.minimum_frequency, bool) or self.minimum_frequency < 1:
            raise RequestError("MINIMUM_FREQUENCY", "minimum_frequency must be a whole number of at least 1")

    @property
    def least_hidden(self) -> int:
        """L: the least value that the legend allows a hidden cell."""
        return 1 if self.zeros is Zeros.SHOW else 0

    @property
    def zeros_are_small(self) -> bool:
        """Whether a zero is itself a count to hide."""
        return self.zeros in {Zeros.HIDE, Zeros.STRUCTURAL}


def structural_zeros(keys: Sequence[CellKey], rules: Rules) -> Bools:
    """Return the cells that the policy names as impossible: they cannot hold anybody, and are printed as such."""
    return np.array([any(combination <= key.pairs for combination in rules.structural) for key in keys], dtype=np.bool_)


def sensitive(values: Ints, structural: Bools, rules: Rules) -> Bools:
    """Return the cells that the primary rule hides."""
    small: Bools = (values > 0) & (values < rules.minimum_frequency)
    if rules.zeros is Zeros.HIDE:
        return np.asarray(small | (values == 0))
    if rules.zeros is Zeros.STRUCTURAL:
        return np.asarray(small | ((values == 0) & ~structural))
    return small


def information(values: Ints, rules: Rules) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return what hiding each cell costs, by the policy's weights."""
    if rules.weights is Weights.UNIT:
        return np.ones(len(values))
    if rules.weights is Weights.COUNT:
        return np.maximum(values, 1).astype(np.float64)
    return np.log2(2.0 + values.astype(np.float64))
