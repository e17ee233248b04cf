"""Sums on random tables: the pattern holds in the third opinion, and the bound never passes the optimum."""

from fractions import Fraction

import numpy as np
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from enclave.sdc.need import Need, NeedKind
from enclave.sdc.safety_rules import Zeros
from enclave.sdc.table import CellKey, Table, TableSpec
from tests.lib.brute_force import CEILING, TooLarge
from tests.lib.safety import places
from tests.lib.sums import Asked, ask_sums, assert_sums_safe, fewest
from tests.property.test_engine import CHAIN, FLAT, LEVEL, few, variable

NEEDS = (Need(NeedKind.EXACT), Need(NeedKind.INTERVAL, Fraction(10)), Need(NeedKind.INTERVAL, Fraction("33.3")))
MOST_CELLS_TO_TRY = 12


@st.composite
def requests(draw: st.DrawFn, most: int = 3) -> Asked:
    """Draw one or two linked tables of small sums, with primary cells and a need."""
    kinds = st.sampled_from((FLAT, FLAT, LEVEL, CHAIN))
    variables = [variable(name, draw(st.integers(2, most)), draw(kinds)) for name in "abc"]
    sizes = [len(v.leaves) for v in variables]
    inner = draw(
        st.lists(st.sampled_from((0, 0, 1, 2, 3, 5)), min_size=int(np.prod(sizes)), max_size=int(np.prod(sizes)))
    )
    whole = np.array(inner, dtype=np.int64).reshape(sizes)
    assume(2 * whole.sum() < CEILING)
    first = _table("one", variables[:2], whole.sum(axis=2))
    second = _table("two", variables[1:], whole.sum(axis=0))
    tables = (first, second) if draw(st.booleans()) else (first,)
    chosen = draw(st.sets(st.integers(0, first.values.size - 1), min_size=1, max_size=3))
    flags = np.isin(np.arange(first.values.size), list(chosen)).reshape(first.spec.shape)
    keys: set[CellKey] = {key for place, key in places(first.spec) if flags[place]}
    primary = [np.array([key in keys for _, key in places(t.spec)]).reshape(t.spec.shape) for t in tables]
    zeros = draw(st.sampled_from((Zeros.SHOW, Zeros.SHOW_OR_SECONDARY)))
    return ask_sums(*tables, primary=primary, need=draw(st.sampled_from(NEEDS)), zeros=zeros)


def _table(name: str, variables: list, leaves: np.ndarray) -> Table:  # type: ignore[type-arg]
    spec = TableSpec(name, tuple(variables), ("_Z",), "given", measure="sum")
    return Table.from_leaves(spec, leaves[None])


@few
@given(requests())
def test_no_need_is_broken_in_the_third_opinion(asked: Asked) -> None:
    try:
        assert_sums_safe(asked)
    except TooLarge:
        reject()


@few
@given(requests(most=2))
def test_the_bound_never_passes_the_optimum(asked: Asked) -> None:
    cells = {key for t in asked.tables for _, key in places(t.spec)}
    assume(len(cells) <= MOST_CELLS_TO_TRY)
    assert asked.bound <= asked.secondary
    try:
        assert asked.bound <= fewest(asked) <= asked.secondary
    except TooLarge:
        reject()
