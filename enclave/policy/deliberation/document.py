"""The fields of a deliberation, each right by itself; `model.py` adds what must hold between them."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from enclave.policy.base import Slug
from enclave.policy.deliberation.data_sets import Coding, DataSet
from enclave.policy.deliberation.geography import Ladder
from enclave.policy.deliberation.open_points import Point
from enclave.policy.deliberation.outputs import AnonymousCount, EmployerAmounts
from enclave.policy.deliberation.sources import Moment, PolicySource
from enclave.policy.deliberation.terms import (
    Application,
    Condition,
    Conduct,
    Deviation,
    Earlier,
    Participants,
    Reach,
    TimeLimit,
    Version,
)
from enclave.policy.deliberation.variables import ClassScheme, Derivation, Family, InputVariable
from enclave.policy.frame import Frame
from enclave.policy.legal import Basis

Points = Annotated[Mapping[Slug, Point], AfterValidator(MappingProxyType)]


class DeliberationDocument(Frame):
    """One file such as `deliberation-15-018.yaml`: the common frame, and what a deliberation adds to it."""

    schema_: Literal["deliberation/1"] = Field(alias="schema")
    kind: Literal["deliberation"]
    paragraphs: Annotated[int, Field(ge=1)]
    """How many numbered paragraphs the document has."""
    versions: Annotated[tuple[Version, ...], Field(min_length=1)]
    """All versions up to this one, which is the last."""
    earlier: Earlier | None
    application: Application
    actors: Participants
    asked: Reach
    granted: Reach
    retention: TimeLimit
    prerequisites: Annotated[tuple[Condition, ...], Field(min_length=1)]
    conduct: Conduct
    findings: tuple[Basis, ...]
    """What the authoriser found: proportionality, risk."""
    deviations: tuple[Deviation, ...]
    open_points: Points
    moments: Annotated[tuple[Moment, ...], Field(min_length=1)]
    sources: Annotated[tuple[PolicySource, ...], Field(min_length=1)]
    classes: tuple[ClassScheme, ...]
    families: tuple[Family, ...]
    coding: Coding
    inputs: tuple[InputVariable, ...]
    derivations: tuple[Derivation, ...]
    data_sets: Annotated[tuple[DataSet, ...], Field(min_length=1)]
    geography: Ladder | None
    employer_amounts: EmployerAmounts | None
    counts: tuple[AnonymousCount, ...]

    def data_set(self, data_set_id: str) -> DataSet | None:
        """Return the data set of this id, or None where there is none."""
        return next((data_set for data_set in self.data_sets if data_set.id == data_set_id), None)

    def source(self, source_id: str | None) -> PolicySource | None:
        """Return the source of this id, or None where it is not listed."""
        return next((source for source in self.sources if source.id == source_id), None)

    def moment(self, moment_id: str) -> Moment | None:
        """Return the moment of this id, or None where it is not listed."""
        return next((moment for moment in self.moments if moment.id == moment_id), None)

    def required(self, day: dt.date) -> tuple[Condition, ...]:
        """Return what must be on file for the data to be opened on a day."""
        return tuple(condition for condition in self.prerequisites if condition.applies(day))

    def in_force(self, day: dt.date) -> Version | None:
        """Return the version in force on a day, or None before the first."""
        return next((version for version in reversed(self.versions) if version.effective <= day), None)
