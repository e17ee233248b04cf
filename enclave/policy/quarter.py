"""A calendar quarter, such as 2009-Q2: ordered, and one can count with it."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import overload

from enclave.errors import PolicyError

_WRITTEN = re.compile(r"([0-9]{4})-Q([1-4])")
_FIRST_YEAR, _LAST_YEAR = 1000, 9998


@dataclass(frozen=True, order=True, slots=True)
class Quarter:
    """Quarter `number` (1 to 4) of `year`; PolicyError QUARTER_INVALID where there is no such quarter."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (_FIRST_YEAR <= self.year <= _LAST_YEAR and 1 <= self.number <= 4):  # noqa: PLR2004  four quarters
            raise PolicyError("QUARTER_INVALID", "there is no such quarter; write it as 2009-Q2, with Q1 to Q4")

    @classmethod
    def parse(cls, text: str) -> "Quarter":
        """Read "2009-Q2"; PolicyError QUARTER_INVALID for anything else."""
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise PolicyError("QUARTER_INVALID", f"{text!r} is not a quarter; write it as 2009-Q2")
        return cls(int(written[1]), int(written[2]))

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.year:04d}-Q{self.number}"

    def __add__(self, quarters: int) -> "Quarter":
        """Return the quarter that lies `quarters` later."""
        year, index = divmod(self.year * 4 + self.number - 1 + quarters, 4)
        return Quarter(year, index + 1)

    @overload
    def __sub__(self, other: "Quarter") -> int: ...
    @overload
    def __sub__(self, other: int) -> "Quarter": ...
    def __sub__(self, other: "Quarter | int") -> "Quarter | int":
        """Return how many quarters lie between two quarters, or the quarter that lies `other` quarters earlier."""
        if isinstance(other, Quarter):
            return (self.year - other.year) * 4 + self.number - other.number
        return self + -other

    @property
    def first_day(self) -> date:
        """The first day of the quarter."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last_day(self) -> date:
        """The last day of the quarter: the reference date of what is taken "at the end of the quarter"."""
        return (self + 1).first_day - timedelta(days=1)

    def span(self, count: int) -> "tuple[Quarter, ...]":
        """Return `count` quarters in a row, this one first."""
        return tuple(self + step for step in range(count))
