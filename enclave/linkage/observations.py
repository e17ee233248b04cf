"""What the sources say of the persons at the end of each quarter, and what is stored where they say nothing.

Open point "dead and emigrated", answered keep_as_unknown: whoever is dead at the end of the quarter, lives abroad or at
an unknown place (no municipality), or is not in the register then, keeps its group; every variable that has a code for
"unknown" gets that code. A variable that has none keeps the last value known, before the first known one that one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enclave.linkage.checks import NO_CODE, NO_DATE
from enclave.linkage.linking import MISSING, Values, carry, differs, find_rows, gather, latest
from enclave.linkage.numbers import Bools, Ints
from enclave.linkage.year import QUARTER_END, REGISTER, Year
from enclave.policy.content import PolicyVariable
from enclave.policy.quarter import Quarter

SEX = "sex"
"""Registered once, and only ever corrected: what the latest register says is right for all quarters."""

_DEATH, _HOME = "death", "municipality"
"""Columns of the register."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """What is stored: per variable a value for each person in each quarter, in the order of the quarters.

    `known` is False for persons of whom a variable that has no code for "unknown" is known in no quarter. For the
    steward: `absent` persons per quarter, and how many had their sex `settled`, since registers differ about it.
    """

    values: Mapping[str, Sequence[Values]]
    known: Bools
    absent: Sequence[int]
    settled: int


def observe(year: Year, quarters: Sequence[Quarter], persons: Ints, progress: Callable[[str], None]) -> Observations:
    """Look the persons up (sorted numbers) in the deliveries of each quarter; `progress` hears each quarter."""
    variables = [variable for variable in year.policy.variables if variable.reference == QUARTER_END]
    seen: dict[str, list[Values]] = {variable.id: [] for variable in variables}
    absent: list[Bools] = []
    for quarter in quarters:
        progress(f"linking {quarter}")
        for source in sorted({REGISTER, *(variable.source for variable in variables)}):
            of_source = [variable for variable in variables if variable.source == source]
            extra = (_DEATH, _HOME) if source == REGISTER else ()
            found = _look_up(year, source, quarter, persons, {*extra, *(variable.column for variable in of_source)})
            for variable in of_source:
                seen[variable.id].append(year.values(variable, quarter, found[variable.column]))
            if source == REGISTER:
                absent.append(_absent(found, quarter))
    known = np.ones(len(persons), dtype=np.bool_)
    for variable in variables:
        if variable.unknown is None:
            known &= latest(seen[variable.id]) != MISSING
    values = {variable.id: _completed(year, variable, seen[variable.id], absent) for variable in variables}
    settled = int(differs(seen[SEX]).sum()) if SEX in seen else 0
    return Observations(values, known, [int(of_quarter.sum()) for of_quarter in absent], settled)


def _look_up(year: Year, source: str, quarter: Quarter, persons: Ints, columns: set[str]) -> dict[str, Ints]:
    """Return columns of a delivery for each person; for who is not in it, what an empty field is stored as."""
    schema = year.schemas[source]
    assert schema.identifier is not None
    stored = year.read(source, quarter, [schema.identifier, *sorted(columns)])
    rows = find_rows(persons, stored.pop(schema.identifier))
    empty = {column.name: NO_DATE if column.kind == "date" else NO_CODE for column in schema.columns}
    return {name: gather(rows, values, empty[name]) for name, values in stored.items()}


def _absent(register: Mapping[str, Ints], quarter: Quarter) -> Bools:
    """Return who is dead, has no home here, or is not in the register at the end of the quarter."""
    last_day = np.datetime64(quarter.last_day, "D").astype(np.int64)
    dead = (register[_DEATH] != NO_DATE) & (register[_DEATH] <= last_day)
    return np.asarray(dead | (register[_HOME] == NO_CODE), dtype=np.bool_)


def _completed(
    year: Year, variable: PolicyVariable, seen: Sequence[Values], absent: Sequence[Bools]
) -> Sequence[Values]:
    """Return the values with none missing, save for persons of whom nothing is known in any quarter."""
    snapshots = [latest(seen)] * len(seen) if variable.id == SEX else seen
    if variable.unknown is None:
        return carry(snapshots)
    unknown = year.unknown(variable)
    return [
        np.where((values == MISSING) | gone, unknown, values) for values, gone in zip(snapshots, absent, strict=True)
    ]
