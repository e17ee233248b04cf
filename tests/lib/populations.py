"""Small random populations, and requests about them as a curious analyst would make: filters, complements, subgroups.

Everything follows from one `random.Random`, so that a seed gives the same population and the same requests again.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from enclave.sdc.table import OR, Table, TableSpec, Variable
from tests.lib.tables import NO_PERIOD, levels

SEX = Variable.flat("sex", ("M", "F"))
WORK = Variable.flat("work", ("job", "none", "leave"))
AREA = levels("area", _T="north south", north="a b", south="c d")
ALL = (SEX, WORK, AREA)

Person = tuple[str, ...]


@dataclass(frozen=True)
class Population:
    """Persons by their leaf of each variable, at one state of the data."""

    variables: tuple[Variable, ...]
    persons: tuple[Person, ...]
    data_date: str = ""

    @classmethod
    def drawn(cls, chance: random.Random, variables: tuple[Variable, ...] = ALL, most: int = 60) -> "Population":
        """Draw a population in which some groups are rare."""
        weights = [[chance.choice((1, 2, 4, 9)) for _ in v.leaves] for v in variables]
        size = chance.randint(8, most)
        persons = tuple(
            tuple(chance.choices(v.leaves, w)[0] for v, w in zip(variables, weights, strict=True)) for _ in range(size)
        )
        return cls(variables, persons)

    def corrected(self, chance: random.Random, date: str) -> "Population":
        """Return the population after a correction: one to three persons leave, come, or change one attribute."""
        persons = list(self.persons)
        for _ in range(chance.randint(1, 3)):
            which = chance.randrange(len(persons))
            person = list(persons.pop(which))
            if chance.random() < 0.3 and len(persons) > 5:
                continue
            axis = chance.randrange(len(person))
            person[axis] = chance.choice(self.variables[axis].leaves)
            persons.append(tuple(person))
        return replace(self, persons=tuple(persons), data_date=date)

    def table(self, name: str, dimensions: Sequence[Variable], filters: Sequence[tuple[Variable, str]] = ()) -> Table:
        """Return the true table of these dimensions over the persons that the filters leave."""
        spec = TableSpec(
            name, tuple(dimensions), (NO_PERIOD,), "clients", filters=tuple(filters), data_date=self.data_date
        )
        place = {v.id: i for i, v in enumerate(self.variables)}
        leaves = np.zeros((1, *(len(v.leaves) for v in dimensions)), dtype=np.int64)
        for person in self.persons:
            if all(person[place[v.id]] in v.members(code) for v, code in filters):
                leaves[(0, *(v.leaves.index(person[place[v.id]]) for v in dimensions))] += 1
        return Table.from_leaves(spec, leaves)


@dataclass(frozen=True)
class Request:
    """Dimensions and at most one filtered variable."""

    dimensions: tuple[Variable, ...]
    filtered: tuple[Variable, str] | None = None

    @classmethod
    def drawn(cls, chance: random.Random, variables: Sequence[Variable]) -> "Request":
        """Draw one or two dimensions, and in half of the cases a filter on another variable."""
        order = chance.sample(list(variables), len(variables))
        dimensions = tuple(order[: chance.choice((1, 1, 2))])
        rest = order[len(dimensions) :]
        if not rest or chance.random() < 0.4:
            return cls(dimensions)
        variable = rest[0]
        codes = chance.sample(variable.leaves, chance.randint(1, len(variable.leaves) - 1))
        return cls(dimensions, (variable, variable.selection(codes)))

    def complement(self) -> "Request | None":
        """Return the request of those that the filter leaves out."""
        if self.filtered is None:
            return None
        variable, code = self.filtered
        out = [leaf for leaf in variable.leaves if leaf not in variable.members(code)]
        return Request(self.dimensions, (variable, variable.selection(out)))

    def narrower(self, chance: random.Random) -> "Request":
        """Return the request of a subgroup: one leaf less, or a filter where there was none."""
        if self.filtered is None:
            return self
        variable, code = self.filtered
        leaves = sorted(variable.members(code))
        if len(leaves) < 2:
            return self
        leaves.remove(chance.choice(leaves))
        return Request(self.dimensions, (variable, variable.selection(leaves)))

    def unfiltered(self) -> "Request":
        """Return the request about everybody."""
        return Request(self.dimensions)

    def of(self, population: Population, name: str) -> Table:
        """Return the true table that this request asks for."""
        return population.table(name, self.dimensions, [self.filtered] if self.filtered else [])

    def __str__(self) -> str:
        where = f" where {self.filtered[0].id} in {self.filtered[1].replace(OR, ' or ')}" if self.filtered else ""
        return " x ".join(v.id for v in self.dimensions) + where


def follow_up(chance: random.Random, earlier: Sequence[Request], variables: Sequence[Variable]) -> Request:
    """Return the next request of somebody who looks for differences: often a relative of an earlier one."""
    if not earlier or chance.random() < 0.4:
        return Request.drawn(chance, variables)
    before = chance.choice(earlier)
    return chance.choice((before, before.complement() or before, before.narrower(chance), before.unfiltered()))


def combinations(variables: Sequence[Variable]) -> list[tuple[Variable, ...]]:
    """Return every non-empty set of variables, smallest first."""
    return [c for size in range(1, len(variables) + 1) for c in itertools.combinations(variables, size)]
