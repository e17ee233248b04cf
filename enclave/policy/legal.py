"""The legal frame of a policy: numbers, basis, actors, purpose, what was asked and granted, how long, on what terms."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from enclave.policy.base import Fault, Label, Model, Slug, Text, Words, refuse_faults

Dossier = Annotated[str, StringConstraints(pattern=r"^[A-Z]+(/[A-Z]+)*/[0-9]{2}/[0-9]{3}$")]
Decision = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}/[0-9]{1,3}$")]


class Numbers(Model):
    """The two numbers of one document: that of the file, and that of the decision. They differ."""

    dossier: Dossier
    decision: Decision


class Basis(Model):
    """One provision that the document rests on."""

    text: Words
    paragraph: Text


class Actor(Model):
    """Who takes part."""

    name: Label
    paragraph: Text


class Actors(Model):
    """Who asks and receives, who supplies and codes, who decides."""

    requester: Actor
    supplier: Actor
    authoriser: Actor


class Purpose(Model):
    """What the tables are for."""

    text: Label
    paragraph: Text


class Retention(Model):
    """Until when the data may be kept, and when the house looks again. One of the two dates is mandatory."""

    until: date | None
    """Last day on which the data may exist; null where the document sets none."""
    review: date | None
    paragraph: Text

    @model_validator(mode="after")
    def _end(self) -> "Retention":
        if self.until is None and self.review is None:
            refuse_faults(
                [
                    Fault(
                        "POLICY_INCONSISTENT",
                        (),
                        "the data would be kept for ever; write a retention date (until) or a date of review",
                    )
                ]
            )
        return self


class Prerequisite(Model):
    """Something that must be on file before the data may be used."""

    id: Slug
    kind: Literal["receipt", "dpia", "record_of_processing", "contract"]
    text: Words
    paragraph: Text


def legal_faults(policy_id: str, kind: str, numbers: Numbers, dates: Mapping[str, date | None]) -> Iterator[Fault]:
    """Yield what does not fit among id, numbers and dates (`date`, `effective`, `until`, `review`)."""
    wanted = f"{kind}-{numbers.decision.replace('/', '-')}"
    if policy_id != wanted:
        yield Fault("POLICY_INCONSISTENT", ("id",), f"the id follows from kind and decision number; write {wanted}")
    if numbers.dossier.endswith(numbers.decision):
        yield Fault("POLICY_INCONSISTENT", ("numbers",), "dossier and decision have numbers of their own; look them up")
    order = (("date", "effective", ("effective",)), ("effective", "until", ("retention", "until")))
    for early, late, path in (*order, ("effective", "review", ("retention", "review"))):
        first, second = dates[early], dates[late]
        if first is not None and second is not None and second < first:
            yield Fault(
                "POLICY_INCONSISTENT", path, f"this day lies before the policy's `{early}`; correct one of the two"
            )
