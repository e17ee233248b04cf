"""The attacker on systems small enough to see through."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from enclave.errors import EnclaveBug
from enclave.sdc import attacker
from enclave.sdc.attacker import NO_DEPTH, Part, Verdict, Witness, attack, certified, intervals
from enclave.sdc.table import NO_UPPER, Ints, Knowledge


def known(rows: list[list[int]], rhs: list[int], public: dict[int, int] | None = None) -> Knowledge:
    """Return knowledge of as many cells as the rows are long; `public` says which are shown."""
    size = len(rows[0])
    shown = np.isin(np.arange(size), list(public or {}))
    values = np.array([(public or {}).get(i, 0) for i in range(size)], dtype=np.int64)
    matrix = sparse.csr_array(np.array(rows, dtype=np.int64))
    zero, endless = np.zeros(size, dtype=np.int64), np.full(size, NO_UPPER, dtype=np.int64)
    return Knowledge(matrix, np.array(rhs, dtype=np.int64), shown, values, zero, endless)


def reach(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def test_two_cells_share_a_total() -> None:
    knowledge = known([[-1, 1, 1]], [0], {0: 7})
    assert intervals(knowledge, [0, 1, 2]).tolist() == [[7, 7], [0, 7], [0, 7]]
    assert attack(knowledge, reach(0, 5, 5)).passed
    assert attack(knowledge, reach(0, 8, 5)).unproven == (1,)


def test_a_cell_that_nothing_bounds() -> None:
    knowledge = known([[1, -1, 0]], [0])
    assert intervals(knowledge, [0, 2]).tolist() == [[0, NO_UPPER], [0, NO_UPPER]]


def test_an_endless_cell_beside_bounded_ones() -> None:
    """Solvers may call such a program infeasible or unbounded without saying which."""
    knowledge = replace(known([[1, -1, -1]], [0]), upper=reach(NO_UPPER, NO_UPPER, 4))
    assert intervals(knowledge, [0, 1, 2]).tolist() == [[0, NO_UPPER], [0, NO_UPPER], [0, 4]]


def test_whole_numbers_say_more_than_fractions() -> None:
    """a + b, b + c and a + c are even numbers apart: 2a = 5 has no whole solution, so a stops short of it."""
    knowledge = known([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, -1]], [3, 2, 0])
    assert intervals(knowledge, [0]).tolist() == [[1, 3]]
    tight = known([[2, 1, 0], [0, 1, 1]], [5, 4])
    assert intervals(tight, [0, 1]).tolist() == [[1, 2], [1, 3]]


def test_what_contradicts_itself_is_a_bug() -> None:
    with pytest.raises(EnclaveBug):
        attack(known([[1, 1]], [5], {0: 1, 1: 1}), reach(0, 0))
    with pytest.raises(EnclaveBug):
        intervals(known([[1, 1], [1, 1]], [5, 6]), [0])


def test_nothing_hidden_needs_no_proof() -> None:
    verdict = attack(known([[-1, 1]], [0], {0: 3, 1: 3}), reach(0, 0))
    assert verdict.passed
    assert not verdict.witnesses


def test_a_minimum_can_be_a_need() -> None:
    knowledge = known([[-1, 1, 1]], [0], {0: 7})
    low = np.array([NO_DEPTH, 0, NO_DEPTH], dtype=np.int64)
    assert attack(knowledge, reach(0, 0, 0), low).passed
    bounded = replace(knowledge, upper=reach(NO_UPPER, NO_UPPER, 4))
    assert attack(bounded, reach(0, 0, 0), low).unproven == (1,)


def test_parts_may_be_attacked_anywhere() -> None:
    knowledge = known([[-1, 1, 1, 0, 0, 0], [0, 0, 0, -1, 1, 1]], [0, 0], {0: 7, 3: 4})
    backwards = attack(knowledge, reach(0, 5, 5, 0, 5, 4), run=lambda task, parts: list(map(task, list(parts))))
    assert backwards.unproven == (4,)


@pytest.mark.parametrize(
    ("cells", "values"),
    [([1, 2], [5, 3]), ([1, 2], [8, -1]), ([1], [5]), ([0, 1, 2], [7, 5, 2]), ([1, 2], [4, 3])],
    ids=["does not add up", "below zero", "cuts an equation", "changes a public cell", "lifts nothing"],
)
def test_a_false_certificate_is_not_believed(cells: list[int], values: list[int]) -> None:
    knowledge = known([[-1, 1, 1]], [0], {0: 7})
    assert certified(knowledge, reach(0, 5, 0), attack(knowledge, reach(0, 5, 0)))
    forged = Verdict(
        passed=True, unproven=(), witnesses=(Witness(reach(*cells), reach(*values)),), witness_of=reach(-1, 0, -1)
    )
    assert not certified(knowledge, reach(0, 5, 0), forged)


@pytest.mark.parametrize("false", [[5, 3], [8, -1], [4, 3]])
def test_a_false_hint_does_no_harm(false: list[int]) -> None:
    knowledge = known([[-1, 1, 1]], [0], {0: 7})
    hints = [Witness(reach(1, 2), reach(*false))]
    assert attack(knowledge, reach(0, 8, 0), hints=hints).unproven == (1,)
    assert attack(knowledge, reach(0, 5, 0), hints=hints).passed


def test_a_true_hint_is_taken() -> None:
    knowledge = known([[-1, 1, 1]], [0], {0: 7})
    verdict = attack(knowledge, reach(0, 5, 0), hints=[Witness(reach(1, 2), reach(6, 1))])
    assert [witness.values.tolist() for witness in verdict.witnesses] == [[6, 1]]


Program = Callable[..., Ints | None]
PAIRS_OF_EIGHT = [[1, 1, 0, 1, 0, 0, -1], [1, 0, 1, 0, 1, 0, -1], [0, 1, 1, 0, 0, 1, -1]]
"""Three cells of which no two hold more than eight: 4 + 4 + 4 is the most, 5 + 3 + 3 is what lifts one to 5."""


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many needs each relaxed program is asked for."""
    asked: list[int] = []
    solve: Program = attacker._program

    def noted(part: Part, cells: Ints, sinks: Ints, *, integer: bool) -> Ints | None:
        if not integer:
            asked.append(len(cells) + len(sinks))
        return solve(part, cells, sinks, integer=integer)

    monkeypatch.setattr(attacker, "_program", noted)
    return asked


