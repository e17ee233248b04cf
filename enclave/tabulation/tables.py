"""From cubes to tables: what one pass over the data must count, and every table with its margins out of the counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.table import Ints, Table, TableSpec, Variable
from enclave.tabulation.cube import Cube

COUNT = "count"
"""The measure that is counted here: distinct respondents."""


@dataclass(frozen=True)
class Plan:
    """Tables that are counted in one pass over one population.

    RequestError when there is none, when they are not about one population and unit, when a measure is not a count of
    respondents, and when one variable has different leaves in two tables.
    """

    specs: tuple[TableSpec, ...]

    def __post_init__(self) -> None:
        if len({(spec.population, spec.unit) for spec in self.specs}) != 1:
            raise RequestError(
                "NOT_ONE_POPULATION", "tables counted together must be about one population and one unit; ask apart"
            )
        leaves: dict[str, tuple[str, ...]] = {}
        for spec in self.specs:
            if spec.measure != COUNT:
                raise RequestError("MEASURE_UNKNOWN", f"table '{spec.id}' does not ask for counts; ask for '{COUNT}'")
            for variable in _variables(spec):
                if leaves.setdefault(variable.id, variable.leaves) != variable.leaves:
                    raise RequestError(
                        "VARIABLE_DIFFERS", f"'{variable.id}' has other classes in table '{spec.id}'; use one code list"
                    )

    @cached_property
    def unit(self) -> str:
        """What is counted; also the name of the column that tells respondents apart."""
        return self.specs[0].unit

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable that classifies or filters, once, in order of first use: those of the cube."""
        found: dict[str, Variable] = {}
        for spec in self.specs:
            for variable in _variables(spec):
                found.setdefault(variable.id, variable)
        return tuple(found.values())

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """Every period of any table, once, in order of first use."""
        return tuple(dict.fromkeys(period for spec in self.specs for period in spec.periods))


def inner_cells(cube: Cube, spec: TableSpec) -> Ints:
    """Return the counts of one period for the leaves of the table's dimensions, after its filters."""
    chosen = np.ones(len(cube.counts), dtype=np.bool_)
    for variable, code in spec.filters:
        members = variable.members(code)
        is_member = np.array([leaf in members for leaf in variable.leaves])
        chosen &= is_member[cube.categories[variable.id]]
    shape = tuple(len(variable.leaves) for variable in spec.dimensions)
    places = np.zeros(len(cube.counts), dtype=np.int64)
    for variable in spec.dimensions:
        places = places * len(variable.leaves) + cube.categories[variable.id]
    figures = np.zeros(prod(shape), dtype=np.int64)
    np.add.at(figures, places[chosen], cube.counts[chosen])
    return figures.reshape(shape)


def assemble(plan: Plan, counted: Mapping[str, tuple[Ints, ...]]) -> tuple[Table, ...]:
    """Return the plan's tables with all margins; `counted` holds the inner cells of every table, for each period."""
    return tuple(
        Table.from_leaves(spec, np.stack([counted[period][place] for period in spec.periods]))
        for place, spec in enumerate(plan.specs)
    )


def _variables(spec: TableSpec) -> Iterator[Variable]:
    yield from spec.dimensions
    yield from (variable for variable, _ in spec.filters)
