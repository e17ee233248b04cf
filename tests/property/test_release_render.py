"""What leaves in a table file is made of codes, periods, units, digits and marks: nothing else can travel in it."""

import csv
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.ledger.read_release import read_release
from enclave.ledger.release_content import ReleaseContent, ReleaseTable
from enclave.ledger.release_files import render
from enclave.ledger.signing import SigningKey
from enclave.ledger.tables_csv import FIGURE_COLUMNS
from enclave.sdc.table import Hierarchy, ProtectedTable, Table, TableSpec, Variable
from tests.lib.releases import content, published, words

CODES = st.text("abcdefXYZ0123456789_é .", min_size=1, max_size=6).filter(
    lambda code: code != "_T" and code.strip() == code
)


@st.composite
def variables(draw: st.DrawFn, name: str) -> Variable:
    """Draw a variable with one level, or with a level above some of its leaves."""
    codes = draw(st.lists(CODES, min_size=2, max_size=4, unique=True))
    parents = [(codes[0], "")]
    nested = draw(st.booleans())
    parents += [(code, codes[0] if nested else "") for code in codes[1:-1]]
    return Variable(name, (Hierarchy((*parents, (codes[-1], ""))),))


@st.composite
def contents(draw: st.DrawFn) -> ReleaseContent:
    """Draw a release of one table with hidden cells, structural zeros and decimals."""
    dimensions = tuple(draw(variables(name)) for name in draw(st.sampled_from([("sex",), ("sex", "region")])))
    spec = TableSpec("t1", dimensions, ("2009-Q2", "2009-Q3"), "clients")
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    inner = chance.integers(0, 50, size=(2, *(len(v.leaves) for v in dimensions)))
    values = Table.from_leaves(spec, inner).values
    marks = np.where(chance.random(spec.shape) < 0.3, "C", "F")
    values = np.where(marks == "F", values, 0)
    structural = (marks == "F") & (values == 0) & (chance.random(spec.shape) < 0.5)
    table = ProtectedTable(spec, values, marks, structural, draw(st.integers(0, 2)))
    return replace(
        content(synthetic=draw(st.booleans())),
        tables=(ReleaseTable(table, words("t")),),
        names={v.id: words(v.id) for v in dimensions},
        labels={v.id: {code: words(f"label {code}") for code in v.codes[1:]} for v in dimensions},
    )


@settings(derandomize=True, max_examples=15, deadline=None)
@given(contents())
def test_rendering_is_deterministic(made: ReleaseContent) -> None:
    assert render(made) == render(made)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(contents())
def test_a_table_file_holds_codes_periods_figures_and_marks_only(made: ReleaseContent) -> None:
    table = made.tables[0].table
    files = render(made)
    rows = list(csv.DictReader(io.StringIO(files["tables/t1.csv"].decode(), newline="")))
    allowed = {v.id: set(v.codes) for v in table.spec.dimensions} | {
        "TIME_PERIOD": set(table.spec.periods),
        "UNIT": {"person"},
        "CONF_STATUS": {"F", "C"},
        "OBS_STATUS": {"A", "Z"},
    }
    assert set(rows[0]) == set(allowed) | {"OBS_VALUE"} == {v.id for v in table.spec.dimensions} | set(FIGURE_COLUMNS)
    for row in rows:
        assert all(row[column] in values for column, values in allowed.items())
        assert set(row["OBS_VALUE"]) <= set("0123456789.")
        assert (row["OBS_VALUE"] == "") == (row["CONF_STATUS"] == "C")


@settings(derandomize=True, max_examples=25, deadline=None)
@given(contents())
def test_what_was_drawn_is_what_a_recipient_reads(made: ReleaseContent) -> None:
    with tempfile.TemporaryDirectory() as name:
        key = SigningKey.create(Path(name) / "key")
        release = read_release(published(Path(name), key, made), key.public_pem)
    (table,), wanted = release.tables, made.tables[0].table
    assert table.spec == wanted.spec
    assert np.array_equal(table.values, wanted.values)
    assert np.array_equal(table.marks, wanted.marks)
    assert np.array_equal(table.structural, wanted.structural)
