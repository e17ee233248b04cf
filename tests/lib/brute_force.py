"""The third opinion: what can be worked out from published tables, found by trying every table that fits.

It shares no code with the engine but the data classes of `enclave.sdc.table`, and knows no linear algebra: unknowns are
the inner cells of *all* variables of all tables crossed (for each state of the data and each period), and every figure,
mark and unchanging margin is one line that they must satisfy. A depth-first search narrows the range of each unknown
until a line breaks or every unknown is settled. Only for tiny tables: a search that takes more than `budget` steps
raises TooLarge instead of answering.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from enclave.sdc.table import CellKey, Mark, ProtectedTable, TableSpec, Variable

CEILING = 60
"""No inner cell is tried above this; an extreme that reaches it is reported as "no bound" (None)."""

UNBOUNDED = 10**9

Interval = tuple[int, int | None]
Equal = Sequence[tuple[CellKey, CellKey]]
Impossible = frozenset[frozenset[tuple[str, str]]]


class TooLarge(Exception):  # noqa: N818  says what the tables are
    """The tables are too large to try them all."""


class Contradiction(Exception):  # noqa: N818  says what the tables are
    """No table at all fits what is published: something untrue was published."""


@dataclass(frozen=True, slots=True)
class Line:
    """The sum over `terms` of sign x unknown lies in [low, high]; a sign is 1 or -1, each unknown stands once."""

    terms: tuple[tuple[int, int], ...]
    low: int
    high: int


Box = tuple[list[int], list[int]]


@dataclass(frozen=True)
class Puzzle:
    """Unknowns 0..size-1, the lines they satisfy, and for each hidden cell the unknowns that it adds up."""

    size: int
    lines: tuple[Line, ...]
    hidden: Mapping[CellKey, tuple[int, ...]]


def intervals(
    tables: Sequence[ProtectedTable],
    marks: Sequence[Sequence[Mark]],
    equal: Equal = (),
    impossible: Impossible = frozenset(),
    budget: int = 200_000,
) -> dict[CellKey, Interval]:
    """Return the least and the greatest value of each hidden cell over all tables that fit; None: no bound.

    `marks[i]` is the legend of `tables[i]`; `equal` names published cells that are known to be equal, `impossible`
    the (variable, code) combinations that everybody knows to be empty.
    """
    explorer = Explorer(set_up(tables, marks, equal, impossible), Budget(budget))
    return {key: explorer.interval(key) for key in explorer.cells}


def broken(explorer: "Explorer", needs: Mapping[CellKey, Interval]) -> dict[CellKey, Interval]:
    """Return the interval of each cell that no table brings down to its need's least and up to its greatest value."""
    return {
        key: explorer.interval(key)
        for key, (least, greatest) in needs.items()
        if not explorer.can(key, -1, -least) or not explorer.can(key, 1, greatest or 0)
    }


def every_table(puzzle: Puzzle, budget: int = 200_000) -> Iterator[tuple[int, ...]]:
    """Yield each settling of the unknowns that fits, without looking for anything in particular."""
    yield from Search(puzzle.size, puzzle.lines, Budget(budget)).tables()


# ---- from tables to lines ------------------------------------------------------------------------------------------


def set_up(
    tables: Sequence[ProtectedTable],
    marks: Sequence[Sequence[Mark]],
    equal: Equal = (),
    impossible: Impossible = frozenset(),
) -> Puzzle:
    """Write down the unknowns and the lines of everything published."""
    space = _Space([table.spec for table in tables])
    inside: dict[CellKey, tuple[int, ...]] = {}
    hidden: dict[CellKey, tuple[int, ...]] = {}
    lines: list[Line] = []
    for table, legend in zip(tables, marks, strict=True):
        bounds = {mark.code: (mark.minimum or 0, mark.maximum) for mark in legend}
        for position, key, members in space.cells(table.spec):
            inside[key] = members
            low, high = _bounds(table, position, bounds)
            lines.append(Line(tuple((i, 1) for i in members), low, high))
            if table.marks[position] != "F":
                hidden[key] = members
    lines += list(_rests(lines))
    lines += [_difference(inside[one], inside[other]) for one, other in equal]
    lines += [_difference(one, other) for one, other in space.unchanging()]
    lines += [Line(tuple((i, 1) for i in members), 0, 0) for members in space.empty(impossible)]
    return _merge(space.size, lines, hidden)


def _bounds(
    table: ProtectedTable, position: tuple[int, ...], bounds: Mapping[str, tuple[int, int | None]]
) -> tuple[int, int]:
    code = str(table.marks[position])
    if code == "F":
        shown = int(table.values[position])
        return shown, shown
    low, high = bounds[code]
    return low, UNBOUNDED if high is None else high


