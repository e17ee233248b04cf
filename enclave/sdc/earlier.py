"""Earlier results whose truth nobody kept: their shown figures, and some numbers that fit where they are hidden.

The engine measures deviations from a table that fits everything. For a hidden cell of an earlier result that no table
given now holds, any number that fits does, since nothing that is asked of such a cell depends on its value.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from enclave.errors import RequestError
from enclave.sdc.history import History, Released, Remembered
from enclave.sdc.latent import Pairs
from enclave.sdc.registry import Registry
from enclave.sdc.solution import some_solution
from enclave.sdc.table import Bools, Ints, Mark, ProtectedTable, Table

Printed = tuple[Sequence[ProtectedTable], Sequence[Mark]]
"""What one earlier result prints: its tables and the legend of their marks."""


def completed(
    tables: Sequence[Table], earlier: Sequence[Printed], impossible: Sequence[Pairs] = (), *, joint: bool
) -> History:
    """Return the history of these results, beside the tables given now.

    Raises RequestError, with table and codes, where a result shows another figure than a table now, and where no
    numbers at all fit both.
    """
    printed = [(table, tuple(marks)) for results, marks in earlier for table in results]
    if not printed:
        return History()
    specs = [*(table.spec for table, _ in printed), *(table.spec for table in tables)]
    registry = Registry.of(specs, impossible, joint=joint)
    seen = Remembered(len(registry.keys))
    for number, (table, marks) in enumerate(printed):
        seen.add(registry.ids(number), table, marks)
    values, known = seen.values.copy(), seen.public.copy()
    for number, given in enumerate(tables, start=len(printed)):
        cells = registry.ids(number)
        _check_agreement(given, cells, seen)
        values[cells], known[cells] = given.values, True
    found = some_solution(registry.matrix, values, ~known, registry.empty, low=seen.low, high=seen.high)
    if found is None:
        raise RequestError("HISTORY_CONTRADICTS", "the tables and the earlier results cannot all be true; which is?")
    return History(
        tuple(
            Released(Table(table.spec, found[registry.ids(number)]), table, marks)
            for number, (table, marks) in enumerate(printed)
        )
    )


def _check_agreement(given: Table, cells: Ints, seen: Remembered) -> None:
    wrong = seen.public[cells] & (seen.values[cells] != given.values)
    wrong |= seen.withheld[cells] & ((given.values < seen.low[cells]) | (given.values > seen.high[cells]))
    for codes in places(given, wrong):
        message = f"table '{given.spec.id}' differs at {codes} from what an earlier result says of it"
        raise RequestError("HISTORY_DISAGREES", f"{message}; corrected data need other tables")


def places(table: Table, cells: Bools) -> Iterator[str]:
    """Yield the codes of these cells for people."""
    for place in np.argwhere(cells).tolist():
        pairs = zip(table.spec.dimensions, place[1:], strict=True)
        yield ", ".join(f"{variable.id}={variable.codes[i]}" for variable, i in pairs)
