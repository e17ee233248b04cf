"""Whom a policy is about: groups with ordered exclusions, and the yearly roll of their quarters."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.errors import PolicyError
from enclave.policy.base import Code, Fault, Model, Slug, Text, refuse_faults, repeated
from enclave.policy.quarter import Quarter


class Roll(Model):
    """How the first group's quarter follows from the year of delivery: n-7, second quarter."""

    from_year_offset: Annotated[int, Field(ge=-50, le=-1)]
    first_quarter: Annotated[int, Field(ge=1, le=4)]
    groups: Annotated[int, Field(ge=1, le=20)]
    paragraph: Text


class Select(Model):
    """Which records make a person a client: any day in the quarter. Equivalent living wage (RMH) never does."""

    source: Slug
    regimes: Annotated[tuple[Literal["RMI"], ...], Field(min_length=1)]
    forms: Annotated[tuple[Literal["living_wage", "activation"], ...], Field(min_length=1)]
    paragraph: Text


class Group(Model):
    """The clients of the `quarter`-th quarter (from 1) who are in none of the groups `not_in`."""

    code: Code
    quarter: int
    not_in: tuple[Code, ...]


class Population(Model):
    """The groups, and the quarters for which their position is looked up."""

    unit: Literal["person"]
    paragraph: Text
    first_year: Annotated[int, Field(ge=1000, le=9000)]
    roll: Roll
    window_quarters: Annotated[int, Field(ge=1, le=80)]
    select: Select
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]

    def first_quarter(self, year: int) -> Quarter:
        """Return the first group's quarter in the delivery for `year`; PolicyError YEAR_NOT_COVERED if too early."""
        if year < self.first_year:
            message = f"the first delivery is for {self.first_year}, not for {year}; ask for {self.first_year} or later"
            raise PolicyError("YEAR_NOT_COVERED", message)
        return Quarter(year + self.roll.from_year_offset, self.roll.first_quarter)

    def cohorts(self, year: int) -> dict[str, Quarter]:
        """Return the quarter of each group in the delivery for `year`."""
        first = self.first_quarter(year)
        return {group.code: first + (group.quarter - 1) for group in self.groups}

    def window(self, year: int) -> tuple[Quarter, ...]:
        """Return the quarters of the tables: the same calendar quarters for all groups, from the first group's on."""
        return self.first_quarter(year).span(self.window_quarters)

    @model_validator(mode="after")
    def _fit(self) -> "Population":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if len(self.groups) != self.roll.groups:
            yield Fault("POLICY_INCONSISTENT", ("groups",), "there must be as many groups as `roll.groups` says")
        if repeated(self.select.regimes) or repeated(self.select.forms):
            yield Fault("POLICY_INCONSISTENT", ("select",), "something stands twice; name each once")
        earlier: tuple[str, ...] = ()
        for position, group in enumerate(self.groups):
            if group.quarter != position + 1:
                sentence = "groups follow each other quarter by quarter from 1; correct the number"
                yield Fault("POLICY_INCONSISTENT", ("groups", position, "quarter"), sentence)
            if group.not_in != earlier or group.code in earlier:
                sentence = "nobody may be in two groups; name every earlier group in `not_in`, in order"
                yield Fault("POLICY_INCONSISTENT", ("groups", position, "not_in"), sentence)
            earlier = (*earlier, group.code)
        if self.window_quarters < self.roll.groups:
            sentence = "the window must hold the quarters of all groups; make it longer"
            yield Fault("POLICY_INCONSISTENT", ("window_quarters",), sentence)
        quarters_ahead = self.roll.from_year_offset * 4 + self.roll.first_quarter - 1 + self.window_quarters
        if quarters_ahead > 4:  # noqa: PLR2004  the quarters of the year of delivery itself
            yield Fault("POLICY_INCONSISTENT", ("window_quarters",), "the window ends after its year; make it shorter")
