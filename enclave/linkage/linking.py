"""Linking persons to the rows of delivered files, and what is made of values that are missing. Pure: arrays in and out.

Values are positions in the leaves of a variable's code list; MISSING stands where a file says nothing about a person.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from enclave.linkage.numbers import Bools, Ints

Values = NDArray[np.int64]
MISSING = -1


def find_rows(persons: Ints, numbers: Ints) -> Ints:
    """Return the row of each person in a file with these numbers (each once); MISSING for who is not there."""
    if not len(numbers):
        return np.full(len(persons), MISSING)
    order = np.argsort(numbers)
    at = np.minimum(np.searchsorted(numbers, persons, sorter=order), len(numbers) - 1)
    rows = order[at]
    return np.where(numbers[rows] == persons, rows, MISSING)


def gather(rows: Ints, values: NDArray[np.generic], none: int) -> Ints:
    """Return the value in each of `rows`, `none` where the row is MISSING."""
    padded = np.append(values.astype(np.int64), none)
    return padded[rows]


def latest(snapshots: Sequence[Values]) -> Values:
    """Return for each person the last value that is not MISSING; MISSING where there is none."""
    found = snapshots[-1].copy()
    for earlier in reversed(snapshots[:-1]):
        np.copyto(found, earlier, where=found == MISSING)
    return found


def carry(snapshots: Sequence[Values]) -> list[Values]:
    """Return the snapshots with the last known value in the place of MISSING; before the first known one, that one."""
    known = latest(snapshots[::-1])
    carried = []
    for snapshot in snapshots:
        known = np.where(snapshot == MISSING, known, snapshot)
        carried.append(known)
    return carried


def differs(snapshots: Sequence[Values]) -> Bools:
    """Return which persons have two different values, MISSING apart."""
    last = latest(snapshots)
    found = np.zeros(len(last), dtype=np.bool_)
    for snapshot in snapshots:
        found |= (snapshot != MISSING) & (snapshot != last)
    return found