def _rests(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield what is left of a shown sum when a shown part of it is taken away: nothing new, but found sooner."""
    exact = {frozenset(i for i, _ in line.terms): line.low for line in lines if line.low == line.high}
    for part, outer in itertools.permutations(exact, 2):
        if part < outer:
            rest = exact[outer] - exact[part]
            yield Line(tuple((i, 1) for i in sorted(outer - part)), rest, rest)


def _difference(one: Iterable[int], other: Iterable[int]) -> Line:
    weight: dict[int, int] = {}
    for i in one:
        weight[i] = weight.get(i, 0) + 1
    for i in other:
        weight[i] = weight.get(i, 0) - 1
    return Line(tuple((i, w) for i, w in weight.items() if w), 0, 0)


class _Space:
    """All inner cells: for each set of data (population, unit, measure, date) its variables crossed, in each period."""

    def __init__(self, specs: Sequence[TableSpec]) -> None:
        self.variables: dict[tuple[str, ...], dict[str, Variable]] = {}
        self.constant: dict[tuple[str, ...], set[str]] = {}
        self.periods: dict[tuple[str, ...], dict[str, None]] = {}
        for spec in specs:
            self._note(spec)
        self.size = 0
        self.number: dict[tuple[tuple[str, ...], str, tuple[str, ...]], int] = {}
        for data, variables in self.variables.items():
            for period in self.periods[data]:
                for leaves in itertools.product(*(v.leaves for v in variables.values())):
                    self.number[data, period, leaves] = self.size
                    self.size += 1

    def _note(self, spec: TableSpec) -> None:
        data = _data(spec)
        known = self.variables.setdefault(data, {})
        for variable in (*spec.dimensions, *(v for v, _ in spec.filters)):
            if set(known.setdefault(variable.id, variable).leaves) != set(variable.leaves):
                raise ValueError(f"two different sets of leaves are called '{variable.id}'")
        self.constant.setdefault(data, set()).update(spec.constant)
        self.periods.setdefault(data, {}).update(dict.fromkeys(spec.periods))

    def cells(self, spec: TableSpec) -> Iterator[tuple[tuple[int, ...], CellKey, tuple[int, ...]]]:
        """Yield position, meaning and unknowns of each cell of a table."""
        filters = {v.id: v.members(code) for v, code in spec.filters}
        for p, period in enumerate(spec.periods):
            for position in itertools.product(*(range(len(v.codes)) for v in spec.dimensions)):
                codes = tuple(v.codes[i] for v, i in zip(spec.dimensions, position, strict=True))
                chosen = {v.id: v.members(code) for v, code in zip(spec.dimensions, codes, strict=True)} | filters
                yield (p, *position), spec.key(period, codes), self.members(_data(spec), period, chosen)

    def members(self, data: tuple[str, ...], period: str, chosen: Mapping[str, frozenset[str]]) -> tuple[int, ...]:
        """Return the unknowns of one period whose leaves are among those chosen (a variable not named: all)."""
        variables = self.variables[data]
        wanted = [[leaf for leaf in v.leaves if leaf in chosen.get(v.id, v.leaves)] for v in variables.values()]
        return tuple(self.number[data, period, leaves] for leaves in itertools.product(*wanted))

    def unchanging(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Yield pairs of sums that are equal because what they count does not change per person."""
        for data, names in self.constant.items():
            variables = [v for v in self.variables[data].values() if v.id in names]
            for leaves in itertools.product(*(v.leaves for v in variables)) if names else ():
                chosen = {v.id: frozenset({leaf}) for v, leaf in zip(variables, leaves, strict=True)}
                sums = [self.members(data, period, chosen) for period in self.periods[data]]
                yield from itertools.pairwise(sums)

    def empty(self, impossible: Impossible) -> Iterator[tuple[int, ...]]:
        """Yield the unknowns of each combination that cannot exist, where all its variables stand in the tables."""
        for data, variables in self.variables.items():
            for combination in sorted(impossible, key=sorted):
                if all(name in variables for name, _ in combination):
                    chosen = {name: variables[name].members(code) for name, code in combination}
                    for period in self.periods[data]:
                        yield self.members(data, period, chosen)


def _data(spec: TableSpec) -> tuple[str, ...]:
    return (spec.population, spec.unit, spec.measure, spec.data_date)


def _merge(size: int, lines: Sequence[Line], hidden: Mapping[CellKey, tuple[int, ...]]) -> Puzzle:
    """Make one unknown of all that stand in the same lines: only their sum can ever matter."""
    columns: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    for number, line in enumerate(lines):
        for i, weight in line.terms:
            columns[i].append((number, weight))
    new: dict[tuple[tuple[int, int], ...], int] = {}
    to = [new.setdefault(tuple(column), len(new)) for column in columns]
    merged: dict[Line, None] = {}
    for line in lines:
        merged[Line(tuple(sorted({(to[i], weight) for i, weight in line.terms})), line.low, line.high)] = None
    return Puzzle(len(new), tuple(merged), {key: tuple(sorted({to[i] for i in m})) for key, m in hidden.items()})


# ---- the search ----------------------------------------------------------------------------------------------------


@dataclass
class Budget:
    """How many more choices the search may try."""

    steps: int

    def spend(self) -> None:
        """Take one step, or raise TooLarge."""
        self.steps -= 1
        if self.steps < 0:
            raise TooLarge("too many tables to try")


class Search:
    """Depth-first search over the unknowns, narrowing their ranges after each choice."""

    def __init__(self, size: int, lines: tuple[Line, ...], budget: Budget) -> None:
        self.size = size
        self.lines = lines
        self.budget = budget
        self.using: list[list[int]] = [[] for _ in range(size)]
        for number, line in enumerate(lines):
            for i, _ in line.terms:
                self.using[i].append(number)

    def start(self) -> Box | None:
        """Return the ranges of all unknowns before any choice; None when no table fits."""
        box = ([0] * self.size, [CEILING] * self.size)
        return box if self._narrow(box, range(len(self.lines))) else None

    def tables(self, box: Box | None = None) -> Iterator[tuple[int, ...]]:
        """Yield every settling of the unknowns (within the box) that satisfies all lines."""
        box = box or self.start()
        if box is None:
            return
        low, high = box
        still_open = [i for i in range(self.size) if low[i] < high[i]]
        if not still_open:
            yield tuple(low)
            return
        choice = min(still_open, key=lambda i: high[i] - low[i])
        middle = (low[choice] + high[choice]) // 2
        for new_low, new_high in ((low[choice], middle), (middle + 1, high[choice])):
            half = (low.copy(), high.copy())
            half[0][choice], half[1][choice] = new_low, new_high
            if self._narrow(half, self.using[choice]):
                yield from self.tables(half)

    def _narrow(self, box: Box, numbers: Iterable[int]) -> bool:
        """Tighten the ranges until nothing moves; False when a line can no longer hold."""
        self.budget.spend()
        waiting = dict.fromkeys(numbers)
        while waiting:
            number, _ = waiting.popitem()
            moved = _tighten(self.lines[number], box)
            if moved is None:
                return False
            for i in moved:
                waiting.update(dict.fromkeys(self.using[i]))
        return True


def _tighten(line: Line, box: Box) -> list[int] | None:
    """Cut from each unknown of a line what the others leave no room for; None when the line cannot hold."""
    low, high = box
    least = sum(low[i] if sign > 0 else -high[i] for i, sign in line.terms)
    most = sum(high[i] if sign > 0 else -low[i] for i, sign in line.terms)
    if least > line.high or most < line.low:
        return None
    up, down = line.high - least, most - line.low  # how far one unknown may move the sum, all others at their best
    moved = []
    for i, sign in line.terms:
        more, less = (up, down) if sign > 0 else (down, up)
        if high[i] - low[i] > min(more, less):
            low[i], high[i] = max(low[i], high[i] - less), min(high[i], low[i] + more)
            moved.append(i)
            if low[i] > high[i]:
                return None
    return moved


class Explorer:
    """Finds out how far hidden cells can go. Every table found on the way counts for all cells."""

    def __init__(self, puzzle: Puzzle, budget: Budget) -> None:
        self.puzzle = puzzle
        self.budget = budget
        self.cells = dict(puzzle.hidden)
        self.best: dict[tuple[CellKey, int], int] = {}
        self.start = Search(puzzle.size, puzzle.lines, budget).start() or ([], [])
        found = next(Search(puzzle.size, puzzle.lines, budget).tables(), None)
        if found is None:
            raise Contradiction("no table fits what is published")
        self._note(found)

    def _note(self, found: tuple[int, ...]) -> None:
        for key, cell in self.cells.items():
            value = sum(found[i] for i in cell)
            for sign in (1, -1):
                self.best[key, sign] = max(self.best.get((key, sign), -UNBOUNDED), sign * value)

    def can(self, key: CellKey, sign: int, goal: int) -> bool:
        """Whether some table that fits has sign x cell >= goal."""
        if self.best[key, sign] < goal <= self._thinkable(key, sign):
            wish = Line(tuple((i, sign) for i in self.cells[key]), goal, UNBOUNDED)
            found = next(Search(self.puzzle.size, (*self.puzzle.lines, wish), self.budget).tables(), None)
            if found is not None:
                self._note(found)
        return self.best[key, sign] >= goal

    def interval(self, key: CellKey) -> Interval:
        """Return the least and the greatest value of one cell."""
        greatest = self._extreme(key, 1)
        return -self._extreme(key, -1), None if greatest >= CEILING else greatest

    def _thinkable(self, key: CellKey, sign: int) -> int:
        low, high = self.start
        cell = self.cells[key]
        return min(CEILING, sum(high[i] for i in cell)) if sign > 0 else -sum(low[i] for i in cell)

    def _extreme(self, key: CellKey, sign: int) -> int:
        """Halve the gap between what was found and what is thinkable until it is closed."""
        thinkable = goal = self._thinkable(key, sign)
        while self.best[key, sign] < thinkable:
            if not self.can(key, sign, goal):
                thinkable = goal - 1
            goal = self.best[key, sign] + (thinkable - self.best[key, sign] + 1) // 2
        return self.best[key, sign]
