"""Judging by what a reader holds: which cells are excused for being empty, and what was said before still counts."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from enclave.sdc.judgement import judge, judge_what_is_new
from enclave.sdc.safety_rules import Rules, Zeros
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge

SHOWN_ZEROS = Rules(zeros=Zeros.SHOW_OR_SECONDARY)


def bools(*values: int) -> Bools:
    return np.array(values, dtype=np.bool_)


def knowledge(rows: Sequence[Sequence[int]], rhs: Sequence[int]) -> Knowledge:
    """Return what a reader holds of hidden cells that meet these equations, none below zero."""
    nothing: Ints = np.zeros(len(rows[0]), dtype=np.int64)
    matrix = sparse.csr_array(np.array(rows, dtype=np.int64))
    most = np.full(nothing.shape, NO_UPPER, dtype=np.int64)
    return Knowledge(matrix, np.array(rhs, dtype=np.int64), nothing > 0, nothing.copy(), nothing.copy(), most)


CIRCLE = [
    [1, 1, 0, 0, 0],
    [0, 0, 1, 1, 0],
    [0, 1, 0, 1, 0],
    [1, 0, 1, 0, 1],
]
"""u + w = 10, v + z = 15 and w + z = 7 give u + v = 18 together, though no cell follows from one line alone."""


def test_a_latent_cell_that_only_all_lines_together_show_to_be_empty_has_no_need() -> None:
    found = judge(knowledge(CIRCLE, (10, 15, 7, 18)), bools(0, 0, 0, 0, 1), SHOWN_ZEROS)
    assert found.passed
    assert found.attacked == 4


def test_an_empty_latent_cell_excuses_no_other() -> None:
    """Two more hidden cells hold three persons between them."""
    rows = [[*row, 0, 0] for row in CIRCLE] + [[0, 0, 0, 0, 0, 1, 1]]
    found = judge(knowledge(rows, (10, 15, 7, 18, 3)), bools(0, 0, 0, 0, 1, 0, 0), SHOWN_ZEROS)
    assert found.verdict.unproven == (5, 6)


@pytest.mark.parametrize("zeros", list(Zeros))
def test_a_printed_cell_known_to_be_empty_is_no_less_known(zeros: Zeros) -> None:
    """Only cells that nobody prints may be empty in plain sight: what a table hides is to stay hidden."""
    found = judge(knowledge([[1, 0, 0], [0, 1, 1]], (0, 30)), bools(0, 0, 1), Rules(zeros=zeros))
    assert found.verdict.unproven == (0,)


def test_where_zeros_are_small_an_empty_latent_cell_is_a_small_one() -> None:
    assert not judge(knowledge([[1, 0, 0], [0, 1, 1]], (0, 30)), bools(1, 0, 0), Rules(zeros=Zeros.HIDE)).passed


def test_what_was_said_before_counts_also_where_it_is_not_said_again() -> None:
    """A cell was marked as at least six. To show the third one leaves the second at most four of ten."""
    rows, rhs = [[1, 1, 1]], [13]
    before, after = knowledge(rows, rhs), knowledge(rows, rhs)
    before.lower[0] = 6
    after.public[2], after.values[2] = True, 3
    assert judge(before, bools(0, 0, 0), SHOWN_ZEROS).passed
    assert judge(after, bools(0, 0, 0), SHOWN_ZEROS).passed
    assert not judge_what_is_new(before, after, bools(0, 0, 0), SHOWN_ZEROS).passed
