"""Code lists: the classes of a variable, with labels in three languages, a hierarchy, validity, source and confidence.

The files stand in `policies/classifications/*.csv`; the order of their rows is the canonical order of the codes, and
category columns of the store hold positions in `Codelist.leaves`.
"""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from io import StringIO
from types import MappingProxyType

from enclave.errors import PolicyError
from enclave.sdc.table import TOTAL, Hierarchy

_COLUMNS = ("code", "parent", "label_nl", "label_fr", "label_en", "source", "confidence")
_MAY_HAVE = ("valid_from", "valid_to", "delivered_as")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,19}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Code:
    """One class. `delivered_as` is how deliveries write it, where that differs; validity is None where not known."""

    code: str
    parent: str
    label_nl: str
    label_fr: str
    label_en: str
    source: str
    confidence: str
    valid_from: date | None = None
    valid_to: date | None = None
    delivered_as: str = ""

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code) or self.code == TOTAL:
            raise PolicyError(
                "CODELIST_CODE", "a code has 1 to 20 letters, digits, '_', '.' or '-'; choose such a code"
            )
        for text in (self.label_nl, self.label_fr, self.label_en, self.source, self.confidence):
            _check_text(text)
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise PolicyError("CODELIST_VALIDITY", "the code ends before it starts; correct valid_from or valid_to")


def _check_text(text: str) -> None:
    if not text or text != text.strip():
        raise PolicyError("CODELIST_TEXT", "labels, source and confidence are each needed, without outer blanks")
    if text.startswith(_FORMULA) or not all(character.isprintable() or character == "\xa0" for character in text):
        raise PolicyError("CODELIST_TEXT", "a text starts like a formula or holds a character that is not seen")


@dataclass(frozen=True)
class Codelist:
    """The classes of a variable in canonical order; parents stand above their children.

    Raises PolicyError for an empty list, a code or a delivered form that stands twice, and a parent that is not above.
    """

    id: str
    rows: tuple[Code, ...]

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise PolicyError("CODELIST_ID", f"{self.id!r} cannot name a code list; use lower case letters and '_'")
        if not self.rows:
            raise PolicyError("CODELIST_EMPTY", f"code list '{self.id}' has no codes; add its rows")
        above: set[str] = set()
        for row in self.rows:
            _check_order(self.id, row, above)
            above.add(row.code)
        aliases = [row for row in self.rows if row.delivered_as]
        if len(self.delivered) != len(self.leaves) + len(aliases) or {row.code for row in aliases} - {*self.leaves}:
            message = f"each delivered form of '{self.id}' must name one code of the finest level; tell them apart"
            raise PolicyError("CODELIST_DELIVERED", message)

    @classmethod
    def from_csv(cls, name: str, text: str) -> "Codelist":
        """Read a file such as `sex.csv`; PolicyError with file and line for what is wrong. Its base name is the id."""
        rows: list[Code] = []
        above: set[str] = set()
        list_id = name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".csv")
        reader = csv.reader(StringIO(text, newline=""), strict=True)
        try:
            header = _header(next(reader, []))
            for fields in reader:
                row = _row(header, fields)
                _check_order(list_id, row, above)
                above.add(row.code)
                rows.append(row)
            return cls(list_id, tuple(rows))
        except PolicyError as error:
            raise PolicyError(error.code, f"{name}, line {reader.line_num}: {error.message}") from None
        except csv.Error as error:
            message = f"{name}, line {reader.line_num}: this is not CSV ({error}); correct the line"
            raise PolicyError("CODELIST_CSV", message) from None

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All codes of all levels, in canonical order."""
        return tuple(row.code for row in self.rows)

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The finest codes, in canonical order: stored category columns hold positions in this tuple."""
        return self.hierarchy().leaves

    @cached_property
    def delivered(self) -> Mapping[str, str]:
        """Every form in which a leaf may be delivered, with its code: the codes themselves and their `delivered_as`."""
        forms = {leaf: leaf for leaf in self.leaves}
        for row in self.rows:
            if row.delivered_as:
                forms.setdefault(row.delivered_as, row.code)
        return MappingProxyType(forms)

    @cached_property
    def by_code(self) -> Mapping[str, Code]:
        """The row of each code."""
        return MappingProxyType({row.code: row for row in self.rows})

    def hierarchy(self) -> Hierarchy:
        """Return the tree of codes as tables use it."""
        return Hierarchy(tuple((row.code, row.parent) for row in self.rows))

    def ancestor_in(self, code: str, wanted: Collection[str]) -> str:
        """Return the nearest of `code` and its ancestors that is in `wanted`, such as the region of a municipality.

        PolicyError UNKNOWN_CODE where `code` is not in the list, NO_ANCESTOR where nothing above it is wanted.
        """
        if code not in self.by_code:
            raise PolicyError(
                "UNKNOWN_CODE", f"{code!r} is not a code of '{self.id}'; correct it or add it to the list"
            )
        climbing = code
        while climbing not in wanted:
            climbing = self.by_code[climbing].parent
            if not climbing:
                raise PolicyError("NO_ANCESTOR", f"nothing above '{code}' in '{self.id}' is of the level asked for")
        return climbing


def read_codelists(texts: Mapping[str, str]) -> Mapping[str, Codelist]:
    """Return the code lists of these files (name -> contents), by id; PolicyError for the first that is wrong."""
    found = [Codelist.from_csv(name, text) for name, text in sorted(texts.items())]
    by_id = {codelist.id: codelist for codelist in found}
    if len(by_id) != len(found):
        raise PolicyError("CODELIST_ID", "two files have the same base name; give each code list a name of its own")
    return MappingProxyType(by_id)


def _check_order(list_id: str, row: Code, above: set[str]) -> None:
    if row.code in above:
        raise PolicyError("CODELIST_DUPLICATE", f"code '{row.code}' stands twice in '{list_id}'; keep it once")
    if row.parent and row.parent not in above:
        raise PolicyError(
            "CODELIST_PARENT", f"'{row.parent}' does not stand above its child '{row.code}'; move it there"
        )


def _header(header: list[str]) -> list[str]:
    if len(set(header)) != len(header) or not set(_COLUMNS) <= set(header) <= {*_COLUMNS, *_MAY_HAVE}:
        wanted = f"{', '.join(_COLUMNS)} and perhaps {', '.join(_MAY_HAVE)}"
        raise PolicyError("CODELIST_HEADER", f"the header must name {wanted}, each once")
    return header


def _row(header: list[str], fields: list[str]) -> Code:
    if len(fields) != len(header):
        raise PolicyError("CODELIST_CSV", "the line does not have one field for each column; correct its commas")
    given = dict(zip(header, fields, strict=True))
    texts = {key: value for key, value in given.items() if not key.startswith("valid_")}
    return Code(**texts, valid_from=_day(given, "valid_from"), valid_to=_day(given, "valid_to"))


def _day(given: Mapping[str, str], column: str) -> date | None:
    text = given.get(column, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PolicyError(
            "CODELIST_VALIDITY", f"{column} is not a day of the calendar; write it as 2018-12-31"
        ) from None
    if day.isoformat() != text:
        raise PolicyError("CODELIST_VALIDITY", f"{column} must be written as 2018-12-31")
    return day
