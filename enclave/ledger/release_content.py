"""What a release says, before it becomes files: plain data that refuses to exist with a hidden figure in it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from enclave.errors import EnclaveBug, RequestError
from enclave.sdc.derive import is_change
from enclave.sdc.table import TOTAL, Mark, ProtectedTable, TableSpec, Variable
from enclave.sdc.words import Words

FREE = "F"
"""Confidentiality status of a shown figure."""

NO_FIGURE = {"N": "not applicable", "L": "missing"}
"""Marks of cells that hide nothing and yet have no figure; they are printed as OBS_STATUS."""

SYNTHETIC = "SYNTHETIC"
"""Stamp of everything that was made from made-up data."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMULA = ("=", "+", "-", "@")

Json: TypeAlias = "str | int | Sequence[Json] | Mapping[str, Json] | None"
"""What canonical JSON can say (a bool is an int): no fractions."""


class Stage(StrEnum):
    """Where a release may be read: inside the building only, or outside (advice 17/17 par. 4)."""

    INSIDE = "inside"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class PolicyReference:
    """The policy that was applied: its id, both document numbers, its version and the hash of its text."""

    id: str
    dossier: str
    decision: str
    version: int
    sha256: str

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise EnclaveBug("POLICY_HASH", f"the hash of policy '{self.id}' is not a sha256 in hexadecimal")


@dataclass(frozen=True, slots=True)
class MarkMeaning:
    """A mark, and what it tells the reader."""

    mark: Mark
    meaning: Words


@dataclass(frozen=True, slots=True)
class RuleApplied:
    """A rule of the policy as it was applied; `parameters` holds whole numbers and texts, no fractions."""

    name: str
    parameters: Mapping[str, Json]
    paragraph: str


@dataclass(frozen=True, slots=True)
class AttackerRun:
    """One attacker that was let loose on the release and all before it."""

    kind: str
    cells_attacked: int
    passed: bool


@dataclass(frozen=True, slots=True)
class ReleaseTable:
    """A protected table with its title."""

    table: ProtectedTable
    title: Words


@dataclass(frozen=True)
class ReleaseContent:
    """Everything that the files of a release say, but for what differs from run to run (see `manifest`).

    `names` holds the words for each variable, `labels` those for each of its codes but the total. `data_snapshot` is a
    random or keyed id of the data, never a plain hash of it. `tools` holds versions of programs.
    Raises RequestError when ids, words or marks are missing, EnclaveBug when a hidden cell still holds a figure.
    """

    project: str
    stage: Stage
    title: Words
    policy: PolicyReference
    tables: tuple[ReleaseTable, ...]
    names: Mapping[str, Words]
    labels: Mapping[str, Mapping[str, Words]]
    marks: tuple[MarkMeaning, ...]
    rules: tuple[RuleApplied, ...]
    attackers: tuple[AttackerRun, ...]
    data_snapshot: str
    tools: Mapping[str, str]
    synthetic: bool
    notes: tuple[Words, ...] = ()

    def __post_init__(self) -> None:
        ids = [entry.table.spec.id for entry in self.tables]
        if not ids or len(set(ids)) != len(ids):
            raise RequestError("RELEASE_TABLES", "a release holds at least one table, each id once")
        codes = [entry.mark.code for entry in self.marks]
        if not codes or len(set(codes)) != len(codes) or set(codes) & {FREE, *NO_FIGURE}:
            raise RequestError("RELEASE_MARKS", f"a release explains each mark once; {FREE}, N and L are taken")
        for entry in self.tables:
            _check_id(entry.table.spec.id)
            _check_cells(entry.table, frozenset(explained.mark.code for explained in self.legend(entry.table.spec)))
        for variable in self.variables:
            self._check_words(variable)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable of the tables and their filters, by id; EnclaveBug when two differ under one id."""
        found: dict[str, Variable] = {}
        for entry in self.tables:
            spec = entry.table.spec
            for variable in (*spec.dimensions, *(v for v, _ in spec.filters)):
                if found.setdefault(variable.id, variable) != variable:
                    raise EnclaveBug("VARIABLE_TWO_WAYS", f"'{variable.id}' has two code lists in one release")
        return tuple(found[name] for name in sorted(found))

    def legend(self, spec: TableSpec) -> tuple[MarkMeaning, ...]:
        """Return the marks that can stand in a table: those without a minimum in changes, all others elsewhere."""
        return tuple(explained for explained in self.marks if (explained.mark.minimum is None) == is_change(spec))

    def label(self, variable_id: str, code: str) -> Words:
        """Return the words for a code, the total's included."""
        return TOTAL_WORDS if code == TOTAL else self.labels[variable_id][code]

    def _check_words(self, variable: Variable) -> None:
        _check_id(variable.id)
        if variable.id not in self.names:
            raise RequestError("RELEASE_LABEL", f"variable '{variable.id}' has no name in nl, fr and en")
        for code in variable.codes[1:]:
            words = self.labels.get(variable.id, {}).get(code)
            if words is None:
                raise RequestError("RELEASE_LABEL", f"code '{code}' of '{variable.id}' has no label in nl, fr and en")
            for text in (code, *words.all):
                _check_plain(text, variable.id)


TOTAL_WORDS = Words("Totaal", "Total", "Total")


def _check_id(name: str) -> None:
    if not _ID.fullmatch(name):
        raise RequestError("RELEASE_ID", f"'{name}' cannot name a file or a column: a-z, 0-9, '_', '-', at most 31")


def _check_plain(text: str, variable_id: str) -> None:
    """Refuse what a spreadsheet program would take for a formula when it opens a code list."""
    if text.startswith(_FORMULA) or any(unicodedata.category(character) == "Cc" for character in text):
        raise RequestError(
            "FORMULA_TEXT", f"'{text}' in the code list of '{variable_id}' begins like a formula; reword the code list"
        )


def _check_cells(table: ProtectedTable, marks: frozenset[str]) -> None:
    """Fail closed: no figure behind a mark, no unknown mark, no structural zero that is hidden or not zero."""
    where = f"table '{table.spec.id}'"
    unknown = set(np.unique(table.marks).tolist()) - marks - {FREE, *NO_FIGURE}
    if unknown:
        raise EnclaveBug("MARK_UNEXPLAINED", f"{where} holds a mark that the release does not explain")
    if np.any(table.values[~table.shown]):
        raise EnclaveBug("HIDDEN_FIGURE", f"{where} still holds a figure where it is hidden; nothing is released")
    if np.any(table.structural & (~table.shown | (table.values != 0))):
        raise EnclaveBug("STRUCTURAL_ZERO", f"{where} calls a cell a structural zero that is hidden or not zero")
