"""On what terms a deliberation was given.

Who takes part, versions, what was asked and granted, how long, on what conditions, and what is forbidden.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from enclave.policy.base import Fault, Label, Model, Slug, Text, Words, refuse_faults
from enclave.policy.legal import Actor, Basis, Decision, Prerequisite

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Supplier(Actor):
    """An institution that data comes from."""

    id: Slug
    named: bool
    """Whether the document itself names it; otherwise it delivers through the data warehouse."""
    within: Literal["requester"] | None
    """requester: it is a part of the recipient, and knows what it supplied."""


class Participants(Model):
    """Who takes part in a deliberation, each in one part."""

    requester: Actor
    """Asks, and receives."""
    commissioner: Actor
    """On whose behalf."""
    linker: Actor
    """Links and codes."""
    authoriser: Actor
    receipt_issuer: Actor
    suppliers: Annotated[tuple[Supplier, ...], Field(min_length=1)]


class Earlier(Model):
    """A decision that this one follows."""

    decision: Decision
    date: dt.date
    text: Words
    paragraph: Text


class Application(Model):
    """When it was asked, and reported on."""

    asked_on: dt.date
    reported_on: dt.date
    paragraph: Text


class Version(Model):
    """One version of the policy: what brought it, and from which day it is in force."""

    version: Annotated[int, Field(ge=1)]
    effective: dt.date
    decision: Decision
    """The decision that brought it: the deliberation itself, or one that amends it."""
    decided: dt.date
    change: Words
    replaces: Sha256 | None
    """SHA-256 of the text of the version before, so that nobody can swap it; null for the first."""


class Reach(Basis):
    """What was asked or granted, and until when the data may be kept by it."""

    until: dt.date


class Extension(Model):
    """A decision to keep the data longer."""

    until: dt.date
    decision: Decision
    decided: dt.date
    """It must lie before the date that it extends (par. 19: beforehand)."""


class TimeLimit(Model):
    """Until when coded data may exist, when people are warned, and what was prolonged in time."""

    until: dt.date
    """Last day; the day after it everything is destroyed."""
    warning_days: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    extensions: tuple[Extension, ...]
    paragraph: Text

    @property
    def end(self) -> dt.date:
        """The last day on which the data may exist."""
        return self.extensions[-1].until if self.extensions else self.until

    @model_validator(mode="after")
    def _in_time(self) -> "TimeLimit":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        end = self.until
        for position, extension in enumerate(self.extensions):
            if extension.decided >= end or extension.until <= end:
                sentence = "an extension is decided before the date that it moves, and moves it later; keep the date"
                yield Fault("EXTENSION_TOO_LATE", ("extensions", position), sentence)
            end = extension.until


class Condition(Prerequisite):
    """Evidence that must be on file whenever the data are opened."""

    applies_from: dt.date
    applies_until: dt.date | None
    """Last day on which it is asked for; null where there is no end."""
    valid_days: Annotated[int, Field(ge=1)] | None
    """How long one piece of evidence holds; null: until it is withdrawn."""

    def applies(self, day: dt.date) -> bool:
        """Return whether the evidence is asked for on a day."""
        return self.applies_from <= day and (self.applies_until is None or day <= self.applies_until)


class Clause(Model):
    """A sentence that is shown to people, in their language, and the paragraph that it says again."""

    text: Label
    paragraph: Text


class Ban(Clause):
    """The ban on re-identification; nobody logs in without having read and accepted it."""

    shown: Literal["at_log_in"]


class Conduct(Model):
    """What the recipient undertakes and what is forbidden."""

    ban: Ban
    undertaking: Clause
    """By contract: every possible means to keep identities from being found out."""
    publication: Clause
    laws: Clause


class Deviation(Model):
    """Where this house does something else than the text says, and why that is allowed."""

    text: Words
    reason: Words
    paragraph: Text
