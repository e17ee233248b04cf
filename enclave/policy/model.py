"""A policy that holds together: the only door from a YAML text to what may be processed, made and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from pydantic import PrivateAttr, ValidationInfo, model_validator

from enclave.errors import EnclaveBug
from enclave.policy import checks, strict_yaml
from enclave.policy.base import Label, refuse_faults
from enclave.policy.codelist import Codelist
from enclave.policy.document import PolicyDocument
from enclave.policy.house import HousePolicy, load_house
from enclave.policy.quarter import Quarter
from enclave.policy.refusal import build
from enclave.policy.source import SourceSchema
from enclave.sdc.table import TableSpec, Variable

__all__ = ["HousePolicy", "Policy", "load_house", "load_policy"]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a policy is checked against."""

    house: HousePolicy
    codelists: Mapping[str, Codelist]
    sources: Mapping[str, SourceSchema] | None
    sha256: str


class Policy(PolicyDocument):
    """A policy whose parts fit each other, the house, the code lists and the sources; made by `load_policy` only."""

    _sha256: str = PrivateAttr(default="")

    def model_post_init(self, context: object, /) -> None:
        """Keep the hash of the text."""
        self._sha256 = _surroundings(context).sha256

    @model_validator(mode="after")
    def _fit(self, info: ValidationInfo) -> "Policy":
        around = _surroundings(info.context)
        refuse_faults(
            chain(
                checks.floor_faults(self, around.house),
                checks.document_faults(self),
                checks.constant_faults(self),
                checks.choice_faults(self),
                checks.text_faults(self, around.house),
                checks.codelist_faults(self, around.codelists),
            )
        )
        if around.sources is not None:
            refuse_faults(checks.source_faults(self, around.sources, around.codelists))
        return self

    @property
    def sha256(self) -> str:
        """SHA-256 of the text that was loaded, in hexadecimal."""
        return self._sha256

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

    def legend(self, house: HousePolicy) -> dict[str, Label]:
        """Return what each mark says to the reader: "C" with one mark; "C" (small) and "D" (withheld) with two."""
        zero = house.texts.zero_shown if self.rules.zeros.value == "show" else house.texts.zero_hidden
        fields = {"C": "mark"} if self.rules.mark.value == "one" else {"C": "mark_primary", "D": "mark_secondary"}
        words: dict[str, Label] = {
            mark: getattr(self.texts, field) or getattr(house.texts, field) for mark, field in fields.items()
        }
        return {mark: _joined(label, zero) for mark, label in words.items()}


def _joined(first: Label, second: Label) -> Label:
    return Label(nl=f"{first.nl}; {second.nl}", fr=f"{first.fr} ; {second.fr}", en=f"{first.en}; {second.en}")


def _surroundings(context: object) -> _Surroundings:
    if not isinstance(context, _Surroundings):
        raise EnclaveBug("POLICY_UNCHECKED", "a policy was made without its house; make policies by load_policy only")
    return context


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
    return build(Policy, document, _Surroundings(house, codelists, sources, document.sha256))
