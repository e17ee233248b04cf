"""The cell registry: cells of linked tables that mean the same become one cell, tied by additive equations.

Three kinds of equation arise. A parent is the sum of its children, along each hierarchy of each dimension. A cell that
only constant variables classify is one cell for all periods, which ties the periods together by itself. And a filtered
selection S next to a wider group U leaves a rest, U without S, which nobody prints but anybody can subtract: it enters
as a *latent* cell, so that "all" against "all but one" is seen for the table that it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np
from scipy import sparse

from enclave.errors import RequestError
from enclave.sdc.table import TOTAL, Bools, CellKey, Ints, TableSpec, Variable

MOST_GROUPS = 512
"""Most groups of one variable in one context (filters and rests) before a request must be split."""


@dataclass(frozen=True, eq=False)
class Registry:
    """Distinct cells (`keys`), the equations `matrix @ x == 0`, and each spec's cells as indices (`ids`).

    `basis` marks equations from which all others follow: enough to find a pattern, and faster to solve.
    """

    specs: tuple[TableSpec, ...]
    keys: tuple[CellKey, ...]
    latent: Bools
    matrix: sparse.csr_array
    basis: Bools
    _ids: tuple[Ints, ...]

    @classmethod
    def of(cls, specs: Sequence[TableSpec]) -> "Registry":
        """Gather the cells of these tables; RequestError when one variable is classified in two contradictory ways."""
        _check_variables(specs)
        index: dict[CellKey, int] = {}
        ids = tuple(_number_cells(spec, index) for spec in specs)
        printed = len(index)
        rows = _unique_rows([row for spec, cells in zip(specs, ids, strict=True) for row in _sums(spec, cells)])
        rows.update(dict.fromkeys(_rests(specs, index), True))
        latent = np.arange(len(index)) >= printed
        basis = np.fromiter(rows.values(), dtype=np.bool_)
        return cls(tuple(specs), tuple(index), latent, _matrix(list(rows), len(index)), basis, ids)

    @property
    def rhs(self) -> Ints:
        """Right-hand side of the equations: all zero."""
        return np.zeros(self.matrix.shape[0], dtype=np.int64)

    def ids(self, spec_index: int) -> Ints:
        """Return the cell index of each place of a table, in the spec's shape."""
        return self._ids[spec_index]

    def gather(self, arrays: Sequence[Ints]) -> Ints:
        """Return one value per cell from one array per spec; latent cells follow by subtraction.

        Raises RequestError when two tables disagree about a cell or a total is not the sum of its parts.
        """
        values = np.zeros(len(self.keys), dtype=np.int64)
        for ids, array in zip(self._ids, arrays, strict=True):
            values[ids] = array
        for spec, ids, array in zip(self.specs, self._ids, arrays, strict=True):
            if not np.array_equal(values[ids], array):
                raise RequestError("TABLES_DISAGREE", f"table '{spec.id}' and a linked table differ in a common cell")
        _subtract(self.matrix, self.latent, values)
        if np.any(self.matrix @ values):
            raise RequestError("NOT_ADDITIVE", "a total is not the sum of its parts in the tables given")
        return values


Row = tuple[int, tuple[int, ...]]
"""One equation: the cell that is the sum, and the cells it adds up."""


def _check_variables(specs: Sequence[TableSpec]) -> None:
    seen: dict[str, Variable] = {}
    for spec in specs:
        for variable in (*spec.dimensions, *(v for v, _ in spec.filters)):
            if seen.setdefault(variable.id, variable).leaves != variable.leaves:
                raise RequestError(
                    "VARIABLE_TWO_WAYS", f"'{variable.id}' has different categories in two linked tables"
                )


def _number_cells(spec: TableSpec, index: dict[CellKey, int]) -> Ints:
    """Give each place of the table the number of its cell, new cells included."""
    places = [
        index.setdefault(spec.key(period, codes), len(index))
        for period in spec.periods
        for codes in product(*(v.codes for v in spec.dimensions))
    ]
    return np.array(places, dtype=np.int64).reshape(spec.shape)


