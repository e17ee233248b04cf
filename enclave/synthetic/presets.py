"""Sizes of the made-up world, and which quarters the deliveries of a year hold."""

from dataclasses import dataclass
from enum import StrEnum

from enclave.errors import RequestError
from enclave.policy.quarter import Quarter

YEARS = (2016, 2017)
"""Years of advice 17/17 that the world reaches: year n has the situation n-7/n-6 (par. 4)."""
WORLD_START = Quarter(2009, 2)
COHORTS = 4
WINDOW = 20


class FileFormat(StrEnum):
    """How a file is written; the value is the end of its name."""

    CSV = "csv"
    PARQUET = "parquet"


class Preset(StrEnum):
    """A world by name. `demo` and `year2` are one world seen in two years."""

    TINY = "tiny"
    DEMO = "demo"
    YEAR2 = "year2"
    BENCH = "bench"

    @property
    def clients(self) -> int:
        """Persons with support under the right to social integration in the four quarters of the first year."""
        return {Preset.TINY: 2_000, Preset.BENCH: 1_510_000}.get(self, 151_000)

    @property
    def year(self) -> int:
        """The year of the advice that this preset is made for."""
        return YEARS[1] if self is Preset.YEAR2 else YEARS[0]

    @property
    def snapshot_format(self) -> FileFormat:
        """How register and positions are written; support and clusters are always CSV."""
        return FileFormat.CSV if self is Preset.TINY else FileFormat.PARQUET


@dataclass(frozen=True, slots=True)
class Span:
    """The quarters of one year, counted from the first quarter of the world; RequestError for a year out of reach."""

    year: int

    def __post_init__(self) -> None:
        if self.year not in YEARS:
            raise RequestError(
                "SYNTHETIC_YEAR", f"the made-up world has no year {self.year}; ask for one of {YEARS[0]}, {YEARS[1]}"
            )

    @property
    def first(self) -> int:
        """Index of the quarter of the first group."""
        return COHORTS * (self.year - YEARS[0])

    @property
    def cohorts(self) -> range:
        """Indices of the quarters of the four groups."""
        return range(self.first, self.first + COHORTS)

    @property
    def window(self) -> range:
        """Indices of the twenty quarters that tables are made of."""
        return range(self.first, self.first + WINDOW)
