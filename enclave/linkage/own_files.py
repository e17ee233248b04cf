"""What people bring to a project themselves: scripts, notebooks, public tables (15/018 par. 6); looked at first.

A file is text that a person can read, holds no number of a person, made-up ones included, and no output of a notebook.
A refusal names file and line, and never what stands there.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from enclave.errors import DeliveryError
from enclave.linkage.numbers import InszFault, insz_faults

KINDS = frozenset({".csv", ".ipynb", ".json", ".md", ".py", ".txt"})
MOST_BYTES = 20 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}(\.[A-Za-z0-9_-]{1,20})*(\.[a-z]{2,5})")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PERSON = re.compile(r"(?<!\d)(\d{2})[. /]?(\d{2})[. /]?(\d{2})[- ./]?(\d{3})[-. ]?(\d{2})(?!\d)")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?")
_FORMULA = ("=", "+", "-", "@", "\t")
_FIRST_LINE = 1


def check_own_file(name: str, content: bytes, *, last_birth_year: int) -> None:
    """Raise DeliveryError, with file, line and what to do, for whatever may not be brought in."""
    found = _NAME.fullmatch(name)
    if found is None or found[2] not in KINDS:
        kinds = ", ".join(sorted(KINDS))
        raise DeliveryError(
            "OWN_FILE_NAME", f"'{name[:100]}': a name has letters, digits, . _ - and ends in one of {kinds}; rename it"
        )
    if len(content) > MOST_BYTES:
        raise DeliveryError("OWN_FILE_SIZE", f"'{name}' is larger than 20 MiB; bring a smaller part")
    text = _text(name, content)
    for number, line in enumerate(text.splitlines(), start=1):
        if _holds_person(line, last_birth_year):
            _refuse(name, number, "OWN_FILE_PERSON", "something stands there that is a person's number; take it out")
    if found[2] == ".csv":
        _check_table(name, text)
    if found[2] == ".ipynb":
        _check_notebook(name, text)


def _text(name: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DeliveryError(
            "OWN_FILE_TEXT", f"'{name}', line {line}: this is not UTF-8 text; save it as such"
        ) from error
    strange = _CONTROL.search(text)
    if strange is not None:
        line = text[: strange.start()].count("\n") + 1
        _refuse(name, line, "OWN_FILE_TEXT", "a control character stands there; take it out")
    return text


def _holds_person(line: str, last_birth_year: int) -> bool:
    """Whether a person's number stands in a line, plain or with dots and dashes; of either world."""
    numbers = np.array([int("".join(found.groups())) for found in _PERSON.finditer(line)], dtype=np.int64)
    worlds = (insz_faults(numbers, synthetic=made_up, last_birth_year=last_birth_year) for made_up in (False, True))
    return numbers.size > 0 and any(bool((faults == InszFault.NONE).any()) for faults in worlds)


def _check_table(name: str, text: str) -> None:
    """Refuse ragged lines, and cells that a spreadsheet runs as formulas."""
    width = None
    for line, row in _rows(name, text):
        width = len(row) if width is None else width
        if len(row) != width:
            _refuse(name, line, "OWN_FILE_RAGGED", "it has more or fewer columns than the first line; mend it")
        if any(cell.startswith(_FORMULA) and _NUMBER.fullmatch(cell) is None for cell in row):
            _refuse(name, line, "OWN_FILE_FORMULA", "a cell begins with = + - @ or a tab; a spreadsheet would run it")


def _rows(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        message = (
            f"'{name}', line {reader.line_num}: quotation marks do not close, or stand in the wrong place; mend it"
        )
        raise DeliveryError("OWN_FILE_TABLE", message) from error


def _check_notebook(name: str, text: str) -> None:
    """Refuse outputs and attachments: they can hold whatever somebody saw elsewhere."""
    try:
        notebook: Any = json.loads(text)
        cells = [(cell.get("outputs"), cell.get("attachments")) for cell in notebook["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DeliveryError("OWN_FILE_NOTEBOOK", f"'{name}' is not a notebook; open and save it in Jupyter") from error
    if any(outputs or attachments for outputs, attachments in cells):
        _refuse(
            name, _FIRST_LINE, "OWN_FILE_OUTPUTS", "the notebook holds outputs or pictures; clear them all and save"
        )


def _refuse(name: str, line: int, code: str, what: str) -> None:
    raise DeliveryError(code, f"'{name}', line {line}: {what}")
