"""A project small enough to count by hand, as the gateway tells it: two quarters, two variables, one table."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

PROJECT = "advice-17-17-2016"
PERIODS = ("2009-Q2", "2009-Q3")


def words(text: str) -> dict[str, str]:
    return {language: f"{text} ({language})" for language in ("nl", "fr", "en")}


def _code(code: str, parent: str = "", valid_from: str | None = None) -> dict[str, Any]:
    return {"code": code, "parent": parent, "label": words(f"label {code}"), "valid_from": valid_from, "valid_to": None}


VARIABLES = [
    {
        "id": "sex",
        "label": words("Sex"),
        "unit": "person",
        "source": "register",
        "reference": "quarter end",
        "paragraph": "2",
        "codes": [_code("M"), _code("F")],
    },
    {
        "id": "position",
        "label": words("Position"),
        "unit": "person",
        "source": "positions",
        "reference": "quarter end",
        "paragraph": "2",
        "codes": [_code("1", valid_from="2003-03-31"), _code("11", "1"), _code("12", "1"), _code("2")],
    },
]
TABLES = [
    {"id": "t1", "title": words("Persons"), "dimensions": ["sex", "position"], "paragraph": "3"},
    {"id": "t2", "title": words("Positions"), "dimensions": ["position"], "paragraph": "3"},
]


def facts(*may: str, state: str = "open") -> dict[str, Any]:
    """Return the project as GET .../projects/{project} tells it."""
    return {
        "id": PROJECT,
        "policy": "advice-17-17",
        "year": 2016,
        "title": words("Advice"),
        "numbers": {"decision": "17/17", "dossier": "SCSZG/17/059"},
        "synthetic": True,
        "purpose": words("study"),
        "may": list(may),
        "state": state,
        "variables": VARIABLES,
        "tables": TABLES,
        "operations": ["sum", "share", "change"],
        "threshold": 5,
        "marks": [{"code": "C", "meaning": words("fewer than 5")}],
        "periods": list(PERIODS),
    }


def quarter(rows: Iterable[tuple[int, str, str]]) -> bytes:
    """Return a quarter's data as an Arrow stream: (person, sex, position)."""
    people, sexes, positions = zip(*rows, strict=True)
    return stream(
        {
            "person": pa.array(people, pa.int64()),
            "sex": _texts(sexes),
            "position": _texts(positions),
        }
    )


def released(cells: Iterable[tuple[str, str, str, int | None]]) -> bytes:
    """Return table t1 as an Arrow stream: (sex, position, period, figure or None where it is hidden)."""
    sexes, positions, periods, figures = zip(*cells, strict=True)
    return stream(
        {
            "sex": _texts(sexes),
            "position": _texts(positions),
            "TIME_PERIOD": _texts(periods),
            "UNIT": _texts(["person"] * len(figures)),
            "OBS_VALUE": pa.array(figures, pa.int64()),
            "CONF_STATUS": _texts(["C" if figure is None else "F" for figure in figures]),
            "OBS_STATUS": _texts(["A"] * len(figures)),
        }
    )


def _texts(values: Iterable[str]) -> pa.Array:
    return pa.array(list(values), pa.string()).dictionary_encode()


def stream(columns: dict[str, pa.Array]) -> bytes:
    table, sink = pa.table(columns), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


CELLS = [
    ("_T", "_T", "2009-Q2", 40), ("_T", "1", "2009-Q2", 30), ("_T", "11", "2009-Q2", 20),
    ("_T", "12", "2009-Q2", 10), ("_T", "2", "2009-Q2", 10),
    ("M", "_T", "2009-Q2", 20), ("M", "1", "2009-Q2", 15), ("M", "11", "2009-Q2", None),
    ("M", "12", "2009-Q2", None), ("M", "2", "2009-Q2", 5),
    ("F", "_T", "2009-Q2", 20), ("F", "1", "2009-Q2", 15), ("F", "11", "2009-Q2", None),
    ("F", "12", "2009-Q2", None), ("F", "2", "2009-Q2", 5),
    ("_T", "_T", "2009-Q3", 40), ("_T", "1", "2009-Q3", 40), ("_T", "11", "2009-Q3", 33),
    ("_T", "12", "2009-Q3", 7), ("_T", "2", "2009-Q3", 0),
    ("M", "_T", "2009-Q3", 20), ("M", "1", "2009-Q3", 20), ("M", "11", "2009-Q3", None),
    ("M", "12", "2009-Q3", None), ("M", "2", "2009-Q3", 0),
    ("F", "_T", "2009-Q3", 20), ("F", "1", "2009-Q3", 20), ("F", "11", "2009-Q3", None),
    ("F", "12", "2009-Q3", None), ("F", "2", "2009-Q3", 0),
]  # fmt: skip
"""Table t1 as it could be released: inner cells of positions 11 and 12 are hidden."""
