"""A policy that holds together: the only door from a YAML text to what may be processed, made and shown."""

from collections.abc import Mapping
from itertools import chain

from pydantic import ValidationInfo, model_validator

from enclave.policy import checks, strict_yaml
from enclave.policy.base import refuse_faults
from enclave.policy.codelist import Codelist
from enclave.policy.document import PolicyDocument
from enclave.policy.frame import Surroundings, floor_faults, surroundings, text_faults
from enclave.policy.house import HousePolicy, load_house
from enclave.policy.quarter import Quarter
from enclave.policy.refusal import build
from enclave.policy.source import SourceSchema
from enclave.sdc.table import TableSpec, Variable

__all__ = ["HousePolicy", "Policy", "load_house", "load_policy"]


class Policy(PolicyDocument):
    """A policy whose parts fit each other, the house, the code lists and the sources; made by `load_policy` only."""

    @model_validator(mode="after")
    def _fit(self, info: ValidationInfo) -> "Policy":
        around = surroundings(info.context)
        refuse_faults(
            chain(
                floor_faults(self, around.house),
                checks.document_faults(self),
                checks.constant_faults(self),
                checks.choice_faults(self),
                text_faults(self, around.house),
                checks.codelist_faults(self, around.codelists),
            )
        )
        if around.sources is not None:
            refuse_faults(checks.source_faults(self, around.sources, around.codelists))
        return self

    def project_id(self, year: int) -> str:
        """Return the id of the project that makes the delivery for `year`: "advice-17-17-2016"."""
        return f"{self.id}-{year}"

    def population_id(self, year: int) -> str:
        """Return the id of the population of `year`: "advice-17-17/2016". Each year's is another one."""
        return f"{self.id}/{year}"

    def cohorts(self, year: int) -> dict[str, Quarter]:
        """Return the quarter of each group; PolicyError YEAR_NOT_COVERED before the first year."""
        return self.population.cohorts(year)

    def window(self, year: int) -> tuple[Quarter, ...]:
        """Return the quarters of the tables; PolicyError YEAR_NOT_COVERED before the first year."""
        return self.population.window(year)

    def table_specs(self, year: int, codelists: Mapping[str, Codelist], data_date: str) -> tuple[TableSpec, ...]:
        """Return the tables of `year` in the order of the policy, over its window; `data_date` names the data's state.

        Every table carries all of `constant`, so that what only constant variables classify - the number of all
        persons too - is one cell in all quarters and all tables.
        """
        variables = {
            variable.id: Variable(variable.id, (codelists[variable.codelist].hierarchy(),))
            for variable in self.variables
        }
        periods = tuple(str(quarter) for quarter in self.window(year))
        return tuple(
            TableSpec(
                id=table.id,
                dimensions=tuple(variables[name] for name in table.dimensions),
                periods=periods,
                population=self.population_id(year),
                unit=self.population.unit,
                constant=frozenset(self.constant),
                data_date=data_date,
            )
            for table in self.tables
        )


def load_policy(
    name: str,
    text: str,
    house: HousePolicy,
    codelists: Mapping[str, Codelist],
    sources: Mapping[str, SourceSchema] | None = None,
) -> Policy:
    """Read a policy file; PolicyError with file, line and what to do for anything that is wrong.

    Where `sources` are given, it is also checked that they deliver what the policy lists.
    """
    document = strict_yaml.read(name, text)
    return build(Policy, document, Surroundings(house, codelists, sources, document.sha256))
