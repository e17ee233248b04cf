"""The cell registry: cells of linked tables that mean the same become one cell, tied by additive equations.

A parent is the sum of its children, along each hierarchy of each dimension. A cell that only constant variables
classify is one cell for all periods, which ties the periods together by itself. What nobody prints but anybody can
reason about (the rest that a selection leaves, the persons behind several tables) enters as *latent* cells; see
`latent.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np
from scipy import sparse

from enclave.errors import RequestError
from enclave.sdc.latent import Pairs, Row, aligned, latent_rows, variables_of
from enclave.sdc.solution import some_solution
from enclave.sdc.table import TOTAL, Bools, CellKey, Ints, TableSpec, Variable


@dataclass(frozen=True, eq=False)
class Registry:
    """Distinct cells (`keys`), the equations `matrix @ x == 0`, and each spec's cells as indices (`ids`).

    `basis` marks equations from which all others follow: enough to find a pattern, and faster to solve. `latent` marks
    cells that no table prints, `empty` those that everybody knows to hold nobody.
    """

    specs: tuple[TableSpec, ...]
    variables: Mapping[str, Variable]
    keys: tuple[CellKey, ...]
    latent: Bools
    empty: Bools
    matrix: sparse.csr_array
    basis: Bools
    _ids: tuple[Ints, ...]

    @classmethod
    def of(cls, specs: Sequence[TableSpec], impossible: Iterable[Pairs] = (), *, joint: bool = True) -> "Registry":
        """Gather the cells of these tables. `impossible`: combinations of (variable, code) known to be empty.

        Without `joint` no latent cells enter: what is known of the tables is then that their cells add up, no more.

        Raises RequestError when one variable is classified in two contradictory ways, or when the tables would need
        too many joint cells.
        """
        variables = variables_of(specs)
        specs = aligned(specs, variables)
        index: dict[CellKey, int] = {}
        ids = tuple(_number_cells(spec, index) for spec in specs)
        printed = len(index)
        rows = _unique_rows([row for spec, cells in zip(specs, ids, strict=True) for row in _sums(spec, cells)])
        if joint:
            rows.update(dict.fromkeys(latent_rows(specs, variables, index, rows, impossible), True))
        latent = np.arange(len(index)) >= printed
        basis = np.fromiter(rows.values(), dtype=np.bool_)
        matrix = _matrix(list(rows), len(index))
        empty = _known_to_be_empty(tuple(index), variables, impossible)
        return cls(specs, variables, tuple(index), latent, empty, matrix, basis, ids)

    @property
    def rhs(self) -> Ints:
        """Right-hand side of the equations: all zero."""
        return np.zeros(self.matrix.shape[0], dtype=np.int64)

    def ids(self, spec_index: int) -> Ints:
        """Return the cell index of each place of a table, in the spec's shape."""
        return self._ids[spec_index]

    def gather(self, arrays: Sequence[Ints]) -> Ints:
        """Return one value per cell from one array per spec; latent cells get values that fit (see `solution.py`).

        Raises RequestError when two tables disagree about a cell, a total is not the sum of its parts, no persons could
        stand behind all tables at once, or somebody stands where nobody can.
        """
        values = np.zeros(len(self.keys), dtype=np.int64)
        for ids, array in zip(self._ids, arrays, strict=True):
            values[ids] = array
        for spec, ids, array in zip(self.specs, self._ids, arrays, strict=True):
            if not np.array_equal(values[ids], array):
                raise RequestError("TABLES_DISAGREE", f"table '{spec.id}' and a linked table differ in a common cell")
        if np.any(values[self.empty]):
            raise RequestError(
                "STRUCTURAL_ZERO", "the policy calls a combination impossible that the data hold; correct it"
            )
        found = some_solution(self.matrix, values, self.latent.copy(), self.empty)
        if found is None:
            raise RequestError("NOT_ADDITIVE", "a total is not the sum of its parts in the tables given")
        return found


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


def _known_to_be_empty(
    keys: Sequence[CellKey], variables: Mapping[str, Variable], impossible: Iterable[Pairs]
) -> Bools:
    """Return the cells that lie inside a combination which cannot exist."""
    found = np.zeros(len(keys), dtype=np.bool_)
    for combination in impossible:
        if all(name in variables for name, _ in combination):
            wanted = {name: variables[name].members(code) for name, code in combination}
            for cell, key in enumerate(keys):
                codes = dict(key.pairs)
                inside = (variables[name].members(codes.get(name, TOTAL)) <= group for name, group in wanted.items())
                found[cell] |= all(inside)
    return found
