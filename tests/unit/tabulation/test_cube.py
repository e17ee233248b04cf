"""One period's cube: distinct respondents, and every way in which data can be wrong."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from enclave.errors import IntegrityError, RequestError
from enclave.sdc.table import Variable
from enclave.tabulation.cube import MOST_CELLS, Cube, count

SEX = Variable.flat("sex", ("M", "F"))
REGION = Variable.flat("region", ("BR", "FL", "WA"))
BOTH = (SEX, REGION)
IN_PLACE, SORTED = MOST_CELLS, 0

Columns = dict[str, NDArray[Any]]


def columns(persons: list[int], sex: list[int], region: list[int]) -> Columns:
    return {
        "person": np.array(persons, dtype=np.int64),
        "sex": np.array(sex, dtype=np.int8),
        "region": np.array(region, dtype=np.int8),
    }


def counted(cube: Cube) -> dict[tuple[str, ...], int]:
    leaves = {variable.id: variable.leaves for variable in BOTH}
    codes = [[leaves[name][place] for place in places] for name, places in cube.categories.items()]
    return dict(zip(zip(*codes, strict=True), cube.counts.tolist(), strict=True))


def refusal(data: Columns, variables: tuple[Variable, ...] = BOTH) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        count(data, "person", variables)
    return caught.value


@pytest.mark.parametrize("most_cells", [IN_PLACE, SORTED])
def test_counts_persons_per_combination_that_occurs(most_cells: int) -> None:
    data = columns([11, 12, 13, 14], [0, 1, 1, 1], [2, 0, 0, 1])
    cube = count(data, "person", BOTH, most_cells=most_cells)
    assert counted(cube) == {("M", "WA"): 1, ("F", "BR"): 2, ("F", "FL"): 1}


@pytest.mark.parametrize("most_cells", [IN_PLACE, SORTED])
@pytest.mark.parametrize("persons", [[11, 11, 12], [11, 12, 11], [12, 11, 11], [11, 11, 11], [11, 12, 13]], ids=str)
def test_a_person_that_stands_twice_in_a_cell_counts_once(persons: list[int], most_cells: int) -> None:
    cube = count(columns(persons, [1, 1, 1], [0, 0, 0]), "person", BOTH, most_cells=most_cells)
    assert counted(cube) == {("F", "BR"): len(set(persons))}


def test_five_copies_of_one_row_do_not_lift_a_count_over_the_threshold() -> None:
    few = columns([1, 2, 3, 4], [0] * 4, [0] * 4)
    copied = {name: np.concatenate([column] * 5) for name, column in few.items()}
    assert counted(count(copied, "person", BOTH)) == {("M", "BR"): 4}


@pytest.mark.parametrize("persons", [[7001, 7001, 7002], [7001, 7002, 7001], [7002, 7001, 7001]])
def test_a_person_in_two_cells_of_one_period_is_refused(persons: list[int]) -> None:
    sex = [0 if person == 7002 else place % 2 for place, person in enumerate(persons)]
    if persons == [7001, 7002, 7001]:
        sex = [0, 0, 1]
    error = refusal(columns(persons, sex, [2, 2, 2]))
    assert error.code == "RESPONDENT_TWICE"
    assert not re.search(r"\d", error.message), "no person, category or count stands in a message"


def test_a_person_in_two_cells_of_a_variable_that_no_table_uses_counts_once() -> None:
    assert counted(count(columns([5, 5], [0, 1], [2, 2]), "person", (REGION,))) == {("WA",): 1}


@pytest.mark.parametrize("bad", [-1, 3, 127])
def test_a_category_outside_the_code_list_is_refused_and_never_counted_elsewhere(bad: int) -> None:
    error = refusal(columns([1, 2], [0, 0], [0, bad]))
    assert error.code == "CATEGORY_UNKNOWN"
    assert "'region'" in error.message
    assert not re.search(r"\d", error.message)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("sex", np.array([0], dtype=np.int8)),
        ("sex", np.array([0.0, 1.0])),
        ("sex", np.array([0, 1], dtype=np.uint8)),
        ("region", np.array([[0, 1]], dtype=np.int8)),
        ("person", np.array([1.0, 2.0])),
        ("person", np.array([1], dtype=np.int64)),
    ],
)
def test_columns_that_do_not_fit_are_refused(name: str, column: NDArray[Any]) -> None:
    assert refusal({**columns([1, 2], [0, 1], [0, 1]), name: column}).code == "COLUMNS_UNEQUAL"


@pytest.mark.parametrize("most_cells", [IN_PLACE, SORTED])
def test_a_period_without_rows_has_no_cells(most_cells: int) -> None:
    assert counted(count(columns([], [], []), "person", BOTH, most_cells=most_cells)) == {}


def test_without_variables_everybody_is_counted() -> None:
    assert count({"person": np.array([3, 1, 3])}, "person", ()).counts.tolist() == [2]


def test_the_order_of_rows_does_not_matter_nor_does_the_number_of_blocks() -> None:
    rng = np.random.default_rng(1)
    rows = 300_000
    data: Columns = {
        "person": np.arange(rows),
        "sex": rng.integers(0, 2, rows, dtype=np.int8),
        "region": rng.integers(0, 3, rows, dtype=np.int8),
    }
    shuffled = rng.permutation(rows)
    ways = [
        count(data, "person", BOTH),
        count(data, "person", BOTH, most_cells=SORTED),
        count({name: column[shuffled] for name, column in data.items()}, "person", BOTH),
    ]
    expected = np.bincount(data["sex"].astype(int) * 3 + data["region"], minlength=6).tolist()
    assert [way.counts.tolist() for way in ways] == [expected] * 3


def test_more_cells_than_fit_in_memory_are_counted_by_sorting() -> None:
    wide = tuple(Variable.flat(f"v{place}", [f"c{code}" for code in range(100)]) for place in range(9))
    rng = np.random.default_rng(2)
    data: Columns = {v.id: rng.integers(0, 100, 50, dtype=np.int8) for v in wide}
    data["person"] = np.arange(50)
    cube = count(data, "person", wide)
    assert all((np.sort(cube.categories[v.id]) == np.sort(data[v.id])).all() for v in wide)
    assert cube.counts.tolist() == [1] * 50


def test_more_combinations_than_a_number_can_tell_apart_are_refused() -> None:
    wide = tuple(Variable.flat(f"v{place}", [f"c{code}" for code in range(100)]) for place in range(10))
    with pytest.raises(RequestError, match="CUBE_TOO_LARGE"):
        count({"person": np.zeros(0, dtype=np.int64)}, "person", wide)
