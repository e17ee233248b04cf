"""What the text of an advice leaves open: each point is answered in the policy, with reason, decider and day."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from pydantic import model_validator

from enclave.policy.base import Fault, Model, Text, Words, refuse_faults


class Answers(NamedTuple):
    """The answers that the text of the document allows to one point."""

    supported: tuple[str, ...]
    not_yet: tuple[str, ...]
    """Allowed by the text, but this product does not do it: refused rather than silently read as something else."""


ALLOWED: dict[str, Answers] = {
    "window": Answers(("same_calendar_quarters",), ("from_own_quarter",)),
    "household_situation": Answers(("lipro",), ("living_wage_category",)),
    "origin": Answers(("nationality",), ("four_criteria",)),
    "cluster": Answers(("municipality_typology_table",), ()),
    "dead_and_emigrated": Answers(("keep_as_unknown",), ("leave_tables",)),
    "pooling": Answers(("pooled", "per_group"), ()),
}


class Decision(Model):
    """What is asked, why it was answered as it was, by whom and when."""

    question: Words
    paragraph: Text
    reason: Words
    decided_by: Words
    decided_on: date


class OpenPoint(Decision):
    """A point answered by one of `ALLOWED`."""

    choice: Text


class OpenThreshold(Decision):
    """A point answered by a count."""

    choice: int


class OpenPoints(Model):
    """Every point that advice 17/17 leaves open. None can be left out."""

    window: OpenPoint
    household_situation: OpenPoint
    origin: OpenPoint
    cluster: OpenPoint
    dead_and_emigrated: OpenPoint
    pooling: OpenPoint
    threshold: OpenThreshold

    @model_validator(mode="after")
    def _answered(self) -> "OpenPoints":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        for name, answers in ALLOWED.items():
            choice = getattr(self, name).choice
            choose = " or ".join(answers.supported)
            if choice in answers.not_yet:
                sentence = f"the text allows '{choice}', but this product does not do it yet; choose {choose}"
                yield Fault("CHOICE_NOT_SUPPORTED", (name, "choice"), sentence)
            elif choice not in answers.supported:
                yield Fault("POLICY_VALUE", (name, "choice"), f"this is no answer to the point; choose {choose}")

    def decided(self) -> Iterator[tuple[str, date]]:
        """Yield each point with the day of its decision."""
        for name in type(self).model_fields:
            yield name, getattr(self, name).decided_on
