"""Figures of a table in the form of a release: one row per cell, a hidden figure is missing and never zero.

Columns: the dimensions, `TIME_PERIOD`, `OBS_VALUE` (nullable), `CONF_STATUS` ("F" shown, else the mark), `OBS_STATUS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from .codebook import Codebook
from .data import PERIOD
from .errors import InputError
from .words import TOTAL

VALUE: Final = "OBS_VALUE"
MARK: Final = "CONF_STATUS"
STATUS: Final = "OBS_STATUS"
FREE: Final = "F"
HIDDEN: Final = "C"
HIDDEN_CHANGE: Final = "X"
NOT_APPLICABLE: Final = "N"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cells of a table are looked at, and how they are laid out.

    Dimensions that stand neither in `rows` nor in `columns` are at one code: that of `where`, else the total.
    `levels` keeps, of a dimension, the total and the codes of one depth.
    """

    periods: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dimensions: Sequence[str],
        codebook: Codebook,
        periods: Sequence[str],
        *,
        rows: Sequence[str] | None,
        columns: Sequence[str] | None,
        where: Mapping[str, str] | None,
        levels: Mapping[str, int] | None,
    ) -> "Selection":
        """Check the words against the table and fill in what was left open: all dimensions in rows, time in columns."""
        fixed, depths = dict(where or {}), dict(levels or {})
        if rows is None and columns is None:
            rows = [name for name in dimensions if name not in fixed]
        down, across = list(_names(rows)), list(_names(columns))
        for name in (*down, *across, *fixed, *depths):
            if name not in (*dimensions, PERIOD):
                raise InputError(
                    "NOT_A_DIMENSION", f"this table has no '{name}'; it has {', '.join(dimensions)} and {PERIOD}"
                )
        if len({*down, *across, *fixed}) != len(down) + len(across) + len(fixed):
            raise InputError("DIMENSION_TWICE", "use each dimension once: in rows, in columns or in where")
        for name, code in fixed.items():
            codebook[name].check(code)
        if len(periods) > 1 and PERIOD not in (*down, *across):
            across.append(PERIOD)
        return cls(tuple(periods), tuple(down), tuple(across), fixed, depths)

    def cells(self, figures: pd.DataFrame, dimensions: Sequence[str], codebook: Codebook) -> pd.DataFrame:
        """Return the selected cells."""
        chosen = figures[PERIOD].isin(self.periods)
        for name in dimensions:
            if name not in (*self.rows, *self.columns):
                chosen &= figures[name] == self.where.get(name, TOTAL)
            elif name in self.levels:
                kept = [
                    code.code for code in codebook[name].codes if codebook[name].level(code.code) == self.levels[name]
                ]
                chosen &= figures[name].isin([TOTAL, *kept])
        return figures[chosen].reset_index(drop=True)


def _names(names: Sequence[str] | None) -> Sequence[str]:
    return [names] if isinstance(names, str) else list(names or ())


def chosen_periods(period: str | Sequence[str] | None, all_periods: Sequence[str]) -> tuple[str, ...]:
    """Return the quarters asked for, in order; all for None, InputError for one that the project does not have."""
    asked = list(all_periods) if period is None else _names(period)
    unknown = [name for name in asked if name not in all_periods]
    if unknown or not asked:
        span = f"{all_periods[0]} to {all_periods[-1]}"
        raise InputError("UNKNOWN_PERIOD", f"'{', '.join(unknown)}' is not a quarter of this project: {span}")
    return tuple(name for name in all_periods if name in asked)


def printed(figures: pd.DataFrame, decimals: int) -> list[str]:
    """Return each figure as it is printed: the figure, or the mark that stands in its place."""
    rows = zip(figures[VALUE], figures[MARK], figures[STATUS], strict=True)
    return [_printed(value, mark, status, decimals) for value, mark, status in rows]


def _printed(value: Any, mark: str, status: str, decimals: int) -> str:
    if mark != FREE:
        return mark
    return status if pd.isna(value) else f"{value:,.{decimals}f}".replace(",", "\u202f")
