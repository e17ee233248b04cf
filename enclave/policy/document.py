"""The fields of a policy file, each right by itself; `model.py` adds what must hold between them."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from enclave.policy.base import Model, Ruling, Slug
from enclave.policy.content import PolicyTable, PolicyTexts, PolicyVariable, Rules, Stages
from enclave.policy.legal import Actors, Basis, Numbers, Prerequisite, Purpose, Retention
from enclave.policy.open_points import OpenPoints
from enclave.policy.population import Population


class PolicyDocument(Model):
    """One file such as `advice-17-17.yaml`, field by field in the order of the file."""

    schema_: Literal["policy/1"] = Field(alias="schema")
    id: str
    kind: Literal["advice"]
    version: Annotated[int, Field(ge=1)]
    effective: dt.date
    numbers: Numbers
    date: dt.date
    legal_basis: Annotated[tuple[Basis, ...], Field(min_length=1)]
    actors: Actors
    purpose: Purpose
    asked: Basis
    granted: Basis
    retention: Retention
    prerequisites: tuple[Prerequisite, ...]
    open_points: OpenPoints
    population: Population
    variables: Annotated[tuple[PolicyVariable, ...], Field(min_length=1)]
    constant: tuple[Slug, ...]
    """Variables that do not change per person; checked on the data when it is prepared."""
    tables: Annotated[tuple[PolicyTable, ...], Field(min_length=1)]
    rules: Rules
    output_checkers: Ruling[int]
    stages: Stages
    texts: PolicyTexts

    def variable(self, variable_id: str) -> PolicyVariable | None:
        """Return the variable of this id, or None where the policy does not list it."""
        return next((variable for variable in self.variables if variable.id == variable_id), None)
