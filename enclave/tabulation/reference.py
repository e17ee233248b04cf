"""What a table is, said in the plainest way: the slow oracle that the tabulator is compared with."""

from collections.abc import Iterable, Mapping
from itertools import product

from enclave.sdc.table import TableSpec


def count_plainly(spec: TableSpec, rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, ...], int]:
    """Return {(period, code of each dimension...): number of distinct respondents} for every cell, margins included.

    A row has "period", the respondent under the spec's unit, and the leaf under each variable's id.
    """
    kept = list(rows)
    found: dict[tuple[str, ...], int] = {}
    for period, *codes in product(spec.periods, *(variable.codes for variable in spec.dimensions)):
        wanted = [*zip(spec.dimensions, codes, strict=True), *spec.filters]
        respondents = {
            row[spec.unit]
            for row in kept
            if row["period"] == period and all(row[variable.id] in variable.members(code) for variable, code in wanted)
        }
        found[(period, *codes)] = len(respondents)
    return found
