"""The deliveries that one year of a policy is made of: which are needed, are they there, and their columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.errors import DeliveryError, PolicyError
from enclave.linkage.deliveries import period_label
from enclave.linkage.linking import MISSING, Values
from enclave.linkage.ports import Store
from enclave.linkage.taken import Delivered, versions
from enclave.policy.codelist import Codelist
from enclave.policy.content import PolicyVariable
from enclave.policy.model import Policy
from enclave.policy.quarter import Quarter
from enclave.policy.source import SourceSchema

POPULATION = "population"
"""The source of variables that the cohort builder makes."""
QUARTER_END = "quarter end"
REGISTER = "register"
"""The source that says who is alive and who lives here; always needed."""

Key = tuple[str, Quarter | None]


@dataclass(frozen=True, slots=True)
class Year:
    """One year of a policy with all that it is made of: schemas and code lists by id, and the last deliveries."""

    store: Store
    policy: Policy
    year: int
    schemas: Mapping[str, SourceSchema]
    codelists: Mapping[str, Codelist]
    delivered: Mapping[Key, Delivered]

    @classmethod
    def gather(
        cls,
        store: Store,
        policy: Policy,
        year: int,
        schemas: Mapping[str, SourceSchema],
        codelists: Mapping[str, Codelist],
    ) -> "Year":
        """Find the last version of every delivery that the year needs; DeliveryError naming all that are missing."""
        found: dict[Key, Delivered] = {}
        missing = []
        for source, period in _needed(policy, year, schemas):
            known = versions(store, source, period_label(period))
            if known:
                found[source, period] = known[-1]
            else:
                missing.append(f"{source} {period_label(period)}")
        if missing:
            message = f"year {year} of {policy.id} lacks deliveries: {', '.join(missing)}; take these in first"
            raise DeliveryError("DELIVERY_MISSING", message)
        return cls(store, policy, year, schemas, codelists, found)

    @property
    def stamp(self) -> str:
        """The stamp of the deliveries: "SYNTHETIC", or "" for real ones; intake takes no mixture."""
        return next(iter(self.delivered.values())).facts["stamp"]

    def file(self, source: str, period: Quarter | None) -> str:
        """Return the name of the file that was delivered."""
        return self.delivered[source, period].file

    def read(self, source: str, period: Quarter | None, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return columns of a delivery; codes as positions in its codebook."""
        return self.delivered[source, period].read(self.store, columns)

    def codes(self, source: str, period: Quarter | None, column: str) -> tuple[str, ...]:
        """Return the codes that the values of a column of a delivery are positions in."""
        return self.delivered[source, period].codebook[column]

    def leaves(self, variable: PolicyVariable) -> tuple[str, ...]:
        """Return the codes that the stored values of a variable are positions in."""
        return self.codelists[variable.codelist].leaves

    def unknown(self, variable: PolicyVariable) -> int:
        """Return the stored value for "not known"; MISSING where the variable has none."""
        return MISSING if variable.unknown is None else self.leaves(variable).index(variable.unknown)

    def values(self, variable: PolicyVariable, period: Quarter | None, stored: NDArray[np.integer[Any]]) -> Values:
        """Turn a column of a delivery into values of the variable that rests on it; an empty field becomes MISSING.

        A code that is no class of the variable stands for the class above it, as a municipality for its region;
        PolicyError where nothing above it is a class.
        """
        leaves = self.leaves(variable)
        column = self.schemas[variable.source].column(variable.column)
        climbing = self.codelists[(column and column.codelist) or variable.codelist]
        codes = self.codes(variable.source, period, variable.column)
        meaning = [leaves.index(climbing.ancestor_in(code, leaves)) for code in codes]
        return np.array([*meaning, MISSING], dtype=np.int64).take(stored)


def _needed(policy: Policy, year: int, schemas: Mapping[str, SourceSchema]) -> Iterator[Key]:
    """Yield the source and period of every delivery that the year needs, each once."""
    for quarter in policy.cohorts(year).values():
        yield policy.population.select.source, quarter
    sources = {variable.source for variable in policy.variables} - {POPULATION}
    for source in sorted(sources | {REGISTER}):
        if source not in schemas:
            message = f"{policy.id} asks for source '{source}', of which there is no schema; add it to policies/sources"
            raise PolicyError("SOURCE_MISSING", message)
        is_once = schemas[source].period == "once"
        yield from ((source, period) for period in ((None,) if is_once else policy.window(year)))
