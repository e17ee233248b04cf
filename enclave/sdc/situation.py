"""Where a request stands: its cells and those of all earlier releases in one system, and what follows at once.

What an attacker is given beside the tables: the combinations that the policy calls impossible; and, after a correction
of the data, which printed figures the correction left alone, whether they were shown or hidden before. That is the
worst that a reader can know of a correction short of what it changed. No pattern can take it back: where it bounds a
cell by itself, the request is judged a second time without it (`Situation.unaware`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from enclave.sdc.history import History, Remembered
from enclave.sdc.registry import Registry
from enclave.sdc.safety_rules import Rules, structural_zeros
from enclave.sdc.table import Bools, CellKey, Ints, Table


@dataclass(frozen=True, eq=False)
class Situation:
    """The joint system of a request and its history, before anything is decided about the new cells.

    `public`: shown in an earlier release, or impossible; `known`: also what follows from that at once.
    `withheld`: hidden in an earlier release. `low`, `high`: what earlier marks say about withheld cells.
    `requested`: printed by this request; `ids`: for each of its tables, which cell stands at each of its places.
    `values` are the truth, but for latent cells that the tables do not settle: there they are numbers that fit.
    """

    registry: Registry
    matrix: sparse.csr_array
    values: Ints
    public: Bools
    known: Bools
    withheld: Bools
    low: Ints
    high: Ints
    structural: Bools
    requested: Bools
    ids: tuple[Ints, ...]

    @classmethod
    def of(cls, tables: Sequence[Table], rules: Rules, history: History, *, joint: bool = True) -> "Situation":
        """Put the request's tables after the history's into one registry; `joint` as in `Registry.of`."""
        past = history.released
        registry = Registry.of([r.table.spec for r in past] + [t.spec for t in tables], rules.structural, joint=joint)
        values = registry.gather([r.table.values for r in past] + [t.values for t in tables])
        seen = Remembered(len(values))
        for number, earlier in enumerate(past):
            seen.add(registry.ids(number), earlier.protected, earlier.marks)
        matrix = _with_unchanged_cells(registry, values)
        ids = tuple(registry.ids(number) for number in range(len(past), len(past) + len(tables)))
        requested = np.zeros(len(values), dtype=np.bool_)
        for cells in ids:
            requested[cells] = True
        public = seen.public | registry.empty
        return cls(
            registry,
            matrix,
            values,
            public,
            derivable(matrix, values, public),
            seen.withheld,
            seen.low,
            seen.high,
            structural_zeros(registry.keys, rules),
            requested,
            ids,
        )

    @property
    def latent(self) -> Bools:
        """Cells that no table prints."""
        return self.registry.latent

    @property
    def corrected(self) -> bool:
        """Whether knowledge of what a correction left alone plays a part."""
        return self.matrix is not self.registry.matrix

    def unaware(self) -> "Situation":
        """Return what is left for somebody who does not know what a correction of the data left alone."""
        matrix = self.registry.matrix
        return replace(self, matrix=matrix, known=derivable(matrix, self.values, self.public))

    def around(self, cells: Sequence[int]) -> Bools:
        """Return all cells that equations connect with these through cells not known."""
        open_cells = np.flatnonzero(~self.known)
        links = abs(sparse.csr_array(self.matrix[:, open_cells]))
        _, label = csgraph.connected_components(links.T @ links, directed=False)
        wanted = np.unique(label[np.isin(open_cells, np.asarray(cells, dtype=np.int64))])
        found = np.zeros(len(self.values), dtype=np.bool_)
        found[open_cells[np.isin(label, wanted)]] = True
        return found


def derivable(matrix: sparse.csr_array, values: Ints, public: Bools) -> Bools:
    """Return the public cells and those that follow at once: the last of a sum, and the parts of a zero."""
    known = public.copy()
    touching = abs(matrix)
    signs = sparse.coo_array(matrix)
    sum_of_row = np.full(matrix.shape[0], -1, dtype=np.int64)
    sum_of_row[signs.coords[0][signs.data < 0]] = signs.coords[1][signs.data < 0]
    while True:
        before = int(known.sum())
        lone = np.flatnonzero(touching @ (~known).astype(np.int64) == 1)
        nothing = np.flatnonzero(known[sum_of_row] & (values[sum_of_row] == 0))
        reached = touching[np.concatenate([lone, nothing])].indices
        known[reached] = True
        if int(known.sum()) == before:
            return known


def _with_unchanged_cells(registry: Registry, values: Ints) -> sparse.csr_array:
    """Tie a printed cell to itself in another state of the data where its value did not change."""
    dated: dict[CellKey, list[int]] = {}
    for cell in np.flatnonzero(~registry.latent).tolist():
        dated.setdefault(registry.keys[cell]._replace(data_date=""), []).append(cell)
    pairs = [pair for cells in dated.values() for pair in combinations(cells, 2) if values[pair[0]] == values[pair[1]]]
    if not pairs:
        return registry.matrix
    rows = np.repeat(np.arange(len(pairs)), 2)
    signs = np.tile(np.array([1, -1], dtype=np.int64), len(pairs))
    same = sparse.csr_array((signs, (rows, np.array(pairs).ravel())), shape=(len(pairs), len(values)))
    return sparse.csr_array(sparse.vstack([registry.matrix, same], format="csr"))