def test_each_program_meets_a_need_where_lifting_most_would_lift_none_far_enough(programs: list[int]) -> None:
    verdict = attack(known(PAIRS_OF_EIGHT, [0, 0, 0], {6: 8}), reach(5, 5, 5, 0, 0, 0, 0))
    assert verdict.passed
    assert programs == [3, 2, 1]


def test_a_need_that_no_table_meets_is_given_up_and_the_others_are_met(programs: list[int]) -> None:
    low = np.array([NO_DEPTH, NO_DEPTH, 1, NO_DEPTH, NO_DEPTH, NO_DEPTH, NO_DEPTH], dtype=np.int64)
    knowledge = known(PAIRS_OF_EIGHT, [0, 0, 0], {6: 8})
    bounded = replace(knowledge, lower=reach(0, 0, 2, 0, 0, 0, 0), upper=reach(*[NO_UPPER] * 3, 5, *[NO_UPPER] * 3))
    assert attack(bounded, reach(9, 5, 5, 6, 0, 0, 0), low).unproven == (0, 2, 3)
    assert len(programs) <= 5


def test_after_a_need_that_no_table_meets_the_next_ones_are_asked_for_alone(programs: list[int]) -> None:
    assert attack(known(PAIRS_OF_EIGHT, [0, 0, 0], {6: 8}), reach(9, 9, 5, 5, 0, 0, 0)).unproven == (0, 1)
    assert programs[:4] == [4, 1, 1, 1]
    assert len(programs) <= 5


def test_a_slip_of_the_solver_on_many_wishes_costs_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    solve: Program = attacker._program

    def slips(part: Part, cells: Ints, sinks: Ints, *, integer: bool) -> Ints | None:
        return None if len(cells) + len(sinks) > 1 else solve(part, cells, sinks, integer=integer)

    monkeypatch.setattr(attacker, "_program", slips)
    low = np.array([*[NO_DEPTH] * 3, 0, 0, NO_DEPTH, NO_DEPTH], dtype=np.int64)
    assert attack(known(PAIRS_OF_EIGHT, [0, 0, 0], {6: 8}), reach(5, 5, 5, 0, 0, 0, 0), low).passed
