"""`tables.xlsx`: the same tables for people. A cover, one sheet per table, and the code lists.

Texts are written as texts, whatever they begin with, so that nothing becomes a formula. A hidden cell prints its mark.
The bytes depend on the content alone: the workbook is made in memory with a fixed date.
"""

import io
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from enclave.ledger.release_content import SYNTHETIC, ReleaseContent
from enclave.ledger.release_words import AUDIENCE, HEADINGS, HIDDEN_CELLS, STAMP, STATUSES
from enclave.ledger.spreadsheet_styles import EVERYWHERE, Styles, for_print, row_height
from enclave.ledger.spreadsheet_table import TableSheet
from enclave.sdc.words import LANGUAGES, Words

COVER = "Info nl-fr-en"
CODES = "Codes nl-fr-en"
"""Names of the two sheets beside the tables; ids of tables are lower case, so these are free."""

_FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_WORDS_WIDTH = 52

Line = tuple[str, Words, bool]
"""A line of the cover: text of the first column, words, whether it is a heading."""


def spreadsheet(content: ReleaseContent) -> bytes:
    """Return the workbook."""
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True})
    book.set_properties({"title": content.title.en, "created": _FIXED_DATE})
    styles = Styles.of(book)
    _cover(book.add_worksheet(COVER), content, styles)
    for entry in content.tables:
        TableSheet.add(book, entry, content, styles)
    _codes(book.add_worksheet(CODES), content, styles)
    book.close()
    return memory.getvalue()


def _cover(sheet: Any, content: ReleaseContent, styles: Styles) -> None:
    """Write one column per language behind a first column with marks and ids."""
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, len(LANGUAGES), _WORDS_WIDTH)
    sheet.hide_gridlines(2)
    for row, (key, words, heading) in enumerate(_cover_lines(content)):
        sheet.write_string(row, 0, key, styles.bold if heading else styles.code)
        style = styles.stamp if words is STAMP else styles.bold if heading else styles.wrapped
        sheet.set_row(row, row_height((text, _WORDS_WIDTH) for text in words.all))
        for column, text in enumerate(words.all, start=1):
            sheet.write_string(row, column, text, style)
    for_print(sheet, synthetic=content.synthetic)


def _cover_lines(content: ReleaseContent) -> list[Line]:
    policy = content.policy
    numbers = f"{policy.id}, {policy.decision} ({policy.dossier}), v{policy.version}"
    lines: list[Line] = [(SYNTHETIC, STAMP, False)] if content.synthetic else []
    lines += [
        ("", content.title, True),
        ("", AUDIENCE[content.stage], False),
        ("", HEADINGS["project"], True),
        ("", Words(content.project, content.project, content.project), False),
        ("", HEADINGS["policy"], True),
        ("", Words(numbers, numbers, numbers), False),
        ("", HEADINGS["legend"], True),
        *((explained.mark.code, explained.meaning, False) for explained in content.marks),
        *((status, words, False) for status, words in STATUSES.items()),
        ("", HIDDEN_CELLS, False),
        ("", HEADINGS["tables"], True),
        *((entry.table.spec.id, entry.title, False) for entry in content.tables),
    ]
    if content.notes:
        lines += [("", HEADINGS["notes"], True), *(("", note, False) for note in content.notes)]
    return lines


def _codes(sheet: Any, content: ReleaseContent, styles: Styles) -> None:
    """Write every code with its words, one column per language."""
    sheet.set_column(0, 1, 14)
    sheet.set_column(2, 1 + len(LANGUAGES), _WORDS_WIDTH)
    for column, text in enumerate(("variable", "code", *LANGUAGES)):
        sheet.write_string(0, column, text, styles.bold)
    places = [(variable.id, code) for variable in content.variables for code in variable.codes]
    for row, (name, code) in enumerate(places, start=1):
        sheet.write_string(row, 0, name, styles.code)
        sheet.write_string(row, 1, code, styles.code)
        words = content.label(name, code).all
        sheet.set_row(row, row_height((text, _WORDS_WIDTH) for text in words))
        for column, text in enumerate(words, start=2):
            sheet.write_string(row, column, text, styles.wrapped)
    sheet.freeze_panes(1, 2)
    sheet.ignore_errors({"number_stored_as_text": EVERYWHERE})
    for_print(sheet, synthetic=content.synthetic)