def _sums(spec: TableSpec, ids: Ints) -> Iterator[tuple[Ints, Bools]]:
    """Yield equations as arrays (number of equations, 1 + children), the sum first, and which of them are a basis.

    Every cell that is no inner cell needs one equation, along its first axis that is not at a leaf; the rest follow.
    """
    inner = [np.isin(v.codes, v.leaves) for v in spec.dimensions]
    for axis, variable in enumerate(spec.dimensions, start=1):
        place = {code: i for i, code in enumerate(variable.codes)}
        masks = [np.ones(len(spec.periods), dtype=np.bool_), *inner[: axis - 1]]
        masks += [np.ones(len(v.codes), dtype=np.bool_) for v in spec.dimensions[axis:]]
        first = reduce(np.multiply.outer, masks).ravel()
        for parent, children in variable.sums:
            taken = np.take(ids, [place[parent], *(place[child] for child in children)], axis=axis)
            yield np.moveaxis(taken, axis, -1).reshape(-1, 1 + len(children)), first


def _unique_rows(blocks: Sequence[tuple[Ints, Bools]]) -> dict[Row, bool]:
    """Drop equations that stand in several tables; one that is a basis anywhere is kept as such."""
    found: dict[Row, bool] = {}
    for block, basis in blocks:
        block[:, 1:] = np.sort(block[:, 1:], axis=1)
        for (parent, *children), needed in zip(block.tolist(), basis.tolist(), strict=True):
            row = (parent, tuple(children))
            found[row] = found.get(row, False) or needed
    return found


def _matrix(rows: Sequence[Row], cells: int) -> sparse.csr_array:
    lengths = np.array([1 + len(children) for _, children in rows], dtype=np.int64)
    columns = np.fromiter((cell for parent, children in rows for cell in (parent, *children)), dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    signs = np.ones(len(columns), dtype=np.int64)
    signs[starts[:-1]] = -1
    return sparse.csr_array((signs, columns, starts), shape=(len(rows), cells), dtype=np.int64)


def _rests(specs: Sequence[TableSpec], index: dict[CellKey, int]) -> list[Row]:
    """Tie filtered selections to the groups around them, adding the rests as latent cells (numbered last)."""
    rows: dict[Row, None] = {}
    for variable in {v.id: v for spec in specs for v, _ in spec.filters}.values():
        for context, groups in _contexts(variable, list(index)).items():
            _close_under_difference(variable, context, groups, index, rows)
    return list(rows)


def _contexts(variable: Variable, keys: Sequence[CellKey]) -> dict[CellKey, dict[frozenset[str], int]]:
    """Group the cells that differ only in this variable's category: context -> (leaves of the group -> first seen)."""
    found: dict[CellKey, dict[frozenset[str], int]] = {}
    for key in keys:
        codes = [code for name, code in key.pairs if name == variable.id] or [TOTAL]
        context = key._replace(pairs=frozenset(pair for pair in key.pairs if pair[0] != variable.id))
        found.setdefault(context, {})[variable.members(codes[0])] = len(found)
    return {context: groups for context, groups in found.items() if len(groups) > 1}


def _close_under_difference(
    variable: Variable,
    context: CellKey,
    groups: dict[frozenset[str], int],
    index: dict[CellKey, int],
    rows: dict[Row, None],
) -> None:
    """For each group inside a wider one make sure that the rest is a cell, until nothing new arises."""

    def cell(leaves: frozenset[str]) -> int:
        code = variable.selection(leaves)
        pairs = context.pairs if code == TOTAL else context.pairs | {(variable.id, code)}
        return index.setdefault(context._replace(pairs=pairs), len(index))

    todo = list(groups)
    known = set(todo)
    while todo:
        group = todo.pop(0)
        for other in sorted(known, key=sorted):
            inner, outer = (group, other) if group < other else (other, group)
            rest = outer - inner
            if not inner < outer or len(inner) == len(outer):
                continue
            if rest not in known:
                if len(known) >= MOST_GROUPS:
                    raise RequestError("TOO_MANY_GROUPS", f"too many overlapping selections of '{variable.id}' at once")
                known.add(rest)
                todo.append(rest)
            first, second = sorted((cell(inner), cell(rest)))
            rows[(cell(outer), (first, second))] = None


def _subtract(matrix: sparse.csr_array, latent: Bools, values: Ints) -> None:
    """Fill in latent values: each is the only unknown of some equation once those before it are known."""
    unknown = latent.copy()
    touching = abs(matrix)
    while unknown.any():
        lone = np.flatnonzero(touching @ unknown.astype(np.int64) == 1)
        if not lone.size:
            raise RequestError("LATENT_UNKNOWN", "a selection is not tied to the tables around it")
        residual = matrix[lone] @ values
        for row, rest in zip(lone, residual, strict=True):
            columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            signs = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
            open_here = unknown[columns]
            if open_here.any():
                values[columns[open_here]] = -rest * signs[open_here]
                unknown[columns[open_here]] = False
