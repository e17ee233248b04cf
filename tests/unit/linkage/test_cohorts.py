from datetime import date

import numpy as np
import pytest

from enclave.linkage.cohorts import Spells, assign_groups, centre_of_support
from enclave.policy.quarter import Quarter

QUARTER = Quarter(2009, 2)


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def spells(*records: tuple[int, bool, str, str, int]) -> Spells:
    insz, counts, start, end, centre = zip(*records, strict=True)
    return Spells(
        np.array(insz),
        np.array(counts),
        np.array([day(text) for text in start], dtype=np.int32),
        np.array([day(text) for text in end], dtype=np.int32),
        np.array(centre),
    )


@pytest.mark.parametrize(
    ("start", "end", "is_client"),
    [
        ("2009-04-01", "2009-04-01", True),
        ("2009-06-30", "2009-06-30", True),
        ("2001-01-01", "2009-04-01", True),
        ("2009-06-30", "2012-01-01", True),
        ("2001-01-01", "2012-01-01", True),
        ("2009-01-01", "2009-03-31", False),
        ("2009-07-01", "2009-09-30", False),
        ("2009-06-02", "2009-06-01", False),
    ],
)
def test_any_day_in_the_quarter_counts(start: str, end: str, is_client: bool) -> None:
    assert len(spells((1, True, start, end, 0)).within(QUARTER).insz) == is_client


def test_other_regimes_never_count() -> None:
    found = spells((1, False, "2009-04-01", "2009-06-30", 0), (2, True, "2009-04-01", "2009-06-30", 0))
    assert found.within(QUARTER).insz.tolist() == [2]


def test_records_that_end_before_they_start_are_told() -> None:
    found = spells((1, True, "2009-06-02", "2009-06-01", 0), (2, True, "2009-06-01", "2009-06-01", 0))
    assert found.backward.tolist() == [True, False]


def test_each_person_stands_in_the_first_group_it_fits() -> None:
    quarters = [[5, 1, 1], [1, 2], [2, 3, 5], [4, 3, 1]]
    persons, groups = assign_groups([np.array(of_quarter) for of_quarter in quarters])
    assert dict(zip(persons.tolist(), groups.tolist(), strict=True)) == {1: 0, 5: 0, 2: 1, 3: 2, 4: 3}
    assert groups.dtype == np.int8


def test_groups_of_nobody() -> None:
    persons, groups = assign_groups([np.array([], dtype=np.int64)] * 4)
    assert (len(persons), len(groups)) == (0, 0)


def test_centre_of_the_latest_start_then_of_the_lowest_code() -> None:
    found = spells(
        (1, True, "2009-04-01", "2009-06-30", 3),
        (1, True, "2009-05-01", "2009-05-02", 7),
        (2, True, "2009-04-01", "2009-04-30", 9),
        (2, True, "2009-04-01", "2009-06-30", 4),
        (3, True, "2009-04-01", "2009-06-30", 5),
    )
    shuffled = Spells(*(getattr(found, name)[[4, 3, 1, 0, 2]] for name in found.__slots__))
    for one in (found, shuffled):
        assert centre_of_support(one, np.array([1, 2, 3])).tolist() == [7, 4, 5]
