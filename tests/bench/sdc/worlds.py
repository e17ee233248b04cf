"""Made-up quarters like those of advice 17/17: six linked tables of 120,000 persons, in three kinds of skew.

Persons fall into the inner cells of all variables crossed; tables are counted from there, so they agree by
construction. Kind and seed settle a world; none of them was looked at while the engine was made.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from enclave.sdc.table import Hierarchy, Table, TableSpec, Variable
from tests.bench.advice_tables import TABLES, variables

PERSONS = 120_000
HOUSEHOLDS = 4
"""As many as give about 3,500 cells, the size at which others were measured; the list of the advice has 13."""
MIXED_KINDS_OF_PERSONS = 3

Shares = NDArray[np.float64]
Skew = Callable[[np.random.Generator, int], Shares]


def with_few_households() -> dict[str, Variable]:
    """Return the variables of the advice's tables, with fewer kinds of households."""
    households = Hierarchy(tuple((f"h{number}", "") for number in range(HOUSEHOLDS)))
    known = variables()
    del known["household"]  # drawn last, so that seeds settle the same worlds whatever the list of the advice
    return {**known, "household": Variable("household", (households,))}


def long_tail(rng: np.random.Generator, leaves: int) -> Shares:
    """Each category holds a fixed part of the one before, in an order of its own."""
    return rng.permutation(0.72 ** np.arange(leaves))


def power_law(rng: np.random.Generator, leaves: int) -> Shares:
    """Few large categories and many small ones of like size."""
    return rng.permutation(1.0 / np.arange(1, leaves + 1) ** 2.0)


def lumpy(rng: np.random.Generator, leaves: int) -> Shares:
    """Whatever a sparse Dirichlet distribution gives."""
    return rng.dirichlet(np.full(leaves, 0.15))


KINDS: dict[str, tuple[Skew, int]] = {
    "long_tail": (long_tail, 1),
    "power_law": (power_law, 1),
    "mixed": (lumpy, MIXED_KINDS_OF_PERSONS),
}
"""The skew of categories, and how many kinds of persons there are, each with shares of its own: one is independence."""


def quarter(kind: str, seed: int, persons: int = PERSONS) -> tuple[Table, ...]:
    """Return the six tables of one quarter."""
    skew, kinds_of_persons = KINDS[kind]
    rng = np.random.default_rng([sorted(KINDS).index(kind), seed])
    of_kind = rng.integers(0, kinds_of_persons, persons)
    known = with_few_households()
    columns = {name: _column(rng, skew, of_kind, len(variable.leaves)) for name, variable in known.items()}
    specs = (
        TableSpec(f"t{n}", tuple(known[v] for v in names), ("2009-Q2",), kind) for n, names in enumerate(TABLES, 1)
    )
    return tuple(_counted(spec, columns) for spec in specs)


def _column(rng: np.random.Generator, skew: Skew, of_kind: NDArray[np.int64], leaves: int) -> NDArray[np.int64]:
    """Draw a category for each person by the shares of the person's kind."""
    column = np.zeros(len(of_kind), dtype=np.int64)
    for number in range(int(of_kind.max()) + 1):
        shares = skew(rng, leaves)
        here = of_kind == number
        column[here] = rng.choice(leaves, int(here.sum()), p=shares / shares.sum())
    return column


def _counted(spec: TableSpec, columns: dict[str, NDArray[np.int64]]) -> Table:
    shape = tuple(len(variable.leaves) for variable in spec.dimensions)
    place = np.ravel_multi_index(tuple(columns[variable.id] for variable in spec.dimensions), shape)
    counts = np.bincount(place, minlength=int(np.prod(shape))).reshape((1, *shape))
    return Table.from_leaves(spec, counts)
