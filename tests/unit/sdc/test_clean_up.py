"""The clean-up: what witnesses can do without is shown again, what one equation needs is never asked for."""

import numpy as np
import pytest
from scipy import sparse

from enclave.sdc.clean_up import clean_up
from enclave.sdc.deviation import CheapestDeviation
from enclave.sdc.problem import Problem, State
from enclave.sdc.programs import Floats
from enclave.sdc.table import NO_UPPER
from enclave.sdc.work import Work

TOTAL, SMALL, TEN, TWENTY, LITTLE = range(5)


def line() -> Problem:
    """A total of 33 and its parts 1, 10, 20 and 2; the first part is primary and must be able to be 5."""
    values = np.array([33, 1, 10, 20, 2], dtype=np.int64)
    count = len(values)
    small = np.arange(count) == SMALL
    return Problem(
        matrix=sparse.csr_array(np.array([[-1, 1, 1, 1, 1]], dtype=np.int64)),
        values=values,
        fixed=np.arange(count) == TOTAL,
        must=small,
        rank=np.zeros(count, dtype=np.int64),
        weight=np.ones(count),
        lower=np.zeros(count, dtype=np.int64),
        upper=np.full(count, NO_UPPER),
        reach=np.where(small, 5, 0),
        depth=np.full(count, NO_UPPER),
    )


def hidden_with(*cells: int, moving: int) -> State:
    """The primary cell and these are hidden; its witness moves one of them."""
    problem = line()
    state = State(problem, np.zeros(len(problem.values), dtype=np.bool_))
    state.hide(np.array([SMALL, *cells]))
    deviation = np.zeros(len(problem.values))
    deviation[[SMALL, moving]] = 4.0, -4.0
    state.moves[0].witness = deviation
    return state


def shown_again(state: State, *, shares: Floats | None = None, work: Work | None = None) -> set[int]:
    before = set(np.flatnonzero(state.hidden).tolist())
    clean_up(state, np.zeros(len(state.hidden)) if shares is None else shares, work)
    return before - set(np.flatnonzero(state.hidden).tolist())


def test_a_cell_that_no_witness_uses_is_shown() -> None:
    assert shown_again(hidden_with(TEN, LITTLE, moving=TEN)) == {LITTLE}


def test_a_cell_is_shown_for_which_another_witness_exists_and_that_one_is_kept() -> None:
    state = hidden_with(TEN, TWENTY, moving=TEN)
    assert shown_again(state, shares=np.array([0.0, 0.0, 0.0, 1.0, 0.0])) == {TEN}
    (move,) = state.moves
    assert move.witness is not None
    assert move.witness[[SMALL, TEN, TWENTY]].tolist() == [4.0, 0.0, -4.0]


def test_of_two_that_do_for_each_other_the_one_that_the_relaxation_hides_stays() -> None:
    assert shown_again(hidden_with(TEN, TWENTY, moving=TWENTY), shares=np.array([0, 0, 1.0, 0, 0])) == {TWENTY}


def test_where_one_equation_says_no_no_program_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        pytest.fail("a program was run")

    monkeypatch.setattr(CheapestDeviation, "solve", never)
    assert shown_again(hidden_with(TEN, moving=TEN)) == set()
    assert shown_again(hidden_with(TEN, LITTLE, moving=TEN), shares=np.array([0, 0, 0, 0, 1.0])) == {LITTLE}


def test_when_the_work_is_used_up_everything_stays() -> None:
    assert shown_again(hidden_with(TEN, LITTLE, moving=TEN), work=Work(0)) == set()
