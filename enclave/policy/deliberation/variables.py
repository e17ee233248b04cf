"""The variables of a deliberation: what is delivered, what is only read to derive it, and the classes of numbers."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from enclave.policy.base import Fault, Label, Model, Slug, Text, Words, refuse_faults, repeated
from enclave.policy.expression.evaluate import Classes
from enclave.policy.expression.types import Kind, Type

AS_DELIVERED = "as_delivered"
"""The scheme of classes that the supplier defines, with a code book that comes with the delivery."""
DERIVED = "derived"
Origin = Annotated[str, StringConstraints(pattern=r"^(derived|[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)$")]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Gap = Literal["by_design", "not_answered", "not_applicable", "unknown", "zero"]
"""What can stand in place of a value. Zero is a value; it is named so that nobody takes it for one of the others."""
Unit = Literal["person", "employer", "job", "household"]
ValueKind = Literal["identifier", "class", "number", "amount", "quarter"]
GEOGRAPHY = {
    "municipalities": "municipality",
    "job_centre_areas": "job_centre_area",
    "centre_cities": "centre_city",
    "districts": "district",
    "provinces": "province",
    "regions": "region",
}
"""Code lists of places, with their level, the finest first."""
LEVELS = (*GEOGRAPHY.values(), "country")


class Held(Model):
    """What a delivered variable and an input have in common."""

    id: Slug
    label: Label
    kind: ValueKind
    """identifier: replaced by a code; class: one of a scheme; amount: in euro; quarter: a year and a quarter."""
    scheme: Slug | None
    """For classes the code list or `as_delivered`; for delivered identifiers the coding domain; null for the rest."""
    unit: Unit
    moment: Slug
    from_: Origin = Field(alias="from")
    """Source and column, or `derived`."""
    gaps: tuple[Gap, ...]
    paragraph: Text

    @property
    def source(self) -> str | None:
        """The id of the source; None for what is derived."""
        return None if self.from_ == DERIVED else self.from_.split(".")[0]

    @property
    def geography(self) -> str | None:
        """The level of place that it tells; None where it tells none by a code list of ours."""
        return GEOGRAPHY.get(self.scheme or "")

    @property
    def type(self) -> Type:
        """What kind of value it is in expressions."""
        if self.kind in {"class", "quarter"}:
            return Type(Kind.CODE, None if self.scheme == AS_DELIVERED else self.scheme)
        return Type(Kind.KEY if self.kind == "identifier" else Kind.NUMBER)

    @model_validator(mode="after")
    def _fit(self) -> "Held":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        coded = self.kind == "identifier" and isinstance(self, DataVariable)
        if (self.scheme is not None) != (self.kind == "class" or coded):
            sentence = "classes name a scheme, delivered identifiers a coding domain, nothing else does; correct it"
            yield Fault("POLICY_INCONSISTENT", ("scheme",), sentence)
        if repeated(self.gaps):
            yield Fault("POLICY_INCONSISTENT", ("gaps",), "a gap stands twice; name each once")


class DataVariable(Held):
    """One variable that is delivered; anything that is not listed is refused."""

    level: Words
    """How fine: what one value is."""


class InputVariable(Held):
    """One variable that is read to derive others, and never delivered."""


class ClassScheme(Model):
    """Classes of numbers: each code of the list with its lower bound."""

    codelist: Slug
    of: Words
    """What number is classed."""
    bounds: Annotated[tuple[int | float, ...], Field(min_length=1)]
    data_sets: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """Where these classes are used, and nowhere else."""
    point: Slug | None
    """The open point that chose the bounds; null where the text gives them."""
    paragraph: Text

    @model_validator(mode="after")
    def _fit(self) -> "ClassScheme":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if list(self.bounds) != sorted(set(self.bounds)):
            yield Fault("POLICY_INCONSISTENT", ("bounds",), "the bounds do not rise; write each once, in order")

    def classes(self, leaves: tuple[str, ...]) -> Classes:
        """Return the classes for evaluation, given the codes of the list."""
        return Classes(self.bounds, leaves[: len(self.bounds)])


class Derivation(Model):
    """How a derived variable follows from others of its data set and from inputs."""

    variable: Slug
    data_set: Slug
    expression: Expression
    says: Words
    """The same in words."""
    paragraph: Text


class Family(Model):
    """An open family of the text ("such as"), written out and signed: nothing else belongs to it."""

    id: Slug
    text: Words
    """The words of the document."""
    data_set: Slug | None = None
    variables: tuple[Slug, ...] = ()
    codelist: Slug | None = None
    codes: tuple[str, ...] = ()
    reason: Words
    signed_by: Words
    signed_on: dt.date
    paragraph: Text

    @model_validator(mode="after")
    def _fit(self) -> "Family":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        of_variables, of_codes = (
            (self.data_set is not None, bool(self.variables)),
            (
                self.codelist is not None,
                bool(self.codes),
            ),
        )
        if {of_variables, of_codes} != {(True, True), (False, False)}:
            sentence = "a family lists the variables of a data set, or the codes of a code list; write one of the two"
            yield Fault("FAMILY_OPEN", (), sentence)
