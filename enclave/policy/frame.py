"""What every policy has, whatever its kind: numbers, date, basis, purpose, safety rules, checkers, words."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PrivateAttr

from enclave.errors import EnclaveBug
from enclave.policy.base import Fault, Label, Model, Ruling
from enclave.policy.codelist import Codelist
from enclave.policy.content import PolicyTexts, Rules
from enclave.policy.house import HousePolicy
from enclave.policy.legal import Basis, Numbers, Purpose
from enclave.policy.source import SourceSchema


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a policy is checked against, and the hash of its text."""

    house: HousePolicy
    codelists: Mapping[str, Codelist]
    sources: Mapping[str, SourceSchema] | None
    sha256: str


def surroundings(context: object) -> Surroundings:
    """Return what a policy is checked against; EnclaveBug where it is made without."""
    if not isinstance(context, Surroundings):
        raise EnclaveBug("POLICY_UNCHECKED", "a policy was made without its house; make policies by load_policy only")
    return context


class Frame(Model):
    """The fields that an advice and a deliberation share."""

    id: str
    numbers: Numbers
    date: dt.date
    legal_basis: Annotated[tuple[Basis, ...], Field(min_length=1)]
    purpose: Purpose
    rules: Rules
    output_checkers: Ruling[int]
    texts: PolicyTexts
    _sha256: str = PrivateAttr(default="")

    def model_post_init(self, context: object, /) -> None:
        """Keep the hash of the text."""
        self._sha256 = surroundings(context).sha256

    @property
    def sha256(self) -> str:
        """SHA-256 of the text that was loaded, in hexadecimal."""
        return self._sha256

    def legend(self, house: HousePolicy) -> dict[str, Label]:
        """Return what each mark says to the reader: "C" with one mark; "C" (small) and "D" (withheld) with two."""
        zero = house.texts.zero_shown if self.rules.zeros.value == "show" else house.texts.zero_hidden
        fields = {"C": "mark"} if self.rules.mark.value == "one" else {"C": "mark_primary", "D": "mark_secondary"}
        words: dict[str, Label] = {
            mark: getattr(self.texts, field) or getattr(house.texts, field) for mark, field in fields.items()
        }
        return {mark: _joined(label, zero) for mark, label in words.items()}


def _joined(first: Label, second: Label) -> Label:
    return Label(nl=f"{first.nl}; {second.nl}", fr=f"{first.fr} ; {second.fr}", en=f"{first.en}; {second.en}")


def floor_faults(policy: Frame, house: HousePolicy) -> Iterator[Fault]:
    """Yield where the policy asks for less than the house's floors."""
    floors = house.floors
    for path, asked, floor in (
        (("rules", "minimum_frequency", "value"), policy.rules.minimum_frequency.value, floors.minimum_frequency),
        (("output_checkers", "value"), policy.output_checkers.value, floors.output_checkers),
        (("rules", "mark", "value"), {"one": 1, "two": 2}[policy.rules.mark.value], floors.marks),
    ):
        if asked < floor:
            yield below_floor(path, floor)


def below_floor(path: tuple[str | int, ...], floor: int) -> Fault:
    """Return the fault of a number that lies below a floor of the house."""
    return Fault("BELOW_HOUSE_FLOOR", path, f"this is below the floor of the house; write {floor} or more")


def text_faults(policy: Frame, house: HousePolicy) -> Iterator[Fault]:
    """Yield where the words for a hidden cell do not name the least count that is in force."""
    least = policy.rules.minimum_frequency.value
    field = "mark" if policy.rules.mark.value == "one" else "mark_primary"
    words: Label = getattr(policy.texts, field) or getattr(house.texts, field)
    for language in ("nl", "fr", "en"):
        if str(least) not in re.findall("[0-9]+", getattr(words, language)):
            sentence = f"readers would be told another number than {least}; write texts.{field} with it in {language}"
            yield Fault("POLICY_INCONSISTENT", ("texts",), sentence)
