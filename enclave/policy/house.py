"""The house's own rules (`policies/house.yaml`): floors below which no policy goes, whoever signs it."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, cast

from pydantic import Field, PrivateAttr, model_validator

from enclave.policy import strict_yaml
from enclave.policy.base import Fault, Label, Model, refuse_faults, repeated
from enclave.policy.refusal import build

LEAST_MINIMUM_FREQUENCY = 5
"""Deliberation 15/018 par. 6. It stands in code too, so that editing the house file does not lower it."""
LEAST_OUTPUT_CHECKERS = 2
"""Two distinct persons look at what leaves; in code for the same reason."""


class Floors(Model):
    """The least that every policy must ask for."""

    minimum_frequency: int
    output_checkers: int
    attackers: Annotated[tuple[Literal["outsider"], ...], Field(min_length=1)]
    """Attackers that every release faces, whatever its policy says."""
    marks: Annotated[int, Field(ge=1, le=2)]
    retention_warning_days: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    """How many days before a retention date the stewards are warned, the earliest warning first."""

    @model_validator(mode="after")
    def _hold(self) -> "Floors":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        for name, least in (
            ("minimum_frequency", LEAST_MINIMUM_FREQUENCY),
            ("output_checkers", LEAST_OUTPUT_CHECKERS),
        ):
            if getattr(self, name) < least:
                yield Fault("BELOW_HOUSE_FLOOR", (name,), f"the house never goes below {least}; write {least} or more")
        if list(self.retention_warning_days) != sorted(set(self.retention_warning_days), reverse=True):
            yield Fault(
                "POLICY_INCONSISTENT",
                ("retention_warning_days",),
                "the days are out of order; list them from many to few, each once",
            )
        if repeated(self.attackers):
            yield Fault("POLICY_INCONSISTENT", ("attackers",), "an attacker stands twice; name each once")


class HouseTexts(Model):
    """What a hidden cell says to the reader. A policy may put its own text in place of `mark`."""

    mark: Label
    """With one mark: a small count, or withheld to protect one."""
    mark_primary: Label
    """With two marks: a small count."""
    mark_secondary: Label
    """With two marks: withheld to protect another."""
    zero_shown: Label
    """Added where every zero is shown."""
    zero_hidden: Label
    """Added where a hidden cell can be zero."""


class HousePolicy(Model):
    """The rules of the house; made by `load_house` only."""

    schema_: Literal["house/1"] = Field(alias="schema")
    version: Annotated[int, Field(ge=1)]
    effective: date
    floors: Floors
    texts: HouseTexts
    _sha256: str = PrivateAttr(default="")

    def model_post_init(self, context: object, /) -> None:
        """Keep the hash of the text, which `load_house` passes as context."""
        self._sha256 = cast("str", context)

    @property
    def sha256(self) -> str:
        """SHA-256 of the text that was loaded, in hexadecimal."""
        return self._sha256


def load_house(name: str, text: str) -> HousePolicy:
    """Read `house.yaml`; PolicyError with file, line and what to do for anything that is wrong."""
    document = strict_yaml.read(name, text)
    return build(HousePolicy, document, document.sha256)
