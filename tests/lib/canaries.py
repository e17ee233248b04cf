"""Looking for planted numbers in files: written out in digits, or as the eight bytes of an integer."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

_DIGITS = re.compile(rb"[0-9]{6,20}")
_WORD = 8
_PART, _OVERLAP = 16 * 1024 * 1024, 64


class Canaries:
    """Numbers too long to stand anywhere by chance."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = frozenset(numbers)
        assert min(self.numbers) > 10**9, "so short a number may stand somewhere by chance"
        self._text = frozenset(str(number).encode() for number in self.numbers)
        self._words = np.sort(np.array(list(self.numbers), dtype=np.uint64))

    def in_bytes(self, data: bytes) -> bool:
        """Say whether one of them stands there."""
        return not self._text.isdisjoint(_DIGITS.findall(data)) or self._as_integer(data)

    def in_files(self, roots: Iterable[Path]) -> Iterator[Path]:
        """Yield the files below these folders that hold one of them; a name counts as what it names."""
        for root in roots:
            for path in sorted(root.rglob("*")):
                if path.is_symlink() or not (path.is_file() or path.is_dir()):
                    continue
                if self.in_bytes(path.name.encode()) or (path.is_file() and any(map(self.in_bytes, _parts(path)))):
                    yield path

    def _as_integer(self, data: bytes) -> bool:
        for start in range(min(_WORD, len(data))):
            words = np.frombuffer(data, dtype=np.uint64, offset=start, count=(len(data) - start) // _WORD)
            places = np.minimum(np.searchsorted(self._words, words), len(self._words) - 1)
            if words.size and bool((self._words[places] == words).any()):
                return True
        return False


def _parts(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, in parts that overlap; its holes, which hold nothing, are passed over."""
    try:
        file = path.open("rb")
    except FileNotFoundError:  # gone between the listing and now
        return
    with file:
        end, place = os.fstat(file.fileno()).st_size, 0
        while place < end:
            try:
                place = os.lseek(file.fileno(), place, os.SEEK_DATA)
            except OSError:  # nothing but a hole follows
                return
            hole = os.lseek(file.fileno(), place, os.SEEK_HOLE)
            while place < hole:
                yield os.pread(file.fileno(), min(_PART, hole - place), place)
                place += _PART - _OVERLAP
            place = hole
