"""Identification numbers, checked on whole arrays: INSZ (National Register and bis numbers) and enterprise numbers.

An INSZ has 11 digits: birth date YYMMDD, a counter of three digits, and the check 97 - (first nine mod 97); for births
from 2000 a 2 stands in front of the nine. Bis numbers have 20 or 40 added to the month. Month and day may be 00: not
known, or the counters of that day were used up. The day is not checked further, since used-up counters raise it.
Made-up numbers have the months 61 to 72, which never exist: right in form, and nobody's.

An enterprise number has 10 digits: 0 or 1 first, and the check 97 - (first eight mod 97).
"""

from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

INSZ_DIGITS = 11
ENTERPRISE_DIGITS = 10

_MODULUS = 97
_REAL_MONTHS = (range(13), range(20, 33), range(40, 53))
"""National Register, bis with sex unknown, bis with sex known; the first of each is "month not known"."""
_MADE_UP_MONTHS = (range(61, 73),)


class InszFault(IntEnum):
    """What is wrong with an INSZ; NONE when nothing is."""

    NONE = 0
    CHECK_DIGITS = 1
    MONTH = 2
    MADE_UP = 3
    NOT_MADE_UP = 4


def parse_digits(texts: pa.BinaryArray, width: int) -> tuple[Ints, Bools]:
    """Return the number that each text is, and whether it is one: exactly `width` digits 0-9 and nothing else.

    `texts` is a binary array without nulls. The number is 0 where the text is not one.
    """
    numbers = np.zeros(len(texts), dtype=np.int64)
    fits = np.asarray(pc.equal(pc.binary_length(texts), width), dtype=np.bool_)
    values = characters(texts.filter(pa.array(fits)), width) - np.uint8(ord("0"))
    is_number = (values <= 9).all(axis=1)  # noqa: PLR2004  characters below "0" wrapped round to more than 9
    fits[fits] = is_number
    value = np.zeros(np.count_nonzero(fits), dtype=np.int64)
    for place in values[is_number].T:
        value = value * 10 + place
    numbers[fits] = value
    return numbers, fits


def characters(texts: pa.BinaryArray, width: int) -> NDArray[np.uint8]:
    """Return texts that are all `width` bytes long as a matrix of bytes (texts x width)."""
    fixed = texts.cast(pa.binary(width))
    flat = np.frombuffer(fixed.buffers()[1] or b"", dtype=np.uint8)
    return flat[fixed.offset * width : (fixed.offset + len(fixed)) * width].reshape(len(fixed), width)


def insz_faults(numbers: Ints, *, synthetic: bool, last_birth_year: int) -> NDArray[np.uint8]:
    """Return the InszFault of each number of 11 digits.

    `synthetic` says which of two worlds is read: made-up numbers alone, or real ones alone; the two never mix.
    `last_birth_year` is the last year in which a person in the file can be born: a check that fits only with a 2 in
    front is right for births from 2000 up to that year.
    """
    body, check = np.divmod(numbers, 100)
    month = body // 10**5 % 100
    born_from_2000 = 2000 + body // 10**7 <= last_birth_year
    fits = (_check(body) == check) | (born_from_2000 & (_check(body + 2 * 10**9) == check))
    real, made_up = _one_of(month, _REAL_MONTHS), _one_of(month, _MADE_UP_MONTHS)
    faults = np.select(
        [~fits, ~real & ~made_up, made_up & (not synthetic), real & synthetic],
        [InszFault.CHECK_DIGITS, InszFault.MONTH, InszFault.MADE_UP, InszFault.NOT_MADE_UP],
        InszFault.NONE,
    )
    return faults.astype(np.uint8)


def enterprise_valid(numbers: Ints) -> Bools:
    """Return which numbers of 10 digits are enterprise numbers: 0 or 1 first, and the right check digits."""
    body, check = np.divmod(numbers, 100)
    fits: Bools = (numbers > 0) & (numbers < 2 * 10**9) & (_check(body) == check)
    return fits


def _check(body: Ints) -> Ints:
    return _MODULUS - body % _MODULUS


def _one_of(months: Ints, allowed: tuple[range, ...]) -> Bools:
    known = np.zeros(100, dtype=np.bool_)
    for span in allowed:
        known[list(span)] = True
    return known[months]
