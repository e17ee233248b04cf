"""Tables as CSV: UTF-8, comma, RFC 4180, LF; every combination of codes and periods, in canonical order."""

import csv
import io
from collections.abc import Iterator
from itertools import product

import numpy as np

from enclave.ledger.release_content import FREE, NO_FIGURE
from enclave.sdc.table import ProtectedTable, TableSpec

FIGURE_COLUMNS = ("TIME_PERIOD", "UNIT", "OBS_VALUE", "CONF_STATUS", "OBS_STATUS")
"""Columns after the dimensions, named after SDMX."""


def header(spec: TableSpec) -> tuple[str, ...]:
    """Return the column names: the dimensions' ids, then the figure columns."""
    return (*(variable.id for variable in spec.dimensions), *FIGURE_COLUMNS)


def table_csv(table: ProtectedTable) -> bytes:
    """Return the table's file; rows by the codes of the dimensions, the period varies fastest."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header(table.spec))
    writer.writerows(_rows(table))
    return text.getvalue().encode()


def figure(value: int, decimals: int) -> str:
    """Return a scaled whole number as text: -5 with one decimal is "-0.5"."""
    if not decimals:
        return str(value)
    whole, fraction = divmod(abs(value), 10**decimals)
    return f"{'-' if value < 0 else ''}{whole}.{fraction:0{decimals}d}"


def _rows(table: ProtectedTable) -> Iterator[tuple[str, ...]]:
    spec = table.spec
    places = product(*(variable.codes for variable in spec.dimensions), spec.periods)
    arrays = (np.moveaxis(array, 0, -1).ravel().tolist() for array in (table.values, table.marks, table.structural))
    for place, value, mark, structural in zip(places, *arrays, strict=True):
        yield (*place, spec.unit, *_figure_columns(value, mark, structural=structural, decimals=table.decimals))


def _figure_columns(value: int, mark: str, *, structural: bool, decimals: int) -> tuple[str, str, str]:
    """Return OBS_VALUE, CONF_STATUS and OBS_STATUS of one cell."""
    if mark == FREE:
        return figure(value, decimals), FREE, "Z" if structural else "A"
    if mark in NO_FIGURE:
        return "", FREE, mark
    return "", mark, "A"
