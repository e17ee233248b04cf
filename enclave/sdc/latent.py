"""Cells that nobody prints, but that tie the printed ones together: rests of selections, and joint inner cells.

Whoever reads several tables of one population knows that one set of persons stands behind them all. As long as the
tables form an acyclic hypergraph of variables (a *decomposable* set), any cells that add up come from such a set, and
the sums of the tables say everything. Elsewhere they do not: a x b, b x c and a x c bound the cells of a x b x c. There
the joint inner cells of the variables concerned enter as latent cells (a *block*), and every printed cell becomes a sum
of them. A block is made, for each period of one population,

- of the variables that are left when no more ears can be cut from the hypergraph (Graham, Yu and Ozsoyoglu);
- of all tables with a variable whose selections overlap without nesting;
- of a table with two filters, and of two tables filtered by different variables whose common margin nobody prints;
- of a filtered table where nobody prints its crossing of all others, and two margins of these others are printed;
- of combinations that everybody knows to be empty, since they tie their variables too;
- of several variables that do not change per person, since their crossing is the same in all periods. This last only
  up to `MOST_UNCHANGING` cells: beyond, tables are protected as if that crossing could change.

Variables enter a block by *atoms*: the coarsest classes from which all printed categories can be put together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product
from math import prod

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.table import TOTAL, CellKey, Ints, TableSpec, Variable

MOST_JOINT_CELLS = 200_000
"""Most joint inner cells of a request with its history before the request must be made smaller."""

MOST_UNCHANGING = 5_000
"""Most joint inner cells that may be added because several variables do not change."""

Row = tuple[int, tuple[int, ...]]
"""One equation: the cell that is the sum, and the cells it adds up."""

Names = frozenset[str]
Pairs = frozenset[tuple[str, str]]


def variables_of(specs: Iterable[TableSpec]) -> dict[str, Variable]:
    """Return each variable with all its hierarchies; RequestError where two tables mean different things by it."""
    found: dict[str, Variable] = {}
    for spec in specs:
        for variable in (*spec.dimensions, *(v for v, _ in spec.filters)):
            known = found.setdefault(variable.id, variable)
            if known.leaves != variable.leaves:
                raise RequestError(
                    "VARIABLE_TWO_WAYS", f"'{variable.id}' has different categories in two linked tables"
                )
            if known != variable:
                hierarchies = dict.fromkeys((*known.hierarchies, *variable.hierarchies))
                found[variable.id] = Variable(variable.id, tuple(hierarchies))
    return found


def aligned(specs: Sequence[TableSpec], variables: Mapping[str, Variable]) -> tuple[TableSpec, ...]:
    """Return the specs with one name for each selection, and with all that any of them knows not to change."""
    constant: dict[CellKey, Names] = {}
    for spec in specs:
        constant[_world(spec)] = constant.get(_world(spec), frozenset()) | spec.constant
    return tuple(
        replace(
            spec,
            filters=tuple((variables[v.id], variables[v.id].selection([code])) for v, code in spec.filters),
            constant=constant[_world(spec)],
        )
        for spec in specs
    )


def latent_rows(
    specs: Sequence[TableSpec],
    variables: Mapping[str, Variable],
    index: dict[CellKey, int],
    sums: Iterable[Row],
    impossible: Iterable[Pairs] = (),
) -> list[Row]:
    """Add the latent cells to `index` and return the equations that tie them to the cells there.

    `specs` are aligned, `sums` their own equations. Raises RequestError when there would be too many joint cells.
    """
    places = _places(specs, variables, index, frozenset(impossible))
    crossed = _crossings(places)
    explained = _explained(sums)
    rows: dict[Row, None] = {}
    for place, blocks in zip(places, crossed, strict=True):
        for name in place.filtered:
            rows.update(dict.fromkeys(_rests(place, name, index, explained)))
        for block in blocks:
            rows.update(dict.fromkeys(_joint(place, block, index, explained)))
    return list(rows)


def _world(spec: TableSpec) -> CellKey:
    """Return the key of everybody at once: what two cells must share to speak of the same persons."""
    return CellKey(spec.population, spec.unit, spec.measure, spec.data_date, "", frozenset())


@dataclass(frozen=True, eq=False)
class Place:
    """The tables of one population in one period: `cells` finds a cell there by its pairs."""

    world: CellKey
    period: str
    specs: tuple[TableSpec, ...]
    variables: Mapping[str, Variable]
    impossible: frozenset[Pairs]
    cells: dict[Pairs, int]

    @cached_property
    def constant(self) -> Names:
        """The variables that do not change per person."""
        return self.specs[0].constant

    @cached_property
    def edges(self) -> tuple[Names, ...]:
        """The variables of each table."""
        return tuple(dict.fromkeys(_edge(spec) for spec in self.specs))

    @cached_property
    def filtered(self) -> tuple[str, ...]:
        """Variables by which some table is filtered."""
        return tuple(dict.fromkeys(name for spec in self.specs for name in sorted(_filters(spec))))

    @cached_property
    def _groups(self) -> dict[str, list[frozenset[str]]]:
        found: dict[str, dict[frozenset[str], None]] = {}
        pairs = [(v.id, code) for spec in self.specs for v in spec.dimensions for code in v.codes]
        pairs += [(v.id, code) for spec in self.specs for v, code in spec.filters]
        for name, code in dict.fromkeys(
            [*pairs, *(p for pairs_ in sorted(map(sorted, self.impossible)) for p in pairs_)]
        ):
            found.setdefault(name, {})[self.variables[name].members(code)] = None
        return {name: list(groups) for name, groups in found.items()}

    def atoms(self, name: str) -> list[frozenset[str]]:
        """Return the coarsest classes from which all categories printed here can be put together."""
        return atoms(self.variables[name], self._groups[name])

    def size(self, block: Names) -> int:
        """Return how many joint inner cells a block has."""
        return prod(len(self.atoms(name)) for name in block)

    def cell(self, groups: Mapping[str, frozenset[str]], index: dict[CellKey, int]) -> int:
        """Return the number of the cell of these groups, a new one where there is none."""
        named = ((name, self.variables[name].selection(leaves)) for name, leaves in groups.items())
        pairs = frozenset((name, code) for name, code in named if code != TOTAL)
        if pairs not in self.cells:
            same_in_all = bool(self.constant) and all(name in self.constant for name, _ in pairs)
            key = self.world._replace(period="" if same_in_all else self.period, pairs=pairs)
            self.cells[pairs] = index.setdefault(key, len(index))
        return self.cells[pairs]


def _places(
    specs: Sequence[TableSpec],
    variables: Mapping[str, Variable],
    index: Mapping[CellKey, int],
    impossible: frozenset[Pairs],
) -> list[Place]:
    """Return every population and period with the cells that speak of it."""
    tables: dict[tuple[CellKey, str], list[TableSpec]] = {}
    for spec in specs:
        for period in spec.periods:
            tables.setdefault((_world(spec), period), []).append(spec)
    cells: dict[tuple[CellKey, str], dict[Pairs, int]] = {}
    for key, cell in index.items():
        cells.setdefault((key._replace(period="", pairs=frozenset()), key.period), {})[key.pairs] = cell
    found = []
    for (world, period), here in tables.items():
        names = frozenset().union(*(_edge(spec) for spec in here))
        known = frozenset(pairs for pairs in impossible if all(name in names for name, _ in pairs))
        both = cells.get((world, ""), {}) | (cells.get((world, period), {}) if period else {})
        found.append(Place(world, period, tuple(here), variables, known, both))
    return found


def _edge(spec: TableSpec) -> Names:
    return frozenset(v.id for v in spec.dimensions) | _filters(spec)


def _filters(spec: TableSpec) -> Names:
    return frozenset(v.id for v, code in spec.filters if code != TOTAL)


# ---- which variables must be crossed -------------------------------------------------------------------------------


def _crossings(places: Sequence[Place]) -> list[list[Names]]:
    """Return the blocks of each place, with the crossing of unchanging variables where it is small enough."""
    periods: dict[CellKey, int] = {}
    for place in places:
        periods[place.world] = periods.get(place.world, 0) + 1
    plain = [_blocks(place, frozenset()) for place in places]
    tied = [
        _blocks(place, place.constant & frozenset().union(*place.edges)) if periods[place.world] > 1 else blocks
        for place, blocks in zip(places, plain, strict=True)
    ]
    before, after = (
        sum(place.size(block) for place, blocks in zip(places, crossed, strict=True) for block in blocks)
        for crossed in (plain, tied)
    )
    if before > MOST_JOINT_CELLS:
        raise RequestError(
            "TOO_MANY_JOINT_CELLS",
            "these tables, with those released before, cross too many variables; ask for fewer variables or categories",
        )
    return tied if after - before <= MOST_UNCHANGING and after <= MOST_JOINT_CELLS else plain


def _blocks(place: Place, unchanging: Names) -> list[Names]:
    """Return disjoint sets of variables to be crossed, so that with them the tables are decomposable."""
    edges = [*place.edges, unchanging]
    found = _merged(_forced(place))
    while True:
        grown = _merged([*found, *_core([*edges, *found])])
        grown = [block | _filters_met(place, block) for block in grown]
        if grown == found:
            return found
        found = _merged(grown)


def _forced(place: Place) -> Iterator[Names]:
    """Yield sets of variables that filters force to be crossed."""
    for name in place.filtered:
        groups = [place.variables[name].members(code) for s in place.specs for v, code in s.filters if v.id == name]
        if any(one & other and not (one <= other or other <= one) for one, other in combinations(groups, 2)):
            yield frozenset().union(*(edge for edge in place.edges if name in edge))
    for spec in place.specs:
        if len(_filters(spec)) > 1 or _rest_has_two_margins(place, spec):
            yield _edge(spec)
    for pairs in sorted(place.impossible, key=sorted):
        names = frozenset(name for name, _ in pairs)
        if not _printed(place, names):
            yield names
    for one, other in combinations([spec for spec in place.specs if _filters(spec)], 2):
        common = _edge(one) & _edge(other)
        if _filters(one) != _filters(other) and not _printed(place, common):
            yield _edge(one) | _edge(other)


def _rest_has_two_margins(place: Place, spec: TableSpec) -> bool:
    """Whether two margins bound the rest that a filter leaves, over all dimensions of its table, which nobody prints.

    The filtered table crosses its dimensions for the persons inside the filter alone. Of the others, two margins that
    stand side by side bound the inner cells more closely than either of them, and three may do so in a circle.
    """
    dimensions = _edge(spec) - _filters(spec)
    rest = {name: _not_crossed(place, name, dimensions) for name in _filters(spec)}
    if not any(rest.values()):
        return False
    met = [_edge(other) for other in place.specs if all(_inside_filter(other, *one) for one in rest.items())]
    tied = [frozenset(name for name, _ in pairs) for pairs in place.impossible]
    margins = {dimensions & edge for edge in (*met, *tied, place.constant)} - {dimensions}
    return sum(not any(margin < other for other in margins) for margin in margins) > 1


def _not_crossed(place: Place, name: str, dimensions: Names) -> Names:
    """Return the leaves of a filtered variable for which no table crosses these dimensions."""
    left = frozenset(place.variables[name].leaves)
    for spec in place.specs:
        if dimensions <= _edge(spec) - _filters(spec) and _filters(spec) <= {name}:
            left -= _inside_filter(spec, name, left)
    return left


def _inside_filter(spec: TableSpec, name: str, leaves: Names) -> Names:
    """Return which of these leaves of a variable a table speaks of: all where it is not filtered by the variable."""
    return leaves.intersection(*(variable.members(code) for variable, code in spec.filters if variable.id == name))


def _filters_met(place: Place, block: Names) -> Names:
    """Return the filters of tables that share with the block a margin which nobody prints."""
    met: Names = frozenset()
    for spec in place.specs:
        if _filters(spec) - block and not _printed(place, _edge(spec) & block):
            met |= _filters(spec)
    return met


def _printed(place: Place, names: Names) -> bool:
    """Whether some table without filters prints the margin of these variables (or it is empty)."""
    return not names or any(not _filters(spec) and names <= _edge(spec) for spec in place.specs)


def _core(edges: Iterable[Names]) -> list[Names]:
    """Cut ears until none is left: variables of one edge only, and edges inside others. Return what stays, merged."""
    left = [edge for edge in dict.fromkeys(edges) if edge]
    while True:
        met: dict[str, int] = {}
        for edge in left:
            for name in edge:
                met[name] = met.get(name, 0) + 1
        cut = dict.fromkeys(frozenset(name for name in edge if met[name] > 1) for edge in left)
        kept = [edge for edge in cut if edge and not any(edge < other for other in cut)]
        if kept == left:
            return _merged(left)
        left = kept


def _merged(sets: Iterable[Names]) -> list[Names]:
    """Return the unions of the sets that share a variable."""
    found: list[Names] = []
    for new in sets:
        touching = [old for old in found if old & new]
        found = [old for old in found if not old & new] + [new.union(*touching)]
    return found


# ---- the cells and their equations ---------------------------------------------------------------------------------


def atoms(variable: Variable, groups: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Return the coarsest partition of all leaves that every group is a union of, in canonical order."""
    groups = list(groups)
    classes: dict[tuple[bool, ...], list[str]] = {}
    for leaf in variable.leaves:
        classes.setdefault(tuple(leaf in group for group in groups), []).append(leaf)
    return [frozenset(leaves) for leaves in classes.values()]


