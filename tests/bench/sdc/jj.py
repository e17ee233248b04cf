"""The JJ format of tau-ARGUS: one linked system of cells and equations, whatever tables it comes from.

    0
    <cells>
    <cell> <value> <weight> <status> <least> <most> <lower need> <upper need> <sliding need>
    <equations>
    <right side> <length> : <cell> (<coefficient>) ...

Status: `u` must be hidden, `s` may be, `z` never is. What a tool hides comes back as a list of cells, one a line.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from enclave.sdc.table import Bools
from tests.bench.sdc.system import System

MOST = 10_000_000


def write(system: System, path: Path) -> None:
    """Write a system with a weight of one for every cell."""
    path.write_text("\n".join(("0", str(len(system.values)), *_cells(system), *_equations(system))) + "\n", "ascii")


def _cells(system: System) -> Iterator[str]:
    least = system.rules.least_hidden
    for cell, value in enumerate(system.values.tolist()):
        status = "u" if system.primary[cell] else "z" if system.fixed[cell] else "s"
        low = value if status == "z" else min(least, value)
        need = system.rules.minimum_frequency - value if status == "u" else 0
        yield f"{cell} {value} 1 {status} {low} {value if status == 'z' else MOST} 0 {need} 0"


def _equations(system: System) -> Iterator[str]:
    matrix = system.matrix
    yield str(matrix.shape[0])
    for row in range(matrix.shape[0]):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        parts = zip(matrix.indices[inside].tolist(), matrix.data[inside].tolist(), strict=True)
        terms = " ".join(f"{cell} ({sign})" for cell, sign in parts)
        yield f"0 {inside.stop - inside.start} : {terms}"


def read(system: System, path: Path) -> Bools:
    """Return the pattern that a tool wrote: the primary cells and those that it lists."""
    hidden = system.primary.copy()
    hidden[np.array(path.read_text("ascii").split(), dtype=np.int64)] = True
    return hidden
