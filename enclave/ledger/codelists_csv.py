"""Code lists as CSV, one file per hierarchy: code, parent, label_nl, label_fr, label_en."""

import csv
import io
from collections.abc import Mapping

from enclave.sdc.table import Hierarchy
from enclave.sdc.words import LANGUAGES, Words

COLUMNS = ("code", "parent", *(f"label_{language}" for language in LANGUAGES))
"""Columns of a code list; an empty parent means directly under the total."""


def codelist_path(variable_id: str, number: int) -> str:
    """Return the path of hierarchy `number` (1, 2, ...) inside the release."""
    return f"codelists/{variable_id}.{number}.csv"


def codelist_csv(hierarchy: Hierarchy, labels: Mapping[str, Words]) -> bytes:
    """Return one hierarchy in canonical order with its labels."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for code, parent in hierarchy.parents:
        writer.writerow((code, parent, *labels[code].all))
    return text.getvalue().encode()
