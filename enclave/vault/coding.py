"""Coding: numbers of persons or enterprises become meaningless numbers, by an encrypted table of random draws.

A code is drawn at random from 1 to 2**53 - 1 and says nothing: not the number (no hash that could be broken by trying
all numbers), not the order of the numbers, not the order of arrival. 2**53 keeps codes exact in tools that hold numbers
as floating point. Each domain of each project has a table of its own, under a key of its own.
"""

from contextlib import AbstractContextManager
from typing import NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from enclave.errors import EnclaveBug
from enclave.vault.master import RandomBytes

Ints = NDArray[np.int64]

CODE_BITS = 53
_UNKNOWN = 0
"""Stands for "no code yet" inside this module; never drawn."""
_CHUNK = 1 << 20
"""Rows looked up at a time: small enough to sort quickly, large enough to walk through the table in order."""


class CodingTable(Protocol):
    """Where the pairs are kept: parts that are only ever added."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep all others from adding."""

    def parts(self) -> tuple[str, ...]:
        """Return the names of the parts."""

    def load(self, part: str) -> tuple[Ints, Ints]:
        """Return the numbers of a part, sorted, and the code of each."""

    def append(self, numbers: Ints, codes: Ints) -> str:
        """Keep a new part (numbers sorted), durably, and return its name; called inside `exclusive` only."""


class Coder:
    """Gives each number of one domain its code: the same number has the same code for ever."""

    def __init__(self, table: CodingTable, random_bytes: RandomBytes) -> None:
        """Read the table so far."""
        self._table = table
        self._random_bytes = random_bytes
        self._seen: set[str] = set()
        self._pairs: tuple[Ints, Ints] = (np.empty(0, np.int64), np.empty(0, np.int64))
        """Numbers, sorted, and the code of each; replaced as one, so that no thread sees one without the other."""
        self._refresh()

    def code(self, numbers: Ints) -> Ints:
        """Return the code of each number (int64, same shape (n,)), drawing one for each number never seen before.

        New pairs are kept on disk, encrypted, before any of their codes is returned. Sorted numbers go fastest.
        """
        if numbers.dtype != np.int64 or numbers.ndim != 1:
            raise EnclaveBug("CODING_INPUT", "numbers to code are one flat array of int64")
        codes = self._look_up(numbers)
        if (codes != _UNKNOWN).all():
            return codes
        with self._table.exclusive():
            self._refresh()
            self._extend(_distinct(numbers[self._look_up(numbers) == _UNKNOWN]))
        return self._look_up(numbers)

    def _extend(self, new: Ints) -> None:
        if new.size:
            drawn = self._draw(new.size)
            self._seen.add(self._table.append(new, drawn))
            self._merge(new, drawn)

    def _refresh(self) -> None:
        """Take in the parts that others have added."""
        for part in self._table.parts():
            if part not in self._seen:
                self._merge(*self._table.load(part))
                self._seen.add(part)

    def _merge(self, numbers: Ints, codes: Ints) -> None:
        known, known_codes = self._pairs
        at = np.searchsorted(known, numbers) + np.arange(numbers.size)
        old = np.ones(known.size + numbers.size, np.bool_)
        old[at] = False
        merged, merged_codes = np.empty(old.size, np.int64), np.empty(old.size, np.int64)
        merged[at], merged_codes[at] = numbers, codes
        merged[old], merged_codes[old] = known, known_codes
        self._pairs = (merged, merged_codes)

    def _draw(self, count: int) -> Ints:
        """Return so many codes that are not in use. They stand in the order of drawing, which is no order."""
        drawn = self._random_codes(count)
        in_use = np.sort(self._pairs[1])
        while True:
            ordered = np.sort(drawn)
            twice = ordered[1:][ordered[1:] == ordered[:-1]]
            again = np.isin(drawn, [_UNKNOWN, *twice, *ordered[_find(in_use, ordered)[1]]])
            if not again.any():
                return drawn
            drawn[again] = self._random_codes(int(again.sum()))

    def _random_codes(self, count: int) -> Ints:
        words = np.frombuffer(self._random_bytes(8 * count), np.uint64)
        return (words >> np.uint64(64 - CODE_BITS)).astype(np.int64)

    def _look_up(self, numbers: Ints) -> Ints:
        """Return the known codes, `_UNKNOWN` for the others."""
        found = np.empty_like(numbers)
        for start in range(0, numbers.size, _CHUNK):
            part = numbers[start : start + _CHUNK]
            if (part[1:] >= part[:-1]).all():
                found[start : start + _CHUNK] = self._look_up_sorted(part)
            else:
                order = np.argsort(part)
                found[start : start + _CHUNK][order] = self._look_up_sorted(part[order])
        return found

    def _look_up_sorted(self, numbers: Ints) -> Ints:
        known, codes = self._pairs
        at, hit = _find(known, numbers)
        found = np.full_like(numbers, _UNKNOWN)
        found[hit] = codes[at[hit]]
        return found

    def __repr__(self) -> str:
        return "Coder(table hidden)"

    def __reduce__(self) -> NoReturn:
        raise EnclaveBug("KEY_TRAVELS", "a coding table may not be sent to another process")


def _find(known: Ints, wanted: Ints) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where each wanted number stands among the known ones (sorted), and whether it is there at all."""
    if not known.size:
        return np.zeros(wanted.shape, np.intp), np.zeros(wanted.shape, np.bool_)
    at = np.minimum(np.searchsorted(known, wanted), known.size - 1)
    return at, known[at] == wanted


def _distinct(numbers: Ints) -> Ints:
    """Return each number once, sorted (`np.unique` of NumPy 2.4 hashes, and takes twenty times as long)."""
    ordered = np.sort(numbers)
    first = np.ones(ordered.shape, np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]
