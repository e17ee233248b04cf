"""Code lists of a problem: variables with all their hierarchies, and the words of their codes.

A variable has, in every table, all hierarchies that any table names for it. A row for the total itself may stand in a
code list (under the name that a table gives it, or as `_T`); it says nothing new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enclave.errors import RequestError
from enclave.sdc.table import TOTAL, Hierarchy, Variable
from enclave.sdc.words import LANGUAGES, Words
from enclave.wiring.protect_tables.csv_file import CsvFile
from enclave.wiring.protect_tables.problem import TableSource

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Classified:
    """The variables by their names, and for each the words of its codes."""

    variables: Mapping[str, Variable]
    labels: Mapping[str, Mapping[str, Words]]


def read_codelists(tables: Sequence[TableSource]) -> Classified:
    """Read every code list once; RequestError with the file for what is wrong in it."""
    files: dict[str, dict[Path, None]] = {}
    totals: dict[str, set[str]] = {}
    for table in tables:
        for name, paths in table.dimensions.items():
            files.setdefault(name, {}).update(dict.fromkeys(paths))
            totals.setdefault(name, {TOTAL}).add(table.total.get(name, TOTAL))
    variables, labels = {}, {}
    for name, lists in files.items():
        read = [CsvFile.read(path) for path in lists]
        trees = [_hierarchy(file, frozenset(totals[name])) for file in read]
        labels[name] = {code: words for file in reversed(read) for code, words in _labels(file).items()}
        variables[name] = _variable(name, trees, [file.name for file in read])
    return Classified(variables, labels)


def _hierarchy(file: CsvFile, totals: frozenset[str]) -> Hierarchy:
    """Return the tree of one file, the total's own row left out."""
    file.require("code", "parent")
    rows = []
    for row in file.rows:
        code, parent = row.fields["code"], row.fields["parent"]
        if code in totals:
            if parent and parent not in totals:
                raise file.error("CODELIST_TOTAL", row, f"'{code}' is the total, and cannot stand under '{parent}'")
            continue
        rows.append((code, "" if parent in totals else parent))
    try:
        return Hierarchy(tuple(rows))
    except RequestError as error:
        raise RequestError(error.code, f"{file.name}: {error.message}") from None


def _variable(name: str, trees: Sequence[Hierarchy], files: Sequence[str]) -> Variable:
    try:
        return Variable(name.lower(), tuple(dict.fromkeys(trees)))
    except RequestError as error:
        message = f"{', '.join(files)}: {error.message}; every table must classify '{name}' down to the same codes"
        raise RequestError(error.code, message) from None


def _labels(file: CsvFile) -> dict[str, Words]:
    """Return the words of each code: label_nl, label_fr, label_en, else any label there is, else the code."""
    columns = [column for column in file.header if column.startswith("label")]
    found = {}
    for row in file.rows:
        any_text = next((row.fields[column] for column in columns if row.fields[column]), row.fields["code"])
        texts = (row.fields.get(f"label_{language}") or any_text for language in LANGUAGES)
        found[row.fields["code"]] = Words(*texts)
    return found
