"""Reading a CSV file of somebody else's: UTF-8, commas, a header; errors name file and line, never a figure."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import RequestError


@dataclass(frozen=True, slots=True)
class Row:
    """One row with the number of its line in the file."""

    line: int
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file with its header and rows, blanks around fields taken off; `name` is how errors speak of it."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def read(cls, path: Path) -> "CsvFile":
        """Read a file; RequestError where it is missing, no UTF-8, or a row does not fit the header."""
        reader = csv.reader(io.StringIO(text_of(path), newline=""), strict=True)
        rows: list[Row] = []
        header: tuple[str, ...] = ()
        try:
            for fields in reader:
                if not header:
                    header = _header(path.name, fields)
                elif any(fields):
                    rows.append(_row(path.name, reader.line_num, header, fields))
        except csv.Error as error:
            raise RequestError(
                "CSV_SYNTAX", f"{path.name}, line {reader.line_num}: {error}; correct the line"
            ) from None
        if not header:
            raise RequestError("CSV_EMPTY", f"{path.name}: the file is empty; start with a line of column names")
        return cls(path.name, header, tuple(rows))

    def require(self, *columns: str) -> None:
        """RequestError for a column that is not there."""
        for column in columns:
            if column not in self.header:
                raise RequestError("CSV_COLUMN", f"{self.name}: there is no column '{column}'; name one that is there")

    def error(self, code: str, row: Row, sentence: str) -> RequestError:
        """Return an error about a row."""
        return RequestError(code, f"{self.name}, line {row.line}: {sentence}")


def text_of(path: Path) -> str:
    """Return the text of a file, without a byte order mark; RequestError where there is none."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError:
        raise RequestError("FILE_MISSING", f"'{path}' cannot be read; is the name right?") from None
    except UnicodeDecodeError:
        raise RequestError("FILE_ENCODING", f"{path.name}: the file is not UTF-8; save it so") from None


def _header(name: str, fields: list[str]) -> tuple[str, ...]:
    header = tuple(field.strip() for field in fields)
    if len(set(header)) != len(header):
        raise RequestError("CSV_COLUMN_TWICE", f"{name}: a column name stands twice in the first line")
    return header


def _row(name: str, line: int, header: tuple[str, ...], fields: list[str]) -> Row:
    if len(fields) != len(header):
        raise RequestError("CSV_FIELDS", f"{name}, line {line}: more or fewer fields than column names; check commas")
    return Row(line, dict(zip(header, (field.strip() for field in fields), strict=True)))
