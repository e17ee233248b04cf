"""How the spreadsheet looks, and what its sheets share. The library has no types, hence `Any` for its parts."""

import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple

from enclave.ledger.release_content import SYNTHETIC
from enclave.sdc.words import Words

EVERYWHERE = "A1:XFD1048576"
"""All cells of a sheet."""

_LINE_HEIGHT = 15.0
_LETTERS = 1.0
"""Letters of running text per digit of a column's width."""


class Styles(NamedTuple):
    """The cell formats of one workbook."""

    plain: Any
    wrapped: Any
    bold: Any
    stamp: Any
    code: Any
    mark: Any

    @classmethod
    def of(cls, book: Any) -> "Styles":
        """Make the formats in this workbook."""
        return cls(
            plain=book.add_format({"valign": "top"}),
            wrapped=book.add_format({"text_wrap": True, "valign": "top"}),
            bold=book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
            stamp=book.add_format({"bold": True, "font_color": "#C00000"}),
            code=book.add_format({"font_color": "#404040", "valign": "top"}),
            mark=book.add_format({"align": "right", "valign": "top", "italic": True, "bg_color": "#E7E6E6"}),
        )


def joined(words: Words) -> str:
    """Return the three languages side by side, each wording once."""
    return " / ".join(dict.fromkeys(words.all))


def row_height(texts: Iterable[tuple[str, float]]) -> float:
    """Return the height in points at which each text, wrapped in a column of its width, can be read whole.

    Written into the file, since not every program works it out by itself.
    """
    lines = [len(textwrap.wrap(text, max(1, int(width * _LETTERS)))) for text, width in texts]
    return _LINE_HEIGHT * max([1, *lines])


def for_print(sheet: Any, *, synthetic: bool) -> None:
    """Set A4 landscape, one page wide, with the stamp on each page."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")
    if synthetic:
        sheet.set_header(f"&C{SYNTHETIC}")
