"""The ladder of places: what is shown instead of a municipality where too few people stand behind it."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.policy.base import Code, Fault, Model, Ruling, Slug, Text, Words, refuse_faults
from enclave.policy.deliberation.data_sets import Level
from enclave.policy.deliberation.variables import LEVELS


class Rung(Model):
    """One step up: what is shown on it."""

    level: Level
    shows: Annotated[tuple[Level, ...], Field(min_length=1)]
    only_in: tuple[Code, ...] = ()
    """Codes of the regions where such areas exist; elsewhere the rung is skipped. Empty: everywhere."""
    table: Slug | None = None
    """Source that says which municipalities form the area; null where the code list says it."""
    point: Slug | None
    """The open point that added the rung; null where the text names it."""
    paragraph: Text


class Subgroup(Model):
    """Whom one counts: the place, together with these variables."""

    variables: tuple[Slug, ...]
    point: Slug


class Counting(Model):
    """displayed: the records that would carry the label; whole_area: everybody living in the area."""

    value: Literal["displayed", "whole_area"]
    point: Slug


class Beside(Model):
    """Other variables that tell where a person lives: shown only from the rung that is not finer than they are."""

    variables: tuple[Slug, ...]
    rule: Literal["hidden_when_finer_than_the_rung"]
    point: Slug


class Ladder(Model):
    """The rungs from the finest place to the coarsest."""

    data_set: Slug
    variable: Slug
    minimum: Ruling[int]
    """The least subgroup that may be shown with its place."""
    subgroup: Subgroup
    counting: Counting
    municipalities_of: date
    """The day whose municipalities are meant; codes of other years are translated, or refused."""
    rungs: Annotated[tuple[Rung, ...], Field(min_length=2)]
    beside: Beside
    report: Words
    """What is reported to stewards."""
    paragraph: Text

    @model_validator(mode="after")
    def _fit(self) -> "Ladder":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        order = [LEVELS.index(rung.level) for rung in self.rungs]
        if order != sorted(set(order)):
            yield Fault(
                "POLICY_INCONSISTENT", ("rungs",), "each rung is coarser than the one before; put them in order"
            )
        if self.rungs[-1].level != "country":
            sentence = "someone could be left on a place that is too small; end the ladder with the level country"
            yield Fault("LADDER_ENDS_EARLY", ("rungs",), sentence)
        for position, rung in enumerate(self.rungs):
            if any(LEVELS.index(shown) < order[position] for shown in rung.shows):
                sentence = "a rung shows nothing finer than itself; remove what is finer"
                yield Fault("POLICY_INCONSISTENT", ("rungs", position, "shows"), sentence)
            if rung.only_in and position + 1 == len(self.rungs):
                yield Fault(
                    "POLICY_INCONSISTENT", ("rungs", position), "the last rung is there for all; remove only_in"
                )
