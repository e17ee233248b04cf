"""What a table is: variables with hierarchies, table specifications, tables, and what a reader of tables knows.

Everything here is plain data that validates itself. Cells of different tables that mean the same (`CellKey`) become one
cell in `registry.py`; `Knowledge` is the algebra that is left of them, and all that the attacker is ever given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from enclave.errors import RequestError

TOTAL = "_T"
"""The code of "all categories of this variable together", as in SDMX."""

OR = "|"
"""Joins the codes of a selection: "A|B" is A and B together. (LIPRO codes such as "MAR+" rule out a plus sign.)"""

NO_UPPER = np.iinfo(np.int64).max
"""No upper bound is known for a cell."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Hierarchy:
    """One tree of categories: (code, parent) pairs in canonical order; parent "" means directly under the total.

    Raises RequestError when a code stands twice, is `_T`, has an unknown parent, or is its own ancestor.
    """

    parents: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        parent_of = dict(self.parents)
        if len(parent_of) != len(self.parents):
            raise RequestError("CODELIST_DUPLICATE", "a code stands twice in one code list; keep each code once")
        for code, parent in self.parents:
            if not code or code == TOTAL or OR in code:
                raise RequestError(
                    "CODELIST_CODE", f"'{code}' cannot be a code: empty, '{TOTAL}' and '{OR}' are reserved"
                )
            if parent and parent not in parent_of:
                raise RequestError(
                    "CODELIST_PARENT", f"code '{code}' has the unknown parent '{parent}'; add the parent"
                )
            seen = {code}
            while parent:
                if parent in seen:
                    raise RequestError("CODELIST_CYCLE", f"code '{code}' is its own ancestor; break the cycle")
                seen.add(parent)
                parent = parent_of[parent]  # noqa: PLW2901  climbing

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Codes directly under each parent; key "" holds those directly under the total."""
        found: dict[str, list[str]] = {}
        for code, parent in self.parents:
            found.setdefault(parent, []).append(code)
        return {parent: tuple(codes) for parent, codes in found.items()}

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Codes that are nobody's parent, in canonical order."""
        return tuple(code for code, _ in self.parents if code not in self.children)

    def leaves_under(self, code: str) -> frozenset[str]:
        """Return the leaves that `code` (or "" for all) stands for."""
        below = self.children.get(code)
        if below is None:
            return frozenset({code})
        return frozenset().union(*(self.leaves_under(child) for child in below))


