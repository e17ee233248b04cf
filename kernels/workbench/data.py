"""The coded microdata as a Dask dataframe: one partition per quarter, fetched when it is computed and not before."""

from collections.abc import Sequence
from typing import Any, Final

import dask.dataframe as dd
import pandas as pd

from .codebook import Codebook
from .errors import InputError
from .gateway import Gateway

PERSON: Final = "person"
"""Column with the code of the person: a meaningless number, the same in all quarters of the project."""

PERIOD: Final = "TIME_PERIOD"
"""Column with the quarter, such as 2009-Q2."""


def quarters(project: str, periods: Sequence[str], codebook: Codebook) -> dd.DataFrame:
    """Return these quarters of a project's data; nothing is fetched yet.

    Columns: `person`, `TIME_PERIOD`, then each variable of the codebook as a category with its finest codes.
    """
    if not periods:
        raise InputError("NO_PERIOD", "name at least one quarter; project.periods lists them")
    categories = {variable.id: variable.leaves for variable in codebook.variables}
    made: dd.DataFrame = dd.from_map(  # type: ignore[no-untyped-call]
        read_quarter,
        list(periods),
        project=project,
        categories=categories,
        all_periods=tuple(periods),
        meta=_typed(pd.DataFrame({name: [] for name in (PERSON, PERIOD, *categories)}), categories, periods),
        enforce_metadata=True,
        label="quarter",
    )
    return made


def read_quarter(
    period: str,
    *,
    project: str,
    categories: dict[str, tuple[str, ...]],
    all_periods: tuple[str, ...],
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Fetch one quarter from the gateway; only `columns` of it are kept, where given. Runs in a worker."""
    fetched = Gateway.from_environment().arrow("projects", project, "data", period)
    wanted = [PERSON, PERIOD, *categories] if columns is None else list(columns)
    frame = fetched.select([name for name in wanted if name != PERIOD]).to_pandas()
    frame[PERIOD] = period
    return _typed(frame[wanted], categories, all_periods)


def _typed(frame: pd.DataFrame, categories: dict[str, tuple[str, ...]], periods: Sequence[str]) -> pd.DataFrame:
    """Give each column its one type, whatever quarter it comes from."""
    types: dict[str, Any] = {name: pd.CategoricalDtype(list(codes)) for name, codes in categories.items()}
    types |= {PERSON: "int64", PERIOD: pd.CategoricalDtype(list(periods))}
    return frame.astype({name: types[name] for name in frame.columns})
