import numpy as np

from enclave.linkage.linking import MISSING, carry, differs, find_rows, gather, latest

PERSONS = np.array([2, 5, 9])
SNAPSHOTS = [np.array(values) for values in ([MISSING, 1, MISSING], [3, MISSING, MISSING], [4, MISSING, MISSING])]


def test_rows_are_found_in_files_of_any_order() -> None:
    assert find_rows(PERSONS, np.array([9, 1, 2, 11])).tolist() == [2, MISSING, 0]
    assert find_rows(PERSONS, np.array([], dtype=np.int64)).tolist() == [MISSING] * 3
    assert find_rows(PERSONS, np.array([5])).tolist() == [MISSING, 0, MISSING]


def test_who_is_not_in_the_file_gets_the_empty_value() -> None:
    assert gather(np.array([2, MISSING, 0]), np.array([7, 8, 6], dtype=np.int16), -99).tolist() == [6, -99, 7]
    assert gather(np.array([MISSING]), np.array([], dtype=np.int32), 4).tolist() == [4]


def test_latest_known_value() -> None:
    assert latest(SNAPSHOTS).tolist() == [4, 1, MISSING]
    assert SNAPSHOTS[2].tolist() == [4, MISSING, MISSING], "the snapshots stay as they are"


def test_last_known_value_is_carried_on_and_the_first_one_back() -> None:
    assert [values.tolist() for values in carry(SNAPSHOTS)] == [[3, 1, MISSING], [3, 1, MISSING], [4, 1, MISSING]]


def test_who_has_two_different_values() -> None:
    assert differs(SNAPSHOTS).tolist() == [True, False, False]
