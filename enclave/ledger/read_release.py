"""Reading a release back, after verification: the tables as the attacker and stage 2 need them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from enclave.errors import IntegrityError
from enclave.ledger.codelists_csv import codelist_path
from enclave.ledger.manifest import MANIFEST
from enclave.ledger.release_content import NO_FIGURE
from enclave.ledger.verify_release import examine
from enclave.sdc.table import Hierarchy, Mark, ProtectedTable, TableSpec, Variable
from enclave.sdc.words import LANGUAGES, Words


@dataclass(frozen=True, slots=True)
class Release:
    """A verified release: its tables, what its marks can stand for, the words of its codes, and the whole manifest."""

    tables: tuple[ProtectedTable, ...]
    marks: tuple[Mark, ...]
    labels: Mapping[str, Mapping[str, Words]]
    manifest: Mapping[str, Any]


def read_release(folder: Path, public_key_pem: bytes | None) -> Release:
    """Verify the folder and return what it says; `public_key_pem` None is for results that are unsigned on purpose.

    The bytes that are read are the very bytes that were verified. Raises IntegrityError with the first problem.
    """
    problems, files = examine(folder, public_key_pem)
    if problems:
        raise IntegrityError("RELEASE_INVALID", f"release '{folder.name}' does not verify: {problems[0]}")
    return release_of(json.loads(files[MANIFEST]), files)


def release_of(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Release:
    """Return what files say that were verified already, or that the house itself sealed."""
    names = sorted({name for table in manifest["tables"] for name in (*table["dimensions"], *table["filter"])})
    lists = {name: _codelist_rows(files, name) for name in names}
    variables = {name: _variable(name, hierarchies) for name, hierarchies in lists.items()}
    return Release(
        tables=tuple(_table(entry, variables, files[entry["file"]]) for entry in manifest["tables"]),
        marks=tuple(Mark(mark["code"], mark["minimum"], mark["maximum"]) for mark in manifest["marks"]),
        labels={name: _labels(hierarchies) for name, hierarchies in lists.items()},
        manifest=manifest,
    )


Rows = list[dict[str, str]]


def _codelist_rows(files: Mapping[str, bytes], name: str) -> list[Rows]:
    """Return the rows of each hierarchy of a variable."""
    found: list[Rows] = []
    while (data := files.get(codelist_path(name, len(found) + 1))) is not None:
        found.append(list(csv.DictReader(io.StringIO(data.decode(), newline=""))))
    return found


def _variable(name: str, hierarchies: Sequence[Rows]) -> Variable:
    return Variable(name, tuple(Hierarchy(tuple((row["code"], row["parent"]) for row in rows)) for rows in hierarchies))


def _labels(hierarchies: Sequence[Rows]) -> dict[str, Words]:
    return {
        row["code"]: Words(*(row[f"label_{language}"] for language in LANGUAGES))
        for rows in hierarchies
        for row in rows
    }


def _table(entry: Mapping[str, Any], variables: Mapping[str, Variable], data: bytes) -> ProtectedTable:
    spec = TableSpec(
        id=entry["id"],
        dimensions=tuple(variables[name] for name in entry["dimensions"]),
        periods=tuple(entry["periods"]),
        population=entry["population"],
        unit=entry["unit"],
        measure=entry["measure"],
        filters=tuple((variables[name], code) for name, code in entry["filter"].items()),
        constant=frozenset(entry["constant"]),
        data_date=entry["data_date"],
    )
    values, marks, structural = zip(*_cells(data), strict=True)
    return ProtectedTable(
        spec,
        _shaped(spec, np.array(values, dtype=np.int64)),
        _shaped(spec, np.array(marks)),
        _shaped(spec, np.array(structural, dtype=np.bool_)),
        entry["decimals"],
    )


def _cells(data: bytes) -> Iterator[tuple[int, str, bool]]:
    """Yield figure (0 where there is none), mark, and whether it is a structural zero, in the order of the file."""
    rows = csv.reader(io.StringIO(data.decode(), newline=""))
    next(rows)
    for *_, figure, mark, status in rows:
        yield int(figure.replace(".", "") or 0), status if status in NO_FIGURE else mark, status == "Z"


def _shaped(spec: TableSpec, column: Any) -> Any:
    """Return a column of the file, where the period varies fastest, in the spec's shape, where it comes first."""
    return np.moveaxis(column.reshape(*spec.shape[1:], spec.shape[0]), -1, 0)