def _explained(sums: Iterable[Row]) -> dict[int, list[tuple[int, ...]]]:
    """Return the parts of each cell that is a sum already."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for parent, children in sums:
        found.setdefault(parent, []).append(children)
    return found


def _rests(
    place: Place, name: str, index: dict[CellKey, int], explained: Mapping[int, Sequence[tuple[int, ...]]]
) -> Iterator[Row]:
    """Tie the groups of a filtered variable to each other, wherever more than one stands in the same context."""
    variable = place.variables[name]
    contexts: dict[Pairs, dict[frozenset[str], int]] = {}
    for pairs, cell in place.cells.items():
        codes = [code for other, code in pairs if other == name] or [TOTAL]
        context = frozenset(pair for pair in pairs if pair[0] != name)
        contexts.setdefault(context, {}).setdefault(variable.members(codes[0]), cell)
    for context, groups in contexts.items():
        others = {other: place.variables[other].members(code) for other, code in context}
        here = set(groups.values())
        classes = atoms(variable, groups)
        for group, cell in groups.items():
            parts = [atom for atom in classes if atom <= group]
            if len(parts) > 1 and not any(here.issuperset(children) for children in explained.get(cell, ())):
                yield cell, tuple(sorted(place.cell({**others, name: atom}, index) for atom in parts))


def _joint(
    place: Place, block: Names, index: dict[CellKey, int], explained: Mapping[int, Sequence[tuple[int, ...]]]
) -> Iterator[Row]:
    """Tie every cell that only variables of the block classify to the joint inner cells of the block."""
    names = sorted(block)
    classes = {name: place.atoms(name) for name in names}
    unchanging = [name for name in names if name in place.constant]
    place.cell({}, index)
    for groups in product(*(classes[name] for name in unchanging)):
        place.cell(dict(zip(unchanging, groups, strict=True)), index)
    sums = {cell: pairs for pairs, cell in place.cells.items() if all(name in block for name, _ in pairs)}
    inner = [place.cell(dict(zip(names, groups, strict=True)), index) for groups in product(*classes.values())]
    numbers = np.array(inner, dtype=np.int64).reshape([len(classes[name]) for name in names])
    for cell in sorted(sums.keys() - set(inner)):
        if not any(sums.keys() >= set(children) for children in explained.get(cell, ())):
            yield cell, tuple(_inside(place, sums[cell], classes, numbers))


def _inside(
    place: Place, pairs: Pairs, classes: Mapping[str, Sequence[frozenset[str]]], numbers: Ints
) -> Iterable[int]:
    """Return the joint inner cells that one cell adds up, in order."""
    chosen = dict(pairs)
    parts = [
        [i for i, atom in enumerate(found) if atom <= place.variables[name].members(chosen.get(name, TOTAL))]
        for name, found in classes.items()
    ]
    return [int(number) for number in np.sort(numbers[np.ix_(*parts)].ravel())]
