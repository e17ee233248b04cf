"""Reference tables that the made-up world is laid over: municipalities with inhabitants, and the codes in use."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from enclave.errors import SetupError
from enclave.synthetic.assumptions import HOUSEHOLDS, POSITIONS


class Region(IntEnum):
    """The regions, in the order of the shares in `assumptions`."""

    FLANDERS = 0
    WALLONIA = 1
    BRUSSELS = 2


_REGION_CODES = {"02000": Region.FLANDERS, "03000": Region.WALLONIA, "04000": Region.BRUSSELS}
_UNKNOWN = "XX"


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality: its code, its region and its number of inhabitants."""

    code: str
    region: Region
    population: int


@dataclass(frozen=True, slots=True)
class References:
    """What the model needs from outside.

    `households` (LIPRO) and `positions` are the codes as institutions deliver them; they must hold every code that
    the model gives out. SetupError SYNTHETIC_REFERENCES says what is missing.
    """

    municipalities: tuple[Municipality, ...]
    clusters: tuple[str, ...]
    households: frozenset[str]
    positions: frozenset[str]

    def __post_init__(self) -> None:
        _refuse_missing("region", set(Region) - {one.region for one in self.municipalities})
        _refuse_missing("LIPRO code", set(HOUSEHOLDS) - self.households)
        _refuse_missing("socio-economic position", set(POSITIONS) - self.positions)
        if len(self.clusters) < len(Region):
            raise SetupError(
                "SYNTHETIC_REFERENCES", "the code list of clusters needs at least one code for each region"
            )

    @classmethod
    def from_csv(cls, tables: Mapping[str, str]) -> Self:
        """Read the texts of the classifications, by file name without `.csv`.

        Needed: municipalities (with the tree up to the regions), municipality_population, clusters, lipro, positions.
        """
        rows = {name: _rows(tables, name) for name in ("municipalities", "clusters", "lipro", "positions")}
        population = {row["code"]: int(row["population"]) for row in _rows(tables, "municipality_population")}
        parents = {row["code"]: row["parent"] for row in rows["municipalities"]}
        return cls(
            tuple(
                Municipality(code, _region(code, parents), population[code])
                for code in _leaves(rows["municipalities"])
                if code in population
            ),
            tuple(code for code in _leaves(rows["clusters"]) if code != _UNKNOWN),
            frozenset(row.get("delivered_as") or row["code"] for row in rows["lipro"]),
            frozenset(_leaves(rows["positions"])),
        )


def _rows(tables: Mapping[str, str], name: str) -> list[dict[str, str]]:
    if name not in tables:
        raise SetupError("SYNTHETIC_REFERENCES", f"the made-up world needs the classification {name}.csv")
    return list(csv.DictReader(io.StringIO(tables[name])))


def _leaves(rows: Iterable[Mapping[str, str]]) -> list[str]:
    rows = list(rows)
    parents = {row["parent"] for row in rows}
    return [row["code"] for row in rows if row["code"] not in parents]


def _region(code: str, parents: Mapping[str, str]) -> Region:
    """Walk up the tree of municipalities to the region."""
    while parents[code]:
        code = parents[code]
    return _REGION_CODES[code]


def _refuse_missing(what: str, missing: Iterable[object]) -> None:
    for one in sorted(map(str, missing)):
        raise SetupError("SYNTHETIC_REFERENCES", f"the made-up world gives out {what} {one}: add it to the code lists")
