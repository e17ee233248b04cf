"""The registry: one cell for one meaning, equations among them, and values that fit."""

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.sdc.registry import Registry
from enclave.sdc.solution import some_solution
from enclave.sdc.table import Table, Variable
from tests.lib.tables import again, table

A, B = Variable.flat("a", "xy"), Variable.flat("b", "pq")
TRUTH = table("a\\b | p q\nx | 3 9\ny | 20 8", variables=[A, B])


def code_of(tables: list[Table], impossible: tuple[frozenset[tuple[str, str]], ...] = ()) -> str:
    registry = Registry.of([t.spec for t in tables], impossible)
    with pytest.raises(RequestError) as refused:
        registry.gather([t.values for t in tables])
    return refused.value.code


def test_the_same_cell_in_two_tables_is_one() -> None:
    registry = Registry.of([TRUTH.spec, again(TRUTH, name="u").spec])
    assert np.array_equal(registry.ids(0), registry.ids(1))
    assert len(registry.keys) == TRUTH.values.size


def test_truth_satisfies_all_equations_and_the_basis_spans_them() -> None:
    registry = Registry.of([TRUTH.spec])
    values = registry.gather([TRUTH.values])
    assert not np.any(registry.matrix @ values != registry.rhs)
    dense = registry.matrix.toarray()
    assert np.linalg.matrix_rank(dense[registry.basis]) == np.linalg.matrix_rank(dense)


def test_tables_that_disagree_are_refused() -> None:
    other = table("a\\b | p q\nx | 4 8\ny | 20 8", variables=[A, B], name="u")
    assert code_of([TRUTH, other]) == "TABLES_DISAGREE"


def test_a_total_that_is_not_the_sum_is_refused() -> None:
    wrong = TRUTH.values.copy()
    wrong[0, 0, 0] += 1
    assert code_of([Table(TRUTH.spec, wrong)]) == "NOT_ADDITIVE"


def test_a_selection_larger_than_the_whole_is_refused() -> None:
    whole = table("b | p q\npersons | 3 9", variables=[B])
    part = table("b | p q\npersons | 4 8", variables=[B], name="part", filters=[(A, "x")])
    assert code_of([whole, part]) == "NOT_ADDITIVE"


def test_somebody_where_nobody_can_be_is_refused() -> None:
    assert code_of([TRUTH], (frozenset({("a", "x"), ("b", "p")}),)) == "STRUCTURAL_ZERO"


def test_what_lies_inside_an_impossible_combination_is_empty() -> None:
    registry = Registry.of([TRUTH.spec], (frozenset({("a", "x")}), frozenset({("z", "1")})))
    empty = [sorted(key.pairs) for key, nobody in zip(registry.keys, registry.empty, strict=True) if nobody]
    assert empty == [[("a", "x")], [("a", "x"), ("b", "p")], [("a", "x"), ("b", "q")]]


def test_latent_values_follow_by_subtraction_where_they_can() -> None:
    whole = table("b | p q\npersons | 30 22", variables=[B])
    part = table("b | p q\npersons | 27 12", variables=[B], name="part", filters=[(A, "x")])
    registry = Registry.of([whole.spec, part.spec])
    values = registry.gather([whole.values, part.values])
    assert sorted(values[registry.latent].tolist()) == [3, 10, 13]


def test_latent_values_that_the_tables_leave_open_still_fit() -> None:
    c = Variable.flat("c", "mn")
    inner = np.arange(8).reshape(1, 2, 2, 2)
    cube = table("c = m\na\\b | p q\nx | 0 2\ny | 4 6\nc = n\na\\b | p q\nx | 1 3\ny | 5 7", variables=[A, B, c])
    margins = [
        Table.from_leaves(table("a\\b | p q\nx | 0 0\ny | 0 0", variables=[A, B]).spec, inner.sum(axis=3)),
        Table.from_leaves(table("b\\c | m n\np | 0 0\nq | 0 0", variables=[B, c]).spec, inner.sum(axis=1)),
        Table.from_leaves(table("a\\c | m n\nx | 0 0\ny | 0 0", variables=[A, c]).spec, inner.sum(axis=2)),
    ]
    registry = Registry.of([m.spec for m in margins])
    values = registry.gather([m.values for m in margins])
    assert registry.latent.sum() == cube.spec.shape[1] ** 3 - 19
    assert np.all(values >= 0)
    assert not np.any(registry.matrix @ values)


def test_margins_that_no_persons_can_have_are_refused() -> None:
    """Two-way tables that agree in all margins, and yet no set of persons has them."""
    c = Variable.flat("c", "mn")
    same, other = "{0}\\{1} | {2} {3}\n{4} | 5 0\n{5} | 0 5", "{0}\\{1} | {2} {3}\n{4} | 0 5\n{5} | 5 0"
    tables = [
        table(same.format("a", "b", *"pqxy"), variables=[A, B]),
        table(same.format("b", "c", *"mnpq"), variables=[B, c]),
        table(other.format("a", "c", *"mnxy"), variables=[A, c]),
    ]
    assert code_of(tables) == "NOT_ADDITIVE"


def test_no_solution_is_said() -> None:
    registry = Registry.of([TRUTH.spec])
    values = registry.gather([TRUTH.values])
    unknown = np.ones(len(values), dtype=np.bool_)
    fixed = unknown.copy()
    fixed[0] = False
    assert some_solution(registry.matrix, values, fixed, unknown) is None
