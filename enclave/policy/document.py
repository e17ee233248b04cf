"""The fields of an advice, each right by itself; `model.py` adds what must hold between them."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from enclave.policy.base import Slug
from enclave.policy.content import PolicyTable, PolicyVariable, Stages
from enclave.policy.frame import Frame
from enclave.policy.legal import Actors, Basis, Prerequisite, Retention
from enclave.policy.open_points import OpenPoints
from enclave.policy.population import Population


class PolicyDocument(Frame):
    """One file such as `advice-17-17.yaml`: the common frame, and what an advice adds to it."""

    schema_: Literal["policy/1"] = Field(alias="schema")
    kind: Literal["advice"]
    version: Annotated[int, Field(ge=1)]
    effective: dt.date
    actors: Actors
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
    stages: Stages

    def variable(self, variable_id: str) -> PolicyVariable | None:
        """Return the variable of this id, or None where the policy does not list it."""
        return next((variable for variable in self.variables if variable.id == variable_id), None)
