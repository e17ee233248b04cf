"""A cross table holds every cell of the slice where it belongs, whichever way round its dimensions stand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.ledger.read_release import Release
from enclave.sdc.table import ProtectedTable, TableSpec, Variable
from enclave.sdc.words import Words
from enclave.web.cross_table import MOST_COLUMNS, Kind, cross_table
from enclave.wiring.desk.evidence import TableEvidence
from enclave.wiring.desk.shown import differences


def table_of(*sizes: int, hidden: float = 0.2) -> ProtectedTable:
    dimensions = tuple(
        Variable.flat(f"v{place}", [f"c{number}" for number in range(size)]) for place, size in enumerate(sizes)
    )
    spec = TableSpec("t1", dimensions, ("2009-Q2", "2009-Q3"), "p")
    values = np.arange(np.prod(spec.shape), dtype=np.int64).reshape(spec.shape)
    marks = np.where(np.random.default_rng(1).random(spec.shape) < hidden, "C", "F")
    return ProtectedTable(spec, np.where(marks == "F", values, 0), marks, np.zeros(spec.shape, dtype=np.bool_))


def labels_of(table: ProtectedTable) -> dict[str, dict[str, Words]]:
    return {v.id: {code: Words(code, code, code) for code in v.codes} for v in table.spec.dimensions}


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.data())
def test_every_cell_stands_under_its_own_headings(sizes: list[int], data: st.DataObject) -> None:
    table = table_of(*sizes)
    spec = table.spec
    fixed = {v.id: data.draw(st.sampled_from(v.codes)) for v in spec.dimensions}
    period = data.draw(st.sampled_from(spec.periods))
    found = cross_table(table, labels_of(table), period, fixed)
    assert len(found.columns) <= MOST_COLUMNS
    for heading, cells in found.rows:
        for column, cell in zip(found.columns, cells, strict=True):
            codes = fixed | {found.down: heading.code} | ({found.across: column.code} if found.across else {})
            at = (spec.periods.index(period), *(v.codes.index(codes[v.id]) for v in spec.dimensions))
            assert cell.value == table.values[at]
            assert cell.kind is (Kind.FIGURE if table.shown[at] else Kind.HIDDEN)
            assert cell.reason is None


def test_what_is_not_chosen_or_unknown_stands_at_its_total() -> None:
    table = table_of(18, 3, 17, 2)
    found = cross_table(table, labels_of(table), "2009-Q2", {"v2": "nothing"})
    assert (found.down, found.across) == ("v0", "v1")
    assert {part.variable: part.chosen for part in found.fixed} == {"v2": "_T", "v3": "_T"}


def test_reasons_stand_at_hidden_cells_only() -> None:
    table = table_of(3, 4, hidden=0.5)
    shape = table.spec.shape
    evidence = TableEvidence(
        np.full(shape, 3), np.ones(shape, dtype=np.bool_), np.zeros(shape, np.int64), np.full(shape, 9)
    )
    found = cross_table(table, labels_of(table), "2009-Q3", {}, evidence=evidence)
    cells = [cell for _, row in found.rows for cell in row]
    assert {cell.kind is Kind.HIDDEN for cell in cells} == {True, False}
    assert all((cell.reason is not None) == (cell.kind is Kind.HIDDEN) for cell in cells)


def release_of_tables(*tables: ProtectedTable) -> Release:
    return Release(tables, (), {}, {})


def test_differences_are_counted_by_what_a_reader_learns() -> None:
    before = table_of(3, 4, hidden=0)
    values, marks = before.values.copy(), before.marks.copy()
    values[0, 1, 1] += 1
    values[1, 2, 2], marks[1, 2, 2] = 0, "C"
    now = ProtectedTable(before.spec, values, marks, before.structural)
    (found,) = differences(release_of_tables(before), release_of_tables(now))
    assert (found.comparable, found.opened, found.closed, found.changed) == (True, 0, 1, 1)
    assert found.places is not None
    assert np.argwhere(found.places).tolist() == [[0, 1, 1], [1, 2, 2]]
    (back,) = differences(release_of_tables(now), release_of_tables(before))
    assert (back.opened, back.closed, back.changed) == (1, 0, 1)
    (same,) = differences(release_of_tables(now), release_of_tables(now))
    assert same.none


@pytest.mark.parametrize("other", [table_of(3, 5), table_of(3)])
def test_a_table_with_other_codes_is_not_compared(other: ProtectedTable) -> None:
    (found,) = differences(release_of_tables(table_of(3, 4)), release_of_tables(other))
    assert not found.comparable
    assert differences(release_of_tables(), release_of_tables(other))[0].places is None
