"""Derived cells against a slow, obviously right account of each of them."""

from decimal import ROUND_HALF_EVEN, Decimal
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.derive import derive
from enclave.sdc.table import ProtectedTable, Table, TableSpec, Variable
from enclave.sdc.words import Words

A = Variable.flat("a", ["1", "2"])
B = Variable.flat("b", ["x", "y", "z"])
SPEC = TableSpec("t", (A, B), ("p1", "p2", "p3"), "clients")
TITLE = Words("a", "b", "c")


@st.composite
def tables(draw: st.DrawFn) -> ProtectedTable:
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = Table.from_leaves(SPEC, chance.integers(0, 4, size=(3, 2, 3))).values
    marks = np.where(chance.random(SPEC.shape) < 0.2, "C", "F")
    return ProtectedTable(SPEC, np.where(marks == "F", values, 0), marks, np.zeros(SPEC.shape, np.bool_))


def cell(table: ProtectedTable, period: int, a: str, b: str) -> int | None:
    """Return a shown figure, or None."""
    place = (period, A.codes.index(a), B.codes.index(b))
    return int(table.values[place]) if table.shown[place] else None


def selected(table: ProtectedTable, period: int, a: str, codes: tuple[str, ...]) -> int | None:
    """Return the sum over these categories of b, or None when one is hidden."""
    parts = [cell(table, period, a, b) for b in codes]
    return None if None in parts else sum(part for part in parts if part is not None)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(tables(), st.sets(st.sampled_from(["x", "y", "z"]), min_size=1))
def test_sums_and_changes(table: ProtectedTable, chosen: set[str]) -> None:
    codes = tuple(sorted(chosen))
    total = Derivation("d1", TITLE, Kind.SUM, "t", select=(("b", codes),))
    change = Derivation("d2", TITLE, Kind.CHANGE, "t", select=(("b", codes),), lag=1)
    sums, changes = derive([total, change], [table])
    for period, a in product(range(3), A.codes):
        now = selected(table, period, a, codes)
        place = (period, A.codes.index(a))
        assert sums.marks[place] == ("C" if now is None else "F")
        assert sums.values[place] == (now or 0)
        if period:
            before = selected(table, period - 1, a, codes)
            earlier = (period - 1, A.codes.index(a))
            assert changes.marks[earlier] == ("X" if now is None or before is None else "F")
            assert changes.values[earlier] == (0 if now is None or before is None else now - before)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(tables(), st.integers(0, 3), st.sampled_from(["_T", "x"]))
def test_shares(table: ProtectedTable, decimals: int, of: str) -> None:
    share = Derivation("d1", TITLE, Kind.SHARE, "t", denominator=(("b", of),), decimals=decimals)
    (made,) = derive([share], [table])
    for period, a, b in product(range(3), A.codes, B.codes):
        part, base = cell(table, period, a, b), cell(table, period, a, of)
        place = (period, A.codes.index(a), B.codes.index(b))
        if part is None or base is None:
            assert (made.marks[place], made.values[place]) == ("C", 0)
        elif base == 0:
            assert (made.marks[place], made.values[place]) == ("N", 0)
        else:
            exact = Decimal(part * 100 * 10**decimals) / Decimal(base)
            assert made.values[place] == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
