"""Where the data of a deliberation comes from, and for which day or period."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.errors import PolicyError
from enclave.policy.base import Fault, Label, Model, Slug, Text, Words, refuse_faults, repeated
from enclave.policy.quarter import Quarter

Identifier = Literal["insz", "enterprise_number"]


class Moment(Model):
    """A reference date or period. Variables name moments by id, so that two of them are never taken for one."""

    id: Slug
    label: Label
    taken: Literal[
        "on_day", "on_days", "last_day_of_quarter", "any_day_in_quarter", "over_quarter", "over_year", "open"
    ]
    """any_day_in_quarter: once is enough; over_quarter, over_year: summed; open: the text names no date."""
    days: tuple[dt.date, ...] = ()
    first: str | None = None
    """First quarter, such as 2006-Q4 ..."""
    last: str | None = None
    """... and the last one, the same for a single quarter."""
    year: int | None = None
    paragraph: Text

    @property
    def quarters(self) -> tuple[Quarter, ...]:
        """The quarters, in order; none where days or a year are meant."""
        if self.first is None or self.last is None:
            return ()
        first = Quarter.parse(self.first)
        return first.span(Quarter.parse(self.last) - first + 1)

    @model_validator(mode="after")
    def _fit(self) -> "Moment":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        given = {"days": bool(self.days), "quarters": self.first is not None or self.last is not None}
        given["year"] = self.year is not None
        wanted = {"on_day": "days", "on_days": "days", "over_year": "year", "open": ""}.get(self.taken, "quarters")
        if {name for name, there in given.items() if there} != ({wanted} if wanted else set()):
            sentence = f"'{self.taken}' needs {wanted or 'no date'} and nothing else; correct it"
            yield Fault("POLICY_INCONSISTENT", ("taken",), sentence)
        elif wanted == "days" and (len(self.days) == 1) != (self.taken == "on_day"):
            yield Fault("POLICY_INCONSISTENT", ("days",), "on_day has one day, on_days several; correct one of the two")
        elif wanted == "quarters":
            yield from self._quarter_faults()

    def _quarter_faults(self) -> Iterator[Fault]:
        try:
            fits = bool(self.quarters)
        except PolicyError:
            fits = False
        if not fits:
            yield Fault(
                "POLICY_VALUE", ("first",), "first and last are quarters in order, such as 2013-Q4; correct them"
            )


class Conflict(Model):
    """Two paragraphs that say different things about where a source comes from."""

    between: Annotated[tuple[Text, ...], Field(min_length=2)]
    says: Words
    point: Slug
    """The open point that settles it."""


class Holder(Model):
    """Somebody outside who knows what stands in a source, and could recognise respondents by it."""

    name: Label
    knows: Words
    effect: Words
    """What the house does about it."""
    paragraph: Text


class PolicySource(Model):
    """One kind of data that comes in for a deliberation."""

    id: Slug
    label: Label
    suppliers: Annotated[tuple[Slug, ...], Field(min_length=1)]
    identifiers: tuple[Identifier, ...]
    """The numbers by which its rows are linked; none for a table about places."""
    moments: Annotated[tuple[Slug, ...], Field(min_length=1)]
    delivery: Literal["handed_over", "looked_up"]
    """handed_over: the supplier sends it to CBSS beforehand; looked_up: CBSS takes it from the network."""
    coverage: Literal["everybody", "some"]
    """some: who is not in it is missing by design, so it is joined without losing anybody."""
    form: Slug | None
    """Id of the schema of its files; null until the form is agreed, and until then nothing can be taken in."""
    conflicts: tuple[Conflict, ...] = ()
    held_by: tuple[Holder, ...] = ()
    paragraph: Text

    @model_validator(mode="after")
    def _fit(self) -> "PolicySource":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        for field in ("suppliers", "identifiers", "moments"):
            if repeated(getattr(self, field)):
                yield Fault("POLICY_INCONSISTENT", (field,), "something stands twice; name each once")
