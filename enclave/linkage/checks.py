"""Checking a column of delivered text and turning it into numbers, all rows at once.

A good value is a known code, a number or a date in one fixed form. So whatever is spoiled in another way (encoding,
NUL, formula, length) is bad already. Only bad values are looked at one by one, to give a steward the better reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from enclave.linkage.numbers import (
    INSZ_DIGITS,
    Bools,
    InszFault,
    Ints,
    characters,
    insz_faults,
    parse_digits,
)
from enclave.linkage.quarantine import Reason
from enclave.policy.codelist import Codelist
from enclave.policy.quarter import Quarter
from enclave.policy.source import Column

Values = NDArray[np.integer]
Reasons = NDArray[np.uint8]
"""A position in REASONS for each row; 0: nothing is wrong."""

REASONS = (None, *Reason)
NO_CODE = -1
NO_NUMBER = -1
NO_DATE = int(np.iinfo(np.int32).min)

LONGEST_FIELD = 100
_FORMULA = (b"=", b"+", b"-", b"@", b"\t")
_FIRST_DAY, _LAST_DAY, _NO_END = date(1850, 1, 1), date(2199, 12, 31), date(9999, 12, 31)
_LAST_YEAR_OF_TWO_DIGITS = 2099
_INSZ_REASONS = {
    InszFault.CHECK_DIGITS: Reason.INSZ_CHECK_DIGITS,
    InszFault.MONTH: Reason.INSZ_MONTH,
    InszFault.MADE_UP: Reason.INSZ_MADE_UP,
    InszFault.NOT_MADE_UP: Reason.INSZ_NOT_MADE_UP,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a value is checked against besides its column: code lists, the period of the file (None: once), the world.

    `synthetic` says that person numbers are made up, all of them; otherwise none may be.
    """

    codelists: Mapping[str, Codelist]
    period: Quarter | None
    synthetic: bool


def codebook(column: Column, setting: Setting) -> tuple[str, ...]:
    """Return the codes whose positions stand for the values of a code column.

    These are the schema's own `codes`; else the leaves of its code list; else, where a source may deliver coarser codes
    too, all codes of the list.
    """
    if column.codelist is None:
        return column.codes or ()
    codelist = setting.codelists[column.codelist]
    return codelist.leaves if column.leaves_only else codelist.codes


def check_column(texts: pa.BinaryArray, column: Column, setting: Setting) -> tuple[Values, Reasons]:
    """Return the numbers that a column's texts stand for, and what is wrong with each.

    insz: int64; code: int16, the position in `codebook`, NO_CODE where empty; date: int32 days since 1970-01-01,
    NO_DATE where empty; int: int64, NO_NUMBER where empty. The number of a bad row means nothing.
    """
    kinds = {"insz": _check_insz, "code": _check_code, "date": _check_date, "int": _check_int}
    values, reasons = kinds[column.kind](texts, column, setting)
    empty = np.asarray(pc.equal(pc.binary_length(texts), 0), dtype=np.bool_)
    reasons[empty] = _number(Reason.MISSING) if column.required else 0
    for row in np.flatnonzero((reasons > 0) & ~empty).tolist():
        spoiled = _spoiled(texts[row].as_py())
        reasons[row] = _number(spoiled) if spoiled else reasons[row]
    return values, reasons


def find_duplicates(columns: Mapping[str, Values], unique: tuple[str, ...]) -> Mapping[Reason, Ints]:
    """Return the rows (counted from 0) that must go because another row has the same `unique` columns.

    Of rows that are the same in every column all but the first go; rows that then still share the key all go.
    """
    key = pd.DataFrame({name: columns[name] for name in unique})
    suspects = np.flatnonzero(key.duplicated(keep=False).to_numpy())
    frame = pd.DataFrame({name: values[suspects] for name, values in columns.items()}, index=suspects)
    repeats = frame.duplicated(keep="first")
    rest = frame[~repeats]
    conflicts = rest.index[rest.duplicated(subset=list(unique), keep=False)]
    return {
        Reason.DUPLICATE_ROW: frame.index[repeats].to_numpy(dtype=np.int64),
        Reason.DUPLICATE_CONFLICT: conflicts.to_numpy(dtype=np.int64),
    }


def _check_insz(texts: pa.BinaryArray, _: Column, setting: Setting) -> tuple[Values, Reasons]:
    numbers, is_number = parse_digits(texts, INSZ_DIGITS)
    last = setting.period.year if setting.period else _LAST_YEAR_OF_TWO_DIGITS
    faults = insz_faults(numbers, synthetic=setting.synthetic, last_birth_year=last)
    meaning = np.zeros(len(InszFault), dtype=np.uint8)
    for fault, reason in _INSZ_REASONS.items():
        meaning[fault] = _number(reason)
    return numbers, np.where(is_number, meaning[faults], _number(Reason.INSZ_FORMAT)).astype(np.uint8)


