"""What a source delivers (`policies/sources/*.yaml`): columns, kinds, codes, and how many bad rows are too many."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from enclave.policy import strict_yaml
from enclave.policy.base import Code, Fault, Label, Model, Slug, refuse_faults, repeated
from enclave.policy.refusal import build


class Column(Model):
    """One column of a delivered file."""

    name: Slug
    kind: Literal["insz", "code", "date", "int"]
    """insz: person number of 11 digits; code: a class; date: a day written 2009-06-30; int: a whole number."""
    required: bool
    """False: the field may be empty."""
    codes: Annotated[tuple[Code, ...], Field(min_length=1)] | None = None
    """The codes themselves, for a short list that only this source uses ..."""
    codelist: Slug | None = None
    """... or the id of a code list."""
    leaves_only: bool = False
    """True: only the finest codes of the code list may be delivered."""
    within_period: bool | None = None
    """For dates: whether the day must lie in the period of the file."""

    @model_validator(mode="after")
    def _fit(self) -> "Column":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        named = [given for given in (self.codes, self.codelist) if given is not None]
        if len(named) != (self.kind == "code"):
            sentence = "a column of kind code, and no other, names either codes or a codelist; name one of them"
            yield Fault("POLICY_INCONSISTENT", ("kind",), sentence)
        if (self.kind == "date") != (self.within_period is not None):
            yield Fault(
                "POLICY_INCONSISTENT",
                ("kind",),
                "only a date lies within a period or not; write within_period there, and nowhere else",
            )
        if self.leaves_only and self.codelist is None:
            yield Fault("POLICY_INCONSISTENT", ("leaves_only",), "leaves_only needs a codelist; name it or remove this")
        if repeated(self.codes or ()):
            yield Fault("POLICY_INCONSISTENT", ("codes",), "a code stands twice; name each once")


class SourceSchema(Model):
    """The form of one source's deliveries."""

    schema_: Literal["source/1"] = Field(alias="schema")
    id: Slug
    institution: Label
    period: Literal["quarter", "once"]
    """quarter: one file for each quarter, `support_2009-Q2.csv`; once: one file, `clusters.csv`."""
    formats: Annotated[tuple[Literal["csv", "parquet"], ...], Field(min_length=1)]
    identifier: Slug | None
    """The column with the person number; null for a source that is not about persons."""
    unique: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """Columns that no two rows share all of."""
    error_limit: Annotated[float, Field(ge=0, lt=1)]
    """Share of bad rows above which the delivery is refused whole."""
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]

    @classmethod
    def from_yaml(cls, name: str, text: str) -> "SourceSchema":
        """Read a source schema; PolicyError with file, line and what to do for anything that is wrong."""
        return build(cls, strict_yaml.read(name, text), None)

    def column(self, name: str) -> Column | None:
        """Return the column of this name, or None where there is none."""
        return next((column for column in self.columns if column.name == name), None)

    @model_validator(mode="after")
    def _fit(self) -> "SourceSchema":
        refuse_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        for field, values in (
            ("columns", [column.name for column in self.columns]),
            ("unique", self.unique),
            ("formats", self.formats),
        ):
            if repeated(values):
                yield Fault("POLICY_INCONSISTENT", (field,), "something stands twice; name each once")
        required = {column.name for column in self.columns if column.required}
        if not set(self.unique) <= required:
            yield Fault("POLICY_INCONSISTENT", ("unique",), "rows are compared by required columns; name only those")
        numbers = [column.name for column in self.columns if column.kind == "insz"]
        if numbers != ([] if self.identifier is None else [self.identifier]) or not set(numbers) <= required:
            sentence = "the one column of kind insz identifies, and is required; name it, or null where there is none"
            yield Fault("POLICY_INCONSISTENT", ("identifier",), sentence)
        if self.period == "once" and any(column.within_period for column in self.columns):
            yield Fault(
                "POLICY_INCONSISTENT",
                ("period",),
                "a file without a period cannot hold dates within it; set within_period to false",
            )
