"""The tabulator counts what the reference counts, whatever the hierarchies, filters, repeats and splits of the rows."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.errors import IntegrityError
from enclave.sdc.table import Hierarchy, Table, TableSpec, Variable
from enclave.tabulation.cube import count
from enclave.tabulation.reference import count_plainly
from enclave.tabulation.tabulator import tabulate
from tests.lib.microdata import MemoryReader, Row, columns_of

PERIODS = ("2009-Q2", "2009-Q3", "2009-Q4")
SMALL, SORTED = 10**7, 0


@st.composite
def trees(draw: st.DrawFn, leaves: tuple[str, ...], prefix: str) -> Hierarchy:
    """Put some neighbouring leaves under groups, and some neighbouring groups under groups of groups."""
    rows: list[tuple[str, str]] = []
    for leaf in leaves:
        group = draw(st.sampled_from(("", f"{prefix}a", f"{prefix}b", f"{prefix}c")))
        rows.append((leaf, group))
    groups = sorted({group for _, group in rows if group})
    above = [(group, draw(st.sampled_from(("", f"{prefix}z")))) for group in groups]
    top = [(f"{prefix}z", "")] if any(parent for _, parent in above) else []
    return Hierarchy((*top, *above, *rows))


@st.composite
def variables(draw: st.DrawFn, name: str) -> Variable:
    leaves = tuple(f"{name}{number}" for number in range(draw(st.integers(1, 5))))
    first = draw(trees(leaves, f"{name}x"))
    more = [draw(trees(leaves, f"{name}y"))] if draw(st.booleans()) else []
    return Variable(name, (first, *more))


@st.composite
def specs(draw: st.DrawFn, pool: tuple[Variable, ...], number: int) -> TableSpec:
    order = draw(st.permutations(pool))
    crossed = draw(st.integers(0, min(3, len(pool))))
    filters = [(variable, draw(_codes(variable))) for variable in order[crossed:] if draw(st.booleans())]
    periods = tuple(draw(st.permutations(PERIODS)))[: draw(st.integers(1, len(PERIODS)))]
    return TableSpec(f"t{number}", tuple(order[:crossed]), periods, "clients", filters=tuple(filters))


def _codes(variable: Variable) -> st.SearchStrategy[str]:
    some = st.lists(st.sampled_from(variable.leaves), min_size=1, unique=True).map(variable.selection)
    return st.one_of(st.sampled_from(variable.codes), some)


@st.composite
def people(draw: st.DrawFn, pool: tuple[Variable, ...]) -> list[Row]:
    """Make rows: a person stands in one cell of a period, perhaps several times, the rows in any order."""
    rows: list[Row] = []
    for period in PERIODS:
        for person in draw(st.lists(st.integers(-50, 50), unique=True, max_size=12)):
            leaves = {variable.id: draw(st.sampled_from(variable.leaves)) for variable in pool}
            row = {"period": period, "person": str(person), **leaves}
            rows += [row] * draw(st.integers(1, 3))
    return draw(st.permutations(rows))


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Variable, ...], tuple[TableSpec, ...], list[Row]]:
    pool = tuple(draw(variables(name)) for name in ("p", "q", "r", "s")[: draw(st.integers(1, 4))])
    wanted = tuple(draw(specs(pool, number)) for number in range(draw(st.integers(1, 3))))
    return pool, wanted, draw(people(pool))


def tables(pool: tuple[Variable, ...], wanted: tuple[TableSpec, ...], rows: list[Row], most_cells: int) -> list[Table]:
    parts = {period: [row for row in rows if row["period"] == period] for period in PERIODS}
    reader = MemoryReader({period: columns_of(part, pool) for period, part in parts.items()})
    return list(tabulate(reader, wanted, client=None, progress=lambda _done, _total: None, most_cells=most_cells))


def check(case: tuple[tuple[Variable, ...], tuple[TableSpec, ...], list[Row]]) -> None:
    pool, wanted, rows = case
    for most_cells in (SMALL, SORTED):
        for spec, table in zip(wanted, tables(pool, wanted, rows, most_cells), strict=True):
            expected = count_plainly(spec, rows)
            assert table.values.ravel().tolist() == list(expected.values())
            assert table.values.dtype == np.int64


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_tables_are_what_the_reference_counts(
    case: tuple[tuple[Variable, ...], tuple[TableSpec, ...], list[Row]],
) -> None:
    check(case)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 2)), max_size=8), st.booleans())
def test_whoever_stands_in_two_cells_stops_the_count_and_whoever_stands_twice_in_one_counts_once(
    rows: list[tuple[int, int, int]], is_sorted: bool
) -> None:
    pool = (Variable.flat("p", "ab"), Variable.flat("q", "cde"))
    persons, first, second = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    columns = {"person": persons, "p": first, "q": second}
    if len(set(rows)) > len(set(persons.tolist())):
        with pytest.raises(IntegrityError, match="RESPONDENT_TWICE"):
            count(columns, "person", pool, most_cells=SORTED if is_sorted else SMALL)
    else:
        cube = count(columns, "person", pool, most_cells=SORTED if is_sorted else SMALL)
        assert cube.counts.sum() == len(set(rows))


@pytest.mark.full
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_tables_are_what_the_reference_counts_in_many_cases(
    case: tuple[tuple[Variable, ...], tuple[TableSpec, ...], list[Row]],
) -> None:
    check(case)
