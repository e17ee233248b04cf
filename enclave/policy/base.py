"""What all policy models share: strictness, the kinds of text they hold, and faults that are found across fields."""

from collections.abc import Iterable
from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from enclave.policy.strict_yaml import Path

Value = TypeVar("Value")

Text = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^\S(.*\S)?$")]
"""One line of text without outer blanks."""
Words = Annotated[str, StringConstraints(min_length=3, max_length=400, pattern=r"^[^\W_](.*\S)?$")]
"""Text that says something: it starts with a letter or a digit."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""The id of a variable, table, source, column or code list."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,19}$")]
"""A code of a code list."""


class Model(BaseModel):
    """A part of a policy: nothing is converted, nothing unknown is taken, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Label(Model):
    """A text in the three languages of the house."""

    nl: Words
    fr: Words
    en: Words


class Ruling(Model, Generic[Value]):
    """A value with the paragraph (or "house") that it rests on."""

    value: Value
    paragraph: Text


class Fault(NamedTuple):
    """One thing that does not fit: a stable code, where it stands (path from the model that finds it), what to do."""

    code: str
    path: Path
    sentence: str


def refuse_faults(faults: Iterable[Fault]) -> None:
    """Raise all faults as one error of the model that is being validated; nothing happens where there are none."""
    found = tuple(faults)
    if found:
        raise PydanticCustomError("faults", "the parts do not fit each other", {"faults": found})


def repeated(values: Iterable[object]) -> bool:
    """Return whether anything stands twice."""
    listed = list(values)
    return len(set(listed)) != len(listed)
