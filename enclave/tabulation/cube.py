"""The cube of one period: distinct respondents per combination of categories, counted in one pass over small integers.

The categories of a row are combined to one number (mixed radix: the last variable runs fastest), and the numbers are
counted. A cube of few cells is counted in place; one of many is sorted, so that memory follows the rows and not the
cells. Both ways give the same cube.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.errors import IntegrityError, RequestError
from enclave.sdc.table import Ints, Variable

MOST_CELLS = 10**7
"""Cells of the largest cube that is counted in place: 80 MB of counters."""

MOST_COMBINATIONS = 2**63 - 1
"""Combinations that one number can tell apart."""

_BLOCK = 1 << 17
"""Rows combined at a time: their numbers stay in the processor's cache."""

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Cube:
    """Counts of distinct respondents per combination of categories; a combination that is not in it has none.

    One entry per combination that occurs, in the order of the combinations: in `categories`, under each variable's id,
    the position in its `leaves`; in `counts` the number of respondents.
    """

    categories: Mapping[str, Ints]
    counts: Ints


def count(columns: Columns, unit: str, variables: tuple[Variable, ...], *, most_cells: int = MOST_CELLS) -> Cube:
    """Count the distinct respondents of one period.

    `columns` holds signed integers, one per row: under `unit` the respondent, under each variable's id the position in
    its `leaves`. A respondent that stands twice in one cell counts once. IntegrityError when a respondent stands in two
    cells, when a category is not one of the leaves, or when columns do not fit each other; RequestError when the
    variables have more combinations than can be told apart.
    """
    shape = tuple(len(variable.leaves) for variable in variables)
    combinations = prod(shape)
    if combinations > MOST_COMBINATIONS:
        raise RequestError("CUBE_TOO_LARGE", "these tables cross too many variables; ask for fewer in one request")
    _check(columns, unit, variables)
    rows = _one_row_each(columns, unit, variables)
    numbers = _numbers(rows, len(rows[unit]), variables)
    cells, counts = _count_in_place(numbers, combinations) if combinations <= most_cells else _count_sorted(numbers)
    places = np.unravel_index(cells, shape) if shape else ()
    return Cube({variable.id: place for variable, place in zip(variables, places, strict=True)}, counts)


def _check(columns: Columns, unit: str, variables: tuple[Variable, ...]) -> None:
    """Refuse columns that would be counted as something that they are not."""
    for name in (unit, *(variable.id for variable in variables)):
        if columns[name].shape != (len(columns[unit]),) or columns[name].dtype.kind != "i":
            raise IntegrityError(
                "COLUMNS_UNEQUAL", f"column '{name}' does not have one whole number per row; prepare the data again"
            )
    for variable in variables:
        column = columns[variable.id]
        if column.size and (column.min() < 0 or column.max() >= len(variable.leaves)):
            raise IntegrityError(
                "CATEGORY_UNKNOWN",
                f"column '{variable.id}' holds a category that its code list does not have; prepare the data again"
                " with the code list of the policy",
            )


def _one_row_each(columns: Columns, unit: str, variables: tuple[Variable, ...]) -> Columns:
    """Leave out the rows of a respondent after its first; IntegrityError when two of them differ in a category."""
    respondents = columns[unit]
    if _increases(respondents) or _increases(np.sort(respondents)):
        return columns
    order = np.argsort(respondents)
    is_again = respondents[order[1:]] == respondents[order[:-1]]
    again, before = order[1:][is_again], order[:-1][is_again]
    for variable in variables:
        if np.any(columns[variable.id][again] != columns[variable.id][before]):
            raise IntegrityError(
                "RESPONDENT_TWICE",
                f"a {unit} stands twice in one period with different '{variable.id}'; find the source that delivers"
                " it twice, and prepare the data again",
            )
    first = np.ones(len(respondents), dtype=np.bool_)
    first[again] = False
    return {name: columns[name][first] for name in (unit, *(variable.id for variable in variables))}


def _increases(respondents: NDArray[Any]) -> bool:
    """Say whether each is larger than the one before, so that none stands twice; data stored in order need no sort."""
    return bool((respondents[1:] > respondents[:-1]).all())


def _numbers(columns: Columns, rows: int, variables: tuple[Variable, ...]) -> Iterator[NDArray[Any]]:
    """Combine the categories of each row to one number, block by block."""
    combinations = prod(len(variable.leaves) for variable in variables)
    kind: type[np.integer[Any]] = np.int32 if combinations <= np.iinfo(np.int32).max else np.int64
    # Each block passes over all counters once: with many of them, fewer and longer blocks.
    rows_at_a_time = max(_BLOCK, combinations // 4)
    for start in range(0, rows, rows_at_a_time):
        block = slice(start, min(start + rows_at_a_time, rows))
        numbers: NDArray[np.integer[Any]] = np.zeros(block.stop - start, dtype=kind)
        for variable in variables:
            numbers *= len(variable.leaves)
            numbers += columns[variable.id][block]
        yield numbers


def _count_in_place(numbers: Iterator[NDArray[Any]], combinations: int) -> tuple[Ints, Ints]:
    counters = np.zeros(combinations, dtype=np.int64)
    for block in numbers:
        counters += np.bincount(block, minlength=combinations)
    cells = np.flatnonzero(counters)
    return cells, counters[cells]


def _count_sorted(numbers: Iterator[NDArray[Any]]) -> tuple[Ints, Ints]:
    every = np.concatenate([np.zeros(0, dtype=np.int64), *numbers])
    return np.unique(every, return_counts=True)
