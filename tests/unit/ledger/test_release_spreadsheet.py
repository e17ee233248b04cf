import io
from dataclasses import replace

import numpy as np
import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from enclave.ledger.release_content import ReleaseContent, ReleaseTable
from enclave.ledger.spreadsheet import CODES, COVER, spreadsheet
from enclave.sdc.table import ProtectedTable, TableSpec
from enclave.sdc.words import Words
from tests.lib.releases import SEX, content, with_changes, words


def opened(made: ReleaseContent) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(spreadsheet(made)))


def texts(sheet: Worksheet) -> list[str]:
    return [str(value) for row in sheet.iter_rows(values_only=True) for value in row if value is not None]


def rows(sheet: Worksheet) -> list[tuple[object, ...]]:
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


@pytest.fixture(scope="module")
def book() -> Workbook:
    return opened(content())


def test_there_is_a_cover_a_sheet_per_table_and_the_codes(book: Workbook) -> None:
    assert book.sheetnames == [COVER, "t1", "t2", "t3", CODES]


def test_the_cover_explains_in_three_languages(book: Workbook) -> None:
    found = texts(book[COVER])
    for language in ("nl", "é fr", "en"):
        assert f"Title {language}" in found
        assert f"fewer than 5, or withheld {language}" in found
        assert f"A note {language}" in found
        assert f"Table t1, with a comma {language}" in found
    assert "advice-17-17, 17/17 (SCSZG/17/059), v1" in found


def test_periods_are_columns_and_labels_stand_beside_codes(book: Workbook) -> None:
    sheet = book["t1"]
    found = rows(sheet)
    header = next(number for number, row in enumerate(found) if row[0] == "sex")
    assert found[header][2::2][:1] == ("position",)
    assert found[header][4:] == ("2009-Q2", "2009-Q3")
    assert found[header + 1] == ("_T", "Totaal / Total", "_T", "Totaal / Total", 200, 200)
    assert sheet.freeze_panes == f"E{header + 2}"
    assert sheet.auto_filter.ref == f"A{header + 1}:F{len(found)}"


def test_a_hidden_cell_prints_its_mark_and_no_cell_is_empty(book: Workbook) -> None:
    found = {(row[0], row[2]): row[4:] for row in rows(book["t1"]) if row[0] in {"1", "2"}}
    assert found["1", "11"] == ("C", 30)
    assert None not in [cell for row in found.values() for cell in row]


def test_codes_are_texts_and_figures_are_numbers(book: Workbook) -> None:
    row = next(row for row in book["t2"].iter_rows() if row[0].value == "1")
    assert [cell.data_type for cell in row] == ["s", "s", "n", "n"]


def test_a_filter_is_told(book: Workbook) -> None:
    filtered = next(text for text in texts(book["t3"]) if text.startswith("Position nl"))
    assert "position 12 en + position 2 nl" in filtered


def test_every_sheet_is_stamped_when_data_are_made_up(book: Workbook) -> None:
    for sheet in book.worksheets:
        assert sheet.oddHeader is not None
        assert sheet.oddHeader.center.text == "SYNTHETIC"
    for name in (COVER, "t1", "t2", "t3"):
        assert any("SYNTHETIC" in text for text in texts(book[name]))
    real = opened(content(synthetic=False))
    assert not any("SYNTHETIC" in text for sheet in real.worksheets for text in texts(sheet))


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(1)", "http://example.org", "{=1}"])
def test_texts_never_become_formulas_or_links(start: str) -> None:
    title = Words(start, start, start)
    made = replace(content(), title=title, notes=(title,), tables=(replace(content().tables[1], title=title),))
    cells = [cell for sheet in opened(made).worksheets for row in sheet.iter_rows() for cell in row]
    written = [cell for cell in cells if cell.value == start]
    assert len(written) == 12
    assert all(cell.data_type == "s" and cell.hyperlink is None for cell in written)


def test_decimals_structural_zeros_and_cells_without_figure() -> None:
    spec = TableSpec("t1", (SEX,), ("2009-Q2",), "clients")
    table = ProtectedTable(
        spec, np.array([[125, 0, 0]]), np.array([["F", "F", "N"]]), np.array([[False, True, False]]), decimals=1
    )
    made = replace(content(), tables=(ReleaseTable(table, words("t")),))
    figures = [row[2] for row in opened(made)["t1"].iter_rows() if row[0].value in {"_T", "1", "2"}]
    assert [cell.value for cell in figures] == [12.5, 0, "N"]
    assert [cell.number_format for cell in figures[:2]] == ["#,##0.0", '0.0" (Z)"']


def test_a_table_without_dimensions_still_has_its_row() -> None:
    spec = TableSpec("t1", (), ("2009-Q2", "2009-Q3"), "clients")
    table = ProtectedTable(spec, np.array([7, 8]), np.array(["F", "F"]), np.zeros(2, np.bool_))
    made = replace(content(), tables=(ReleaseTable(table, words("t")),))
    assert rows(opened(made)["t1"])[-1] == (7, 8)


def test_the_bytes_do_not_depend_on_the_moment() -> None:
    assert spreadsheet(content()) == spreadsheet(content())


def test_a_long_text_has_a_row_high_enough_to_be_read() -> None:
    long = Words(*("word " * 40 for _ in range(3)))
    made = replace(content(), notes=(long,), labels={**content().labels, "sex": dict.fromkeys(("_T", "1", "2"), long)})
    for sheet in (opened(made)[name] for name in (COVER, "t1", CODES)):
        found = [
            number for number, row in enumerate(rows(sheet), start=1) if {long.nl, " / ".join(long.all)} & set(row)
        ]
        assert found
        assert all((sheet.row_dimensions[number].height or 0) >= 4 * 15 for number in found)


def test_each_sheet_explains_the_marks_that_can_stand_in_it_and_the_cover_all() -> None:
    book = opened(with_changes())
    counts, changes, cover = (texts(book[name]) for name in ("t1", "t4", COVER))
    assert any(text.startswith("C = ") for text in counts)
    assert not any(text.startswith("X = ") for text in counts)
    assert any(text.startswith("X = ") and "perhaps negative" in text for text in changes)
    assert not any(text.startswith("C = ") for text in changes)
    assert changes.count("X") == 2
    assert {"C", "X"} <= set(cover)