@dataclass(frozen=True)
class Variable:
    """A classifying variable with one or more hierarchies over the same leaves.

    Canonical order of codes: `_T`, then the first hierarchy's codes, then what further hierarchies add.
    """

    id: str
    hierarchies: tuple[Hierarchy, ...]

    def __post_init__(self) -> None:
        if not self.hierarchies or not self.hierarchies[0].parents:
            raise RequestError("VARIABLE_EMPTY", f"variable '{self.id}' has no categories; give it a code list")
        meaning: dict[str, frozenset[str]] = {}
        for hierarchy in self.hierarchies:
            if set(hierarchy.leaves) != set(self.leaves):
                raise RequestError("HIERARCHY_LEAVES", f"the hierarchies of '{self.id}' do not share the same leaves")
            for code, _ in hierarchy.parents:
                if meaning.setdefault(code, hierarchy.leaves_under(code)) != hierarchy.leaves_under(code):
                    raise RequestError("CODE_AMBIGUOUS", f"code '{code}' of '{self.id}' means two different groups")

    @classmethod
    def flat(cls, variable_id: str, codes: Iterable[str]) -> "Variable":
        """Return a variable with one level under the total."""
        return cls(variable_id, (Hierarchy(tuple((code, "") for code in codes)),))

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The finest categories, in canonical order."""
        return self.hierarchies[0].leaves

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Every code of every level, `_T` first, in canonical order."""
        ordered = dict.fromkeys((TOTAL,))
        for hierarchy in self.hierarchies:
            ordered.update(dict.fromkeys(code for code, _ in hierarchy.parents))
        return tuple(ordered)

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        found = {TOTAL: frozenset(self.leaves)}
        for hierarchy in self.hierarchies:
            for code, _ in hierarchy.parents:
                found.setdefault(code, hierarchy.leaves_under(code))
        return found

    def members(self, code: str) -> frozenset[str]:
        """Return the leaves of a code or of a selection such as "A|B"; RequestError for an unknown code."""
        if code in self._members:
            return self._members[code]
        if OR in code and all(part in self._members for part in code.split(OR)):
            return frozenset().union(*(self._members[part] for part in code.split(OR)))
        raise RequestError("UNKNOWN_CODE", f"'{code}' is not a code of variable '{self.id}'")

    def selection(self, codes: Iterable[str]) -> str:
        """Return the one name of the group that these codes make together: a code where one exists, else "A|B"."""
        leaves = frozenset().union(*(self.members(code) for code in codes))
        for code, members in self._members.items():
            if members == leaves:
                return code
        return OR.join(leaf for leaf in self.leaves if leaf in leaves)

    @cached_property
    def sums(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Every (code, its children) over all hierarchies, the total included, each once."""
        found: dict[tuple[str, tuple[str, ...]], None] = {}
        for hierarchy in self.hierarchies:
            for parent, children in hierarchy.children.items():
                found[(parent or TOTAL, children)] = None
        return tuple(found)

    @cached_property
    def membership(self) -> Ints:
        """Matrix (codes x leaves) of 0 and 1: which leaves each code adds up."""
        position = {leaf: i for i, leaf in enumerate(self.leaves)}
        matrix = np.zeros((len(self.codes), len(self.leaves)), dtype=np.int64)
        for row, code in enumerate(self.codes):
            matrix[row, [position[leaf] for leaf in self.members(code)]] = 1
        return matrix


class CellKey(NamedTuple):
    """What a cell means, wherever it is printed. `period` is "" for a cell that is the same in all periods."""

    population: str
    unit: str
    measure: str
    data_date: str
    period: str
    pairs: frozenset[tuple[str, str]]
    """(variable, code) of every variable that is not at its total."""


@dataclass(frozen=True)
class TableSpec:
    """One table: dimensions crossed, for each period, over a population, perhaps filtered.

    `constant` names the variables that do not change per person: a cell that only they classify is the same cell in
    every period. `filters` holds (variable, code or selection) pairs. `data_date` names the state of the data.
    """

    id: str
    dimensions: tuple[Variable, ...]
    periods: tuple[str, ...]
    population: str
    unit: str = "person"
    measure: str = "count"
    filters: tuple[tuple[Variable, str], ...] = ()
    constant: frozenset[str] = frozenset()
    data_date: str = ""

    def __post_init__(self) -> None:
        names = [v.id for v in self.dimensions] + [v.id for v, _ in self.filters]
        if len(set(names)) != len(names):
            raise RequestError("DIMENSION_TWICE", f"table '{self.id}' uses a variable twice; use each once")
        if not self.periods or len(set(self.periods)) != len(self.periods):
            raise RequestError("PERIODS", f"table '{self.id}' needs at least one period, each once")
        for variable, code in self.filters:
            variable.members(code)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of periods, then of codes per dimension."""
        return (len(self.periods), *(len(v.codes) for v in self.dimensions))

    def key(self, period: str, codes: tuple[str, ...]) -> CellKey:
        """Return the meaning of the cell at these codes (one per dimension) in this period."""
        classified = [(v.id, code) for v, code in zip(self.dimensions, codes, strict=True) if code != TOTAL]
        filtered = [(v.id, code) for v, code in self.filters if code != TOTAL]
        pairs = frozenset(classified + filtered)
        same_in_all = bool(self.constant) and all(name in self.constant for name, _ in pairs)
        return CellKey(self.population, self.unit, self.measure, self.data_date, "" if same_in_all else period, pairs)


@dataclass(frozen=True, eq=False)
class Table:
    """A specification with its figures: `values` has the spec's shape, margins and subtotals included."""

    spec: TableSpec
    values: Ints

    def __post_init__(self) -> None:
        if self.values.shape != self.spec.shape:
            raise RequestError(
                "TABLE_SHAPE", f"table '{self.spec.id}' does not have one value for each cell of its spec"
            )

    @classmethod
    def from_leaves(cls, spec: TableSpec, leaves: Ints) -> "Table":
        """Add up every margin and subtotal from the inner cells, shaped (periods, leaves of each dimension...)."""
        values = np.asarray(leaves, dtype=np.int64)
        for axis, variable in enumerate(spec.dimensions, start=1):
            values = np.moveaxis(np.tensordot(variable.membership, values, axes=(1, axis)), 0, axis)
        return cls(spec, np.ascontiguousarray(values))


@dataclass(frozen=True, eq=False)
class Knowledge:
    """All that an attacker holds: cells, the equations among them, the public values, and bounds on the hidden ones.

    Promise: the truth satisfies `matrix @ x == rhs`, equals `values` where `public`, and lies in [lower, upper]
    elsewhere. `values` is 0 where not public: nothing hidden stands here.
    """

    matrix: sparse.csr_array
    rhs: Ints
    public: Bools
    values: Ints
    lower: Ints
    upper: Ints

    def __post_init__(self) -> None:
        cells = self.public.shape[0]
        if self.matrix.shape != (self.rhs.shape[0], cells) or any(
            array.shape != (cells,) for array in (self.values, self.lower, self.upper)
        ):
            raise RequestError("KNOWLEDGE_SHAPE", "equations and cells do not fit each other")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a hidden cell can be in the reader's eyes: at least `minimum`, at most `maximum` (None: no bound).

    Counts, sums and shares are never negative; only the mark of changes has no minimum.
    """

    code: str
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, eq=False)
class ProtectedTable:
    """A table as it is published. Arrays have the spec's shape.

    `marks` is "F" (free) where the figure is shown and the code of a mark ("C", or "C"/"D") where it is hidden;
    `values` is 0 where hidden, and is scaled by 10**decimals. `structural` says which shown zeros cannot be otherwise.
    """

    spec: TableSpec
    values: Ints
    marks: NDArray[np.str_]
    structural: Bools
    decimals: int = 0

    def __post_init__(self) -> None:
        if not self.values.shape == self.marks.shape == self.structural.shape == self.spec.shape:
            raise RequestError(
                "TABLE_SHAPE", f"table '{self.spec.id}' does not have one mark for each cell of its spec"
            )

    @property
    def shown(self) -> Bools:
        """True where the figure is shown."""
        return np.asarray(self.marks == "F", dtype=np.bool_)
