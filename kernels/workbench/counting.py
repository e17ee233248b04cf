"""Raw counts: distinct persons, counted with Dask in this project from the microdata. Nothing here is checked."""

from collections.abc import Sequence
from typing import Final

import dask.dataframe as dd
import pandas as pd

from .codebook import Codebook, Variable
from .data import PERIOD, PERSON
from .errors import InputError
from .figures import FREE, MARK, STATUS, VALUE
from .words import TOTAL

_SIZE: Final = "persons"


def count_persons(data: dd.DataFrame, dimensions: Sequence[str], codebook: Codebook) -> pd.DataFrame:
    """Count the distinct persons of each cell, margins and subtotals included, as figures of a table.

    InputError where a person stands in two cells of one quarter: such data cannot be counted.
    """
    names = [*dimensions, PERIOD]
    wanted = data[[PERSON, *names]]
    meta = count_leaves(wanted._meta, names)  # noqa: SLF001  Dask's own way to say what comes out
    counted: pd.DataFrame = wanted.map_partitions(count_leaves, names, meta=meta).compute()
    for name in dimensions:
        counted = _with_totals(counted, codebook[name], names)
    periods = list(data._meta[PERIOD].cat.categories)  # noqa: SLF001  known without computing
    axes = [[TOTAL, *(code.code for code in codebook[name].codes)] for name in dimensions]
    every = pd.MultiIndex.from_product([*axes, periods], names=names)
    whole = counted.set_index(names)[_SIZE].reindex(every, fill_value=0).rename(VALUE).astype("Int64")
    return whole.reset_index().assign(**{MARK: FREE, STATUS: "A"})


def count_leaves(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Count the persons of one quarter in each combination of the finest codes; a repeated row counts once."""
    seen = rows.drop_duplicates()
    if seen[PERSON].duplicated().any():
        raise InputError(
            "PERSON_TWICE",
            "a person stands in two cells of one quarter; tell the steward, the data must be prepared again",
        )
    plain = seen[list(names)].astype("object")
    return plain.value_counts(sort=False).rename(_SIZE).reset_index()


def _with_totals(counted: pd.DataFrame, variable: Variable, names: Sequence[str]) -> pd.DataFrame:
    """Add to the finest codes of one variable those above them and the total."""
    pairs = [(leaf, code) for leaf in variable.leaves for code in variable.line(leaf)]
    above = pd.DataFrame(pairs, columns=[variable.id, "above"])
    spread = counted.merge(above, on=variable.id).drop(columns=variable.id).rename(columns={"above": variable.id})
    return spread.groupby(list(names), sort=False)[_SIZE].sum().reset_index()
