"""The codebook: the variables that the policy allows, with their codes, labels in three languages, and dates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from . import html
from .errors import InputError
from .words import ALL_TOGETHER, TOTAL, Words


@dataclass(frozen=True, slots=True)
class Code:
    """One class of a variable; `parent` is "" directly under the total, dates are None where none is set."""

    code: str
    parent: str
    label: Words
    valid_from: str | None = None
    valid_to: str | None = None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Code":
        """Read a code as the gateway tells it."""
        dates = (raw.get("valid_from") or None, raw.get("valid_to") or None)
        return cls(raw["code"], raw.get("parent") or "", Words.of(raw["label"], "a label"), *dates)


@dataclass(frozen=True)
class Variable:
    """A variable with its codes in canonical order. `language` is that in which it shows itself."""

    id: str
    label: Words
    codes: tuple[Code, ...]
    unit: str = ""
    source: str = ""
    reference: str = ""
    paragraph: str = ""
    language: str = "en"

    @classmethod
    def of(cls, raw: Mapping[str, Any], language: str) -> "Variable":
        """Read a variable as the gateway tells it."""
        facts = {name: str(raw.get(name) or "") for name in ("unit", "source", "reference", "paragraph")}
        codes = tuple(Code.of(code) for code in raw["codes"])
        return cls(raw["id"], Words.of(raw["label"], "a label"), codes, **facts, language=language)

    @cached_property
    def by_code(self) -> Mapping[str, Code]:
        """Each code by its name; the total is not among them."""
        return {code.code: code for code in self.codes}

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The finest codes: those that stand in the data."""
        parents = {code.parent for code in self.codes}
        return tuple(code.code for code in self.codes if code.code not in parents)

    def line(self, code: str) -> tuple[str, ...]:
        """Return a code with everything above it, up to the total."""
        climbing, found = code, []
        while climbing:
            found.append(climbing)
            climbing = self.by_code[climbing].parent
        return (*found, TOTAL)

    def level(self, code: str) -> int:
        """Return how deep a code stands: 0 for the total, 1 directly under it."""
        return 0 if code == TOTAL else len(self.line(code)) - 1

    def members(self, code: str) -> frozenset[str]:
        """Return the finest codes that `code` stands for; InputError where the variable does not have it."""
        self.check(code)
        return frozenset(leaf for leaf in self.leaves if code in self.line(leaf))

    def check(self, code: str) -> None:
        """Refuse what is not a code of this variable."""
        if code != TOTAL and code not in self.by_code:
            raise InputError(
                "UNKNOWN_CODE", f"'{code}' is not a code of '{self.id}'; look at project.codebook['{self.id}']"
            )

    def say(self, code: str) -> str:
        """Return the label of a code, in the variable's language."""
        words = ALL_TOGETHER if code == TOTAL else self.by_code[code].label
        return words.say(self.language)

    @property
    def frame(self) -> pd.DataFrame:
        """All codes as a DataFrame: code, parent, level, label_nl, label_fr, label_en, valid_from, valid_to."""
        rows = [
            (c.code, c.parent, self.level(c.code), c.label.nl, c.label.fr, c.label.en, c.valid_from, c.valid_to)
            for c in self.codes
        ]
        names = ["code", "parent", "level", "label_nl", "label_fr", "label_en", "valid_from", "valid_to"]
        return pd.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        return f"{self.id}: {self.label.say(self.language)} ({len(self.codes)} codes)"

    def _repr_html_(self) -> str:
        head = ("code", "nl", "fr", "en", "valid from", "valid to")
        rows = [
            (
                "\u2003" * (self.level(c.code) - 1) + c.code,
                *c.label.as_dict().values(),
                c.valid_from or "",
                c.valid_to or "",
            )
            for c in self.codes
        ]
        facts = f"unit {self.unit}; source {self.source}; reference {self.reference}; paragraph {self.paragraph}"
        title = f"{self.id}: {self.label.say(self.language)}"
        return html.block(html.heading(title), html.note(facts), html.grid(head, rows))


@dataclass(frozen=True)
class Codebook:
    """The project's variables by id: `project.codebook["position"]`, `project.codebook.frame`."""

    variables: tuple[Variable, ...]
    language: str = "en"
    _by_id: dict[str, Variable] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {variable.id: variable for variable in self.variables})

    @classmethod
    def of(cls, raw: Sequence[Mapping[str, Any]], language: str) -> "Codebook":
        """Read the variables as the gateway tells them."""
        return cls(tuple(Variable.of(variable, language) for variable in raw), language)

    def __getitem__(self, variable_id: str) -> Variable:
        if variable_id not in self._by_id:
            raise InputError(
                "UNKNOWN_VARIABLE",
                f"the policy has no variable '{variable_id}'; it has {', '.join(self._by_id)}",
            )
        return self._by_id[variable_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, variable_id: object) -> bool:
        return variable_id in self._by_id

    def _ipython_key_completions_(self) -> list[str]:
        """Tell IPython what may stand between the brackets."""
        return list(self._by_id)

    @property
    def frame(self) -> pd.DataFrame:
        """All codes of all variables as one DataFrame."""
        frames = [variable.frame.assign(variable=variable.id) for variable in self.variables]
        whole = pd.concat(frames, ignore_index=True)
        return whole[["variable", *(name for name in whole.columns if name != "variable")]]

    def __repr__(self) -> str:
        return "\n".join(repr(variable) for variable in self.variables)

    def _repr_html_(self) -> str:
        head = ("variable", "nl", "fr", "en", "codes", "source", "reference", "paragraph")
        rows = [
            (v.id, *v.label.as_dict().values(), str(len(v.codes)), v.source, v.reference, v.paragraph)
            for v in self.variables
        ]
        look = html.note("project.codebook['position'] shows the codes of a variable; .frame gives a DataFrame")
        return html.block(html.heading("Codebook"), html.grid(head, rows), look)
