"""Bad rows, planted among the good ones, so that intake has something to find.

Each is about a person who stands nowhere else, or an exact copy of a good row: whoever leaves all bad rows out counts
the same as in a delivery without faults.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from enclave.synthetic import identifiers
from enclave.synthetic.presets import FileFormat
from enclave.synthetic.rows import Rows

_SHARE: Final = 2e-5
"""Of each kind, per good row; at least one. Far below the error limit of the sources, 2 %."""
NOT_UTF8: Final = "\udcff"
"""The byte FF, which no UTF-8 text holds, in a text that is written with the error handler `surrogateescape`."""
_LATE: Final = "2019-12-31"


class Kind(StrEnum):
    """What is wrong with a row; the values are the words that intake uses."""

    INSZ_CHECK_DIGITS = "INSZ_CHECK_DIGITS"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    OUTSIDE_PERIOD = "OUTSIDE_PERIOD"
    FORMULA = "FORMULA"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    RAGGED = "RAGGED"
    ENCODING = "ENCODING"


_ONLY_CSV = (Kind.RAGGED, Kind.ENCODING)


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted row: its kind and its row in the file, the first row being 0."""

    kind: Kind
    row: int


def plant(rows: Rows, file_format: FileFormat, rng: np.random.Generator) -> tuple[Rows, tuple[Fault, ...]]:
    """Return the rows with bad ones among them, and where these are. The first column is the identification number."""
    count = len(rows["insz"])
    kinds = [kind for kind in _kinds(rows, file_format) for _ in range(max(1, round(count * _SHARE)))]
    models = rng.integers(0, count, len(kinds))
    # A copy comes after its model: the model is the row that is kept.
    lowest = np.where(np.array(kinds) == Kind.DUPLICATE_ROW, models + 1, 0)
    places = rng.integers(lowest, count + 1)
    order = np.argsort(places, kind="stable")
    bad = [_bad_row(kinds[one], [str(column[models[one]]) for column in rows.values()], rows) for one in order]
    planted = {
        name: np.insert(column, places[order], np.array([row[place] for row in bad], dtype=object))
        for place, (name, column) in enumerate(rows.items())
    }
    return planted, tuple(Fault(kinds[one], int(places[one]) + earlier) for earlier, one in enumerate(order))


def _kinds(rows: Rows, file_format: FileFormat) -> list[Kind]:
    """Return the kinds of fault that such a file can have."""
    kinds = [kind for kind in Kind if kind is not Kind.OUTSIDE_PERIOD or "end" in rows]
    return [kind for kind in kinds if kind not in _ONLY_CSV or file_format is FileFormat.CSV]


def _bad_row(kind: Kind, row: list[str], rows: Rows) -> list[str]:
    """Return the row spoiled, about a stranger; an exact copy stays as it is."""
    if kind is Kind.DUPLICATE_ROW:
        return row
    number = identifiers.stranger(int(row[0]))
    row = [f"{number:011d}", *row[1:]]
    if kind is Kind.INSZ_CHECK_DIGITS:
        row[0] = f"{identifiers.spoil(number):011d}"
    elif kind is Kind.OUTSIDE_PERIOD:
        row[list(rows).index("end")] = _LATE
    else:
        row[1] = _SPOILED[kind](row[1])
    return row


_SPOILED: Final[dict[Kind, Callable[[str], str]]] = {
    Kind.UNKNOWN_CODE: lambda _code: "999",
    Kind.FORMULA: lambda code: f"=HYPERLINK({code})",
    # Files are written without quotation marks: the comma makes one field too many.
    Kind.RAGGED: lambda code: f"{code},{code}",
    Kind.ENCODING: lambda code: f"{code}{NOT_UTF8}",
}
"""What becomes of the code in the second column."""
