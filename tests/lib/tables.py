"""Tables as small pictures: read them, and draw what was published in the same way.

A picture holds the inner cells; margins are added up. The first line names the row variable and the column variable
with a backslash between them, then the column codes. One variable alone makes one row of figures. A line
`period = 2009-Q2` or `sex = M` stands above a block of a table with periods or with further variables. `|` and lines
of dashes are decoration.

    sex \\ region |  A   B
    -------------+--------
    M            |  3  12
    F            |  9   2

A drawing shows every cell, totals (`_T`) first, with `C` or `D` where a figure is hidden and `Z` for a zero that
cannot be otherwise.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from enclave.sdc.table import TOTAL, Bools, Hierarchy, Mark, ProtectedTable, Table, TableSpec, Variable

NO_PERIOD = "2009-Q2"
"""The period of a picture that names none."""

ONE_MARK = (Mark("C", 0, None),)
"""The default legend: fewer than five, or withheld so that such a number cannot be derived."""


def table(
    picture: str,
    *,
    name: str = "t",
    population: str = "clients",
    variables: Sequence[Variable] = (),
    filters: Sequence[tuple[Variable, str]] = (),
    constant: Sequence[str] = (),
    data_date: str = "",
) -> Table:
    """Return the table of a picture. Give in `variables` those that have levels; the picture holds their leaves."""
    cells = list(_cells(picture))
    given = {v.id: v for v in variables}
    names = [variable for variable in cells[0][0] if variable != "period"]
    codes = {n: dict.fromkeys(where[n] for where, _ in cells) for n in names}
    dimensions = tuple(given.get(n, Variable.flat(n, codes[n])) for n in names)
    periods = tuple(dict.fromkeys(where.get("period", NO_PERIOD) for where, _ in cells))
    spec = TableSpec(
        name, dimensions, periods, population, filters=tuple(filters), constant=frozenset(constant), data_date=data_date
    )
    leaves = np.full((len(periods), *(len(v.leaves) for v in dimensions)), -1, dtype=np.int64)
    for where, figure in cells:
        place = tuple(v.leaves.index(where[v.id]) for v in dimensions)
        leaves[(periods.index(where.get("period", NO_PERIOD)), *place)] = int(figure)
    if np.any(leaves < 0):
        raise ValueError("the picture does not hold every inner cell")
    return Table.from_leaves(spec, leaves)


def levels(name: str, **children: str) -> Variable:
    """Return a variable with one hierarchy: `levels("area", _T="N S", N="a b", S="c")`."""
    return Variable(name, (hierarchy(**children),))


def hierarchy(**children: str) -> Hierarchy:
    """Return one tree, each keyword a parent (`_T`: the total) with its children in one string; parents stand first."""

    def below(parent: str) -> Iterator[tuple[str, str]]:
        for code in children.get(parent, "").split():
            yield code, "" if parent == TOTAL else parent
            yield from below(code)

    return Hierarchy(tuple(below(TOTAL)))


def draw(published: ProtectedTable) -> str:
    """Return the picture of a published table, every total and level included."""
    return "\n".join(_drawn_blocks(published.spec, _printed(published)))


def draw_truth(of: Table) -> str:
    """Return the picture of a table as it really is, totals included."""
    return "\n".join(_drawn_blocks(of.spec, of.values.astype(np.str_)))


def tidy(picture: str) -> str:
    """Return a picture as `draw` would space it, to compare with."""
    blocks: list[list[list[str]]] = [[]]
    out: list[str] = []
    for tokens in _lines(picture):
        if "=" in tokens:
            out += _layout(blocks.pop()) if blocks[-1] else []
            out.append(" ".join(tokens))
            blocks = [[]]
        else:
            blocks[-1].append(tokens)
    return "\n".join(out + _layout(blocks[-1]))


def cover(of: Table, picture: str) -> ProtectedTable:
    """Return the table published with the pattern of a picture: `C` or `D` hides, anything else shows."""
    drawn = _read_marks(of.spec, picture)
    return publish(of, drawn)


def publish(of: Table, marks: "np.ndarray[tuple[int, ...], np.dtype[np.str_]]") -> ProtectedTable:
    """Return the table published with these marks ("F": shown), right or wrong."""
    values = np.where(marks == "F", of.values, 0)
    return ProtectedTable(of.spec, values, marks, np.zeros(of.spec.shape, dtype=np.bool_))


def hide(of: Table, hidden: Bools) -> ProtectedTable:
    """Return the table published with these cells hidden under the one mark."""
    return publish(of, np.where(hidden, "C", "F"))


def small(of: Table, threshold: int = 5) -> Bools:
    """Return the cells that hold somebody, but fewer than the threshold."""
    return (of.values > 0) & (of.values < threshold)


def again(of: Table, *, name: str | None = None, data_date: str | None = None) -> Table:
    """Return the same figures under another table name or another state of the data."""
    spec = replace(of.spec, id=name or of.spec.id, data_date=of.spec.data_date if data_date is None else data_date)
    return Table(spec, of.values)


@dataclass(frozen=True)
class Place:
    """One cell of a table, by names."""

    where: Mapping[str, str]

    def index(self, spec: TableSpec) -> tuple[int, ...]:
        """Return the place in the arrays of a table; a variable not named stands at its total."""
        period = spec.periods.index(self.where.get("period", spec.periods[0]))
        return (period, *(v.codes.index(self.where.get(v.id, TOTAL)) for v in spec.dimensions))


def at(published: ProtectedTable, **where: str) -> str:
    """Return what is printed at one place: `at(t, sex="M", region="A")`."""
    return str(_printed(published)[Place(where).index(published.spec)])


# ---- reading -------------------------------------------------------------------------------------------------------


def _lines(picture: str) -> Iterator[list[str]]:
    for raw in picture.splitlines():
        line = re.sub(r"\s*\\\s*", "\\\\", raw.replace("|", " ")).strip()
        if line and set(line) - set("-+ "):
            yield line.split()


def _cells(picture: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield (variable -> code, figure) for every cell written down."""
    above: dict[str, str] = {}
    rows, columns, codes = "", "", list[str]()
    fresh = True
    for tokens in _lines(picture):
        if "=" in tokens:
            above[tokens[0]] = tokens[2]
            fresh = True
        elif fresh:
            rows, _, columns = tokens[0].rpartition("\\")
            codes, fresh = tokens[1:], False
        else:
            for code, figure in zip(codes, tokens[1:], strict=True):
                yield {**above, **({rows: tokens[0]} if rows else {}), columns: code}, figure


