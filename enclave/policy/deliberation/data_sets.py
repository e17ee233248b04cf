"""The data sets that are delivered: rows, variables, the steps that make them, and the coding of their numbers."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.policy.base import Fault, Label, Model, Slug, Text, Words, refuse_faults, repeated
from enclave.policy.deliberation.sources import Identifier
from enclave.policy.deliberation.variables import DataVariable, Unit

Level = Literal["municipality", "job_centre_area", "centre_city", "district", "province", "region", "country"]
_TAKES = {
    "select": {"source", "by"},
    "look_up": {"source", "by", "finds"},
    "join": {"source", "by", "rows"},
    "derive": {"variables"},
    "class": {"variables"},
}


class Step(Model):
    """One step of linking; it works on what the steps before it have gathered.

    select: take the numbers that a source lists; look_up: find other numbers by them; join: put a source's variables
    to them; derive: work variables out; class: put numbers into classes.
    """

    do: Literal["select", "look_up", "join", "derive", "class"]
    says: Words
    source: Slug | None = None
    by: Identifier | None = None
    finds: Identifier | None = None
    rows: Literal["all", "matched"] | None = None
    """all: who is not in the source stays, with a gap; matched: who is not in it is left out."""
    variables: tuple[Slug, ...] | None = None
    paragraph: Text

    @model_validator(mode="after")
    def _fit(self) -> "Step":
        given = {name for name in ("source", "by", "finds", "rows", "variables") if getattr(self, name) is not None}
        if given != _TAKES[self.do]:
            sentence = f"the step {self.do} takes {', '.join(sorted(_TAKES[self.do]))} and nothing else; correct it"
            refuse_faults([Fault("POLICY_INCONSISTENT", (), sentence)])
        return self


class DataSet(Model):
    """One data set. Nothing is in it but the listed variables."""

    id: Slug
    label: Label
    unit: Unit
    """What one row is about."""
    about: Words
    snapshots: Slug | None
    """The moment whose quarters give one row each; null for one row in all."""
    paragraphs: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    """The paragraphs that grant it; each variable rests on one of them."""
    finest_place: Level
    """The finest place that is granted in it."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    variables: Annotated[tuple[DataVariable, ...], Field(min_length=1)]

    def variable(self, variable_id: str) -> DataVariable | None:
        """Return the variable of this id, or None where the data set does not list it."""
        return next((variable for variable in self.variables if variable.id == variable_id), None)


class Domain(Model):
    """Within it, one number has one code for ever; codes of two domains say nothing about each other."""

    id: Slug
    identifier: Identifier
    data_sets: Annotated[tuple[Slug, ...], Field(min_length=1)]


class Apart(Model):
    """Data sets that nobody may join, so they share no domain."""

    data_sets: Annotated[tuple[Slug, ...], Field(min_length=2)]
    point: Slug
    paragraph: Text


class Coding(Model):
    """How numbers are replaced by meaningless ones."""

    codes: Literal["drawn_at_random"]
    """Never computed from the number, never in its order."""
    successor: Literal["same_code"]
    """A number that takes another's place keeps the code."""
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    apart: tuple[Apart, ...]
    paragraph: Text

    def domain(self, domain_id: str | None) -> Domain | None:
        """Return the domain of this id, or None where there is none."""
        return next((domain for domain in self.domains if domain.id == domain_id), None)

    @model_validator(mode="after")
    def _fit(self) -> "Coding":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if repeated(domain.id for domain in self.domains):
            yield Fault("POLICY_INCONSISTENT", ("domains",), "a domain stands twice; name each once")
        pairs = [(domain.identifier, name) for domain in self.domains for name in domain.data_sets]
        if repeated(pairs):
            sentence = "a data set has one domain for each kind of number; keep one"
            yield Fault("POLICY_INCONSISTENT", ("domains",), sentence)
        for position, apart in enumerate(self.apart):
            for number, domain in enumerate(self.domains):
                if len(set(domain.data_sets) & set(apart.data_sets)) > 1:
                    sentence = (
                        f"'{domain.id}' would let people join data sets kept apart in entry {position + 1}; split it"
                    )
                    yield Fault("CODING_SHARED", ("domains", number), sentence)
