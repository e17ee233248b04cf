"""A table as one looks at it in a notebook: numbers to work with, text to read, and what may be said of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from . import html
from .codebook import Codebook
from .data import PERIOD
from .figures import VALUE, Selection, printed
from .words import TOTAL, Words

MOST_ROWS = 200
"""Rows that a notebook shows; `.frame` and `.numbers` have them all."""

_TEXT = "text"


@dataclass(frozen=True, eq=False)
class Table:
    """One table, laid out by rows and columns.

    * `frame`: one row per cell; codes, quarter, `OBS_VALUE`, `CONF_STATUS`, `OBS_STATUS`.
    * `numbers`: laid out, figures as nullable numbers: what is hidden is <NA>, never 0.
    * `text`: laid out, with labels; what is hidden is its mark.
    """

    id: str
    title: Words
    frame: pd.DataFrame
    selection: Selection
    codebook: Codebook
    notes: tuple[str, ...]
    is_raw: bool
    is_synthetic: bool
    decimals: int = 0

    @property
    def numbers(self) -> pd.DataFrame:
        """The figures, laid out; codes stand in rows and columns, what is hidden is <NA>."""
        return self._laid_out(self.frame, VALUE, plainly=True)

    @property
    def text(self) -> pd.DataFrame:
        """The table for reading: labels instead of codes, and the mark where a figure is hidden."""
        frame = self.frame.assign(**{_TEXT: printed(self.frame, self.decimals)})
        return self._laid_out(frame, _TEXT, plainly=False)

    def _laid_out(self, frame: pd.DataFrame, what: str, *, plainly: bool) -> pd.DataFrame:
        """Put one figure into each crossing of rows and columns, codes in canonical order."""
        rows, columns = list(self.selection.rows), list(self.selection.columns)
        typed = frame.assign(**{name: pd.Categorical(frame[name], self._order(name)) for name in (*rows, *columns)})
        lined = typed.set_index([*rows, *columns])[what] if rows or columns else typed[what]
        wide = lined.unstack(columns) if rows and columns else lined.to_frame()  # noqa: PD010  pivot makes floats
        wide = (wide.T if columns and not rows else wide).sort_index(axis=0).sort_index(axis=1)
        wide.index = self._named(wide.index, rows, plainly=plainly)
        wide.columns = self._named(wide.columns, columns, plainly=plainly)
        return wide

    def _order(self, name: str) -> list[str]:
        if name == PERIOD:
            return list(self.selection.periods)
        return [TOTAL, *(code.code for code in self.codebook[name].codes)]

    def _named(self, index: pd.Index, names: list[str], *, plainly: bool) -> pd.Index:
        """Return an axis with plain codes, or with labels in the language of the codebook."""
        if not names:
            return index
        say = (lambda _, code: code) if plainly else self._say
        titles = names if plainly else [self._say_name(name) for name in names]
        if len(names) == 1:
            return pd.Index([say(names[0], code) for code in index], name=titles[0])
        labels = [tuple(map(say, names, codes)) for codes in index]
        return pd.MultiIndex.from_tuples(labels, names=titles)

    def _say_name(self, name: str) -> str:
        return name if name == PERIOD else self.codebook[name].label.say(self.codebook.language)

    def _say(self, name: str, code: str) -> str:
        if name == PERIOD:
            return code
        label = self.codebook[name].say(code)
        return label if code == TOTAL else f"{code} {label}"

    def _heading(self) -> str:
        return f"{self.id}: {self.title.say(self.codebook.language)}"

    def _stamps(self) -> list[str]:
        return ["RAW, not checked"] * self.is_raw + ["SYNTHETIC, made-up data"] * self.is_synthetic

    def __repr__(self) -> str:
        return "\n".join((self._heading(), *self._stamps(), self.text.head(MOST_ROWS).to_string(), *self.notes))

    def _repr_html_(self) -> str:
        text, rows = self.text, self.selection.rows
        head = [*(self._say_name(name) for name in rows), *(_joined(column) for column in text.columns)]
        labels = [_parts(label) if rows else () for label in text.index]
        lines = [[*label, *cells] for label, cells in zip(labels, text.to_numpy().tolist(), strict=True)]
        more = len(lines) - MOST_ROWS
        return html.block(
            html.heading(self._heading()),
            *(html.stamp(words) for words in self._stamps()),
            html.grid(head, lines[:MOST_ROWS], figures_from=len(rows)),
            html.note(f"{more} more rows; .numbers and .frame have them all") if more > 0 else "",
            *(html.note(words) for words in self.notes),
        )


class Tables:
    """The tables of a policy: ids, titles, dimensions; `.frame` is a DataFrame, `list(project.tables)` the ids."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame["id"])

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)

    def _repr_html_(self) -> str:
        return html.block(html.heading("Tables"), html.grid(list(self.frame.columns), self.frame.to_numpy().tolist()))


def _parts(label: object) -> tuple[str, ...]:
    return label if isinstance(label, tuple) else (str(label),)


def _joined(label: object) -> str:
    return " / ".join(_parts(label))