def _read_marks(spec: TableSpec, picture: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.str_]]":
    marks = np.full(spec.shape, "?", dtype="<U1")
    for where, mark in _cells(picture):
        marks[Place(where).index(spec)] = mark if mark in {"C", "D"} else "F"
    if np.any(marks == "?"):
        raise ValueError("the picture does not hold every cell")
    return marks


# ---- drawing -------------------------------------------------------------------------------------------------------


def _printed(published: ProtectedTable) -> "np.ndarray[tuple[int, ...], np.dtype[np.str_]]":
    figures = np.where(published.structural, "Z", published.values.astype(np.str_))
    return np.where(published.shown, figures, published.marks)


def _drawn_blocks(spec: TableSpec, printed: "np.ndarray[tuple[int, ...], np.dtype[np.str_]]") -> Iterator[str]:
    *outer, last = spec.dimensions
    row = outer.pop() if outer else None
    for p, period in enumerate(spec.periods):
        for place in itertools.product(*(range(len(v.codes)) for v in outer)):
            if len(spec.periods) > 1:
                yield f"period = {period}"
            yield from (f"{v.id} = {v.codes[i]}" for v, i in zip(outer, place, strict=True))
            block = printed[(p, *place)]
            head = f"{row.id}\\{last.id}" if row else last.id
            lines = [[code, *block[i]] for i, code in enumerate(row.codes)] if row else [["persons", *block]]
            yield from _layout([[head, *last.codes], *lines])


def _layout(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: names to the left, figures to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [line.rstrip() for line in lines]