def _check_code(texts: pa.BinaryArray, column: Column, setting: Setting) -> tuple[Values, Reasons]:
    codes = codebook(column, setting)
    forms = _forms(column, setting)
    position = {code: index for index, code in enumerate(codes)}
    wanted = pa.array([form.encode() for form in forms], pa.binary())
    found = pc.index_in(texts, value_set=wanted).fill_null(len(forms)).to_numpy()
    values = np.array([*(position[code] for code in forms.values()), NO_CODE], dtype=np.int16)[found]
    return values, _where(values == NO_CODE, Reason.UNKNOWN_CODE)


def _forms(column: Column, setting: Setting) -> Mapping[str, str]:
    """Return every form that may be delivered in this period, with the code that it means."""
    codes = codebook(column, setting)
    if column.codelist is None:
        return {code: code for code in codes}
    codelist = setting.codelists[column.codelist]
    forms = {code: code for code in codes} | dict(codelist.delivered)
    return {form: code for form, code in forms.items() if _valid_in(codelist, code, setting.period)}


def _valid_in(codelist: Codelist, code: str, period: Quarter | None) -> bool:
    row = codelist.by_code[code]
    if period is None:
        return True
    starts_late = row.valid_from is not None and row.valid_from > period.last_day
    ended_before = row.valid_to is not None and row.valid_to < period.first_day
    return not starts_late and not ended_before


def _check_date(texts: pa.BinaryArray, column: Column, setting: Setting) -> tuple[Values, Reasons]:
    days, is_date = _parse_dates(texts)
    possible = ((days >= _day(_FIRST_DAY)) & (days <= _day(_LAST_DAY))) | (days == _day(_NO_END))
    reasons = np.where(possible, 0, _number(Reason.DATE_RANGE))
    if column.within_period and setting.period:
        inside = (days >= _day(setting.period.first_day)) & (days <= _day(setting.period.last_day))
        reasons = np.where(possible & ~inside, _number(Reason.OUTSIDE_PERIOD), reasons)
    return days, np.where(is_date, reasons, _number(Reason.NOT_A_DATE)).astype(np.uint8)


def _parse_dates(texts: pa.BinaryArray) -> tuple[NDArray[np.int32], Bools]:
    """Return days since 1970-01-01, and which texts are a day of the calendar written 2009-06-30."""
    fits = np.asarray(pc.equal(pc.binary_length(texts), len("2009-06-30")), dtype=np.bool_)
    written = characters(texts.filter(pa.array(fits)), len("2009-06-30"))
    figures = written.astype(np.int64) - ord("0")
    is_form = (written[:, [4, 7]] == ord("-")).all(axis=1)
    is_form &= ((figures >= 0) & (figures <= 9))[:, [0, 1, 2, 3, 5, 6, 8, 9]].all(axis=1)  # noqa: PLR2004  figures
    year, month = figures[:, :4] @ [1000, 100, 10, 1], figures[:, 5:7] @ [10, 1]
    first = np.where(is_form, year * 12 + month - 1 - 1970 * 12, 0).astype("datetime64[M]")
    day = first.astype("datetime64[D]") + np.where(is_form, figures[:, 8:] @ [10, 1] - 1, 0)
    exists = is_form & (month >= 1) & (month <= 12) & (day.astype("datetime64[M]") == first)  # noqa: PLR2004  months
    days = np.full(len(texts), NO_DATE, dtype=np.int32)
    fits[fits] = exists
    days[fits] = day[exists].astype(np.int64)
    return days, fits


def _check_int(texts: pa.BinaryArray, _: Column, __: Setting) -> tuple[Values, Reasons]:
    is_number = pc.match_substring_regex(texts, "^[0-9]{1,18}$")
    written = pc.if_else(is_number, texts, pa.scalar(str(NO_NUMBER).encode(), pa.binary()))
    values = written.cast(pa.string()).cast(pa.int64()).to_numpy()
    return values, _where(~np.asarray(is_number, dtype=np.bool_), Reason.NOT_A_NUMBER)


def _spoiled(text: bytes) -> Reason | None:
    """Return what is wrong with a bad value whatever it should have been."""
    if len(text) > LONGEST_FIELD:
        return Reason.TOO_LONG
    if b"\0" in text:
        return Reason.NUL
    if text.startswith(_FORMULA):
        return Reason.FORMULA
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return Reason.ENCODING
    return None if decoded.isprintable() else Reason.CONTROL


def _number(reason: Reason) -> int:
    return REASONS.index(reason)


def _where(bad: Bools, reason: Reason) -> Reasons:
    return np.where(bad, _number(reason), 0).astype(np.uint8)


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days
