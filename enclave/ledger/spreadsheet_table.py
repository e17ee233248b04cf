"""One sheet of the spreadsheet: a table with one row per combination of codes and one column per period."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from enclave.ledger.release_content import FREE, ReleaseContent, ReleaseTable
from enclave.ledger.release_words import STAMP
from enclave.ledger.spreadsheet_styles import EVERYWHERE, Styles, for_print, joined, row_height
from enclave.sdc.table import OR, ProtectedTable, TableSpec

_LABELS_WIDTH = 110
"""Characters that the labels of all dimensions together may take, so that figures stay in sight."""

Row = tuple[tuple[str, ...], list[int], list[str], list[bool]]
"""Codes, then per period the figure, its mark, and whether it is a structural zero."""


@dataclass(frozen=True)
class TableSheet:
    """A sheet being written; `number` and `structural` are the formats of figures with this table's decimals."""

    sheet: Any
    entry: ReleaseTable
    content: ReleaseContent
    styles: Styles
    number: Any
    structural: Any

    @classmethod
    def add(cls, book: Any, entry: ReleaseTable, content: ReleaseContent, styles: Styles) -> None:
        """Add the sheet of this table to the workbook."""
        fraction = f".{'0' * entry.table.decimals}" if entry.table.decimals else ""
        number = book.add_format({"num_format": f"#,##0{fraction}", "valign": "top"})
        zero = book.add_format({"num_format": f'0{fraction}" (Z)"', "font_color": "#7F7F7F", "valign": "top"})
        sheet = book.add_worksheet(entry.table.spec.id)
        cls(sheet, entry, content, styles, number, zero).write()

    @property
    def _spec(self) -> TableSpec:
        return self.entry.table.spec

    @property
    def _keys(self) -> int:
        """Number of columns before the figures: code and label of each dimension."""
        return 2 * len(self._spec.dimensions)

    def write(self) -> None:
        """Write the whole sheet, top to bottom."""
        top = self._write_head()
        self._write_header(top)
        last = top
        for last, row in enumerate(_rows(self.entry.table), start=top + 1):
            self._write_keys(last, row[0])
            self._write_figures(last, row)
        self._set_widths()
        self.sheet.freeze_panes(top + 1, self._keys)
        self.sheet.autofilter(top, 0, last, self._keys + len(self._spec.periods) - 1)
        self.sheet.repeat_rows(top)
        self.sheet.ignore_errors({"number_stored_as_text": EVERYWHERE})  # codes are texts, also where they are digits
        for_print(self.sheet, synthetic=self.content.synthetic)

    def _write_head(self) -> int:
        """Write stamp, title and legend above the table; return the row of its header."""
        lines = [(STAMP.en, self.styles.stamp)] if self.content.synthetic else []
        lines += [(text, self.styles.plain) for text in self.entry.title.all]
        for explained in self.content.legend(self._spec):
            lines.append((f"{explained.mark.code} = {joined(explained.meaning)}", self.styles.plain))
        lines += [(text, self.styles.plain) for text in self._about()]
        for row, (text, style) in enumerate(lines):
            self.sheet.write_string(row, 0, text, style)
        return len(lines) + 1

    def _about(self) -> list[str]:
        """Return the unit, and what the table is restricted to."""
        chosen = [
            f"{joined(self.content.names[variable.id])} = {self._joined_selection(variable.id, code)}"
            for variable, code in self._spec.filters
        ]
        return [f"unit = {self._spec.unit}", *chosen]

    def _joined_selection(self, variable_id: str, selection: str) -> str:
        return " + ".join(joined(self.content.label(variable_id, code)) for code in selection.split(OR))

    def _write_header(self, top: int) -> None:
        names = [text for v in self._spec.dimensions for text in (v.id, joined(self.content.names[v.id]))]
        self.sheet.set_row(top, row_height(zip(names[1::2], self._label_widths, strict=True)))
        for column, text in enumerate((*names, *self._spec.periods)):
            self.sheet.write_string(top, column, text, self.styles.bold)

    def _write_keys(self, row: int, codes: Sequence[str]) -> None:
        labels = [self._labels[key] for key in zip(self._names, codes, strict=True)]
        self.sheet.set_row(row, row_height(zip(labels, self._label_widths, strict=True)))
        for number, (code, label) in enumerate(zip(codes, labels, strict=True)):
            self.sheet.write_string(row, 2 * number, code, self.styles.code)
            self.sheet.write_string(row, 2 * number + 1, label, self.styles.wrapped)

    def _write_figures(self, row: int, figures: Row) -> None:
        scale = 10**self.entry.table.decimals
        for column, (value, mark, zero) in enumerate(zip(*figures[1:], strict=True), start=self._keys):
            if mark == FREE:
                self.sheet.write_number(row, column, value / scale, self.structural if zero else self.number)
            else:
                self.sheet.write_string(row, column, mark, self.styles.mark)

    @property
    def _names(self) -> list[str]:
        return [variable.id for variable in self._spec.dimensions]

    @cached_property
    def _labels(self) -> dict[tuple[str, str], str]:
        return {(v.id, code): joined(self.content.label(v.id, code)) for v in self._spec.dimensions for code in v.codes}

    @cached_property
    def _label_widths(self) -> list[int]:
        most = _LABELS_WIDTH // max(1, len(self._spec.dimensions))
        return [min(most, 2 + max(len(self._labels[v.id, code]) for code in v.codes)) for v in self._spec.dimensions]

    def _set_widths(self) -> None:
        for number, (variable, width) in enumerate(zip(self._spec.dimensions, self._label_widths, strict=True)):
            codes = max(map(len, (variable.id, *variable.codes)))
            self.sheet.set_column(2 * number, 2 * number, codes + 4)  # room for the filter's button
            self.sheet.set_column(2 * number + 1, 2 * number + 1, width)
        digits = len(f"{int(np.abs(self.entry.table.values).max(initial=0)):,}")
        self.sheet.set_column(self._keys, self._keys + len(self._spec.periods) - 1, max(11, digits + 2))


def _rows(table: ProtectedTable) -> Iterator[Row]:
    """Yield the rows in canonical order of codes."""
    periods = len(table.spec.periods)
    arrays = [
        np.moveaxis(array, 0, -1).reshape(-1, periods).tolist()
        for array in (table.values, table.marks, table.structural)
    ]
    combinations = product(*(variable.codes for variable in table.spec.dimensions))
    yield from zip(combinations, *arrays, strict=True)
