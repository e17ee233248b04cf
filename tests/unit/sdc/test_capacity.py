"""Inequalities that every safe pattern satisfies: their cheapest shares of cells, and the bound that they prove."""

import numpy as np
import pytest
from scipy import sparse

from enclave.sdc.capacity import Pattern, relaxation
from enclave.sdc.lower_bound import lower_bound
from enclave.sdc.need import Target
from enclave.sdc.table import Bools, Ints

NONE = (0, 0, 0, 0)


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def bools(*values: int) -> Bools:
    return np.array(values, dtype=np.bool_)


def square(up: int, fixed: tuple[int, ...] = NONE, *, down: int = 0, must: tuple[int, ...] = (0, 1, 0, 0)) -> Pattern:
    """Three cells in a line with their total of 30; the second cell, of 10, is primary."""
    matrix = sparse.csr_array(np.array([[-1, 1, 1, 1]], dtype=np.int64))
    target = Target(ints(30, 10, 12, 8), ints(0, up, 0, 0), ints(0, down, 0, 0))
    return Pattern(matrix, bools(*must), bools(*fixed), target)


def shares(pattern: Pattern, *weight: float) -> dict[int, float]:
    found = relaxation(pattern, np.array(weight or [1.0] * 4))
    return {cell: round(share, 6) for cell, share in zip(found.cells.tolist(), found.shares.tolist(), strict=True)}


def test_a_cell_that_can_give_all_that_is_needed_is_hidden_for_the_least_weight() -> None:
    assert shares(square(5), 3.0, 1.0, 1.0, 2.0) == {0: 0.0, 2: 1.0, 3: 0.0}


def test_cells_that_give_too_little_each_are_hidden_by_what_is_left_to_give() -> None:
    assert shares(square(16, (1, 0, 0, 0))) == {2: 1.0, 3: 0.5}


def test_cells_hidden_in_any_case_give_first() -> None:
    assert shares(square(16, (1, 0, 0, 0), must=(0, 1, 1, 0))) == {3: 1.0}
    assert shares(square(12, must=(0, 1, 1, 0))) == {}


def test_cells_that_rise_when_the_primary_one_falls_have_room_without_bound() -> None:
    assert shares(square(0, down=10), 9.0, 1.0, 1.0, 2.0) == {0: 0.0, 2: 1.0, 3: 0.0}


def test_the_steps_of_the_solver_are_told() -> None:
    assert relaxation(square(16), np.ones(4)).steps > 0
    assert relaxation(square(0), np.ones(4)).steps == 0


@pytest.mark.parametrize(("up", "fixed", "bound"), [(5, NONE, 1), (15, (1, 0, 0, 0), 2), (0, NONE, 0)])
def test_the_bound_of_one_line(up: int, fixed: tuple[int, ...], bound: int) -> None:
    assert lower_bound(square(up, fixed)) == bound


def test_the_bound_of_a_need_that_nothing_meets_says_nothing() -> None:
    assert lower_bound(square(25, (1, 0, 0, 0))) == 0
    assert lower_bound(square(5, (1, 0, 1, 1))) == 0
