"""Drawing many categories at once from rows of weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Draws = NDArray[np.float32]
"""Uniform numbers in [0, 1). Single precision, so that row number + draw is exact in double precision."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """Rows of cumulative shares over `width` categories, laid end to end: row r covers (r, r + 1]."""

    edges: NDArray[np.float64]
    width: int

    @classmethod
    def of(cls, weights: Sequence[Sequence[float]] | NDArray[np.float64]) -> Self:
        """Build the wheel from one row of weights per group (any positive sum)."""
        table = np.asarray(weights, dtype=np.float64)
        shares = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        # The categories behind the last one with a weight must not be reached through rounding.
        shares[shares >= shares[:, -1:]] = 1.0
        return cls((shares + np.arange(len(table))[:, None]).ravel(), table.shape[1])

    def pick(self, rows: ArrayLike, draws: Draws) -> Ints:
        """Return one category (0 to width - 1) per draw, from the row of weights that stands beside it."""
        row = np.asarray(rows, dtype=np.int64)
        return np.searchsorted(self.edges, row + draws.astype(np.float64), side="right") - row * self.width
