"""Identification numbers (INSZ) that cannot exist: right in form and check digits, with a month from 61 to 72.

The check is 97 - (first nine digits mod 97), with a 2 in front of the nine for births from 2000; men have odd counters.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from enclave.errors import EnclaveBug
from enclave.synthetic.chance import Ints

_MODULUS: Final = 97
_ADDED_TO_MONTH: Final = 60
_CENTURY: Final = 2_000_000_000
FIRST_SPARE_COUNTER: Final = 900
"""Counters from here on belong to nobody: fault rows are about them."""


def draw_numbers(born: NDArray[np.int32], male: NDArray[np.bool_]) -> Ints:
    """Return a different number for each person; `born` is in days since 1970-01-01."""
    rank = _rank_within(born.astype(np.int64) * 2 + male)
    counter = 2 * rank + np.where(male, 1, 2)
    if counter.max(initial=0) >= FIRST_SPARE_COUNTER:
        raise EnclaveBug("SYNTHETIC_COUNTERS", "more persons were born on one day than numbers can be made for")
    return with_check(_birth_digits(born) * 1000 + counter, after_1999(born))


def after_1999(born: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Say whose number is checked with a 2 in front."""
    return born >= np.datetime64("2000-01-01", "D").astype(np.int64)


def with_check(nine: Ints, born_after_1999: NDArray[np.bool_]) -> Ints:
    """Return the eleven digits for the first nine."""
    return nine * 100 + _MODULUS - (nine + np.where(born_after_1999, _CENTURY, 0)) % _MODULUS


def stranger(number: int) -> int:
    """Return a right number of nobody, born on the same day and of the same sex as the holder of `number`."""
    nine = number // 100
    is_late = with_check(np.array([nine]), np.array([False]))[0] != number
    spare = nine // 1000 * 1000 + FIRST_SPARE_COUNTER + nine % 2
    return int(with_check(np.array([spare]), np.array([is_late]))[0])


def spoil(number: int) -> int:
    """Return `number` with check digits that are wrong for a birth in either century."""
    nine = np.array([number // 100] * 2)
    right = set((with_check(nine, np.array([False, True])) % 100).tolist())
    return number // 100 * 100 + next(check for check in range(1, _MODULUS + 1) if check not in right)


def as_texts(numbers: Ints) -> NDArray[np.object_]:
    """Return the numbers as they are delivered: texts of eleven digits."""
    return np.array([f"{number:011d}" for number in numbers.tolist()], dtype=object)


def _birth_digits(born: NDArray[np.int32]) -> Ints:
    """Return YYMMDD with 60 added to the month."""
    days = born.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1 + _ADDED_TO_MONTH
    day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    digits: Ints = year % 100 * 10_000 + month * 100 + day
    return digits


def _rank_within(keys: Ints) -> Ints:
    """Return how many earlier persons have the same key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_first = np.r_[True, ordered[1:] != ordered[:-1]][: len(keys)]
    place = np.arange(len(keys))
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(is_first, place, 0))
    return rank
