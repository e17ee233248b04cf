"""The groups of whole arrays are those of paragraph 2 of the advice, worked out person by person and day by day."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.linkage.cohorts import Spells, assign_groups
from enclave.policy.quarter import Quarter

_MANY = settings(max_examples=200, derandomize=True, deadline=None)
_FIRST = Quarter(2009, 2)
_START = date(2009, 1, 1)

Record = tuple[int, bool, int, int]
"""Person, whether regime and form are selected, first and last day counted from 2009-01-01."""

_RECORDS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 500), st.integers(0, 500)), max_size=8)


def clients_day_by_day(records: list[Record], quarter: Quarter) -> set[int]:
    days = {quarter.first_day + timedelta(days=day) for day in range(92)}
    days = {day for day in days if day <= quarter.last_day}
    return {
        person
        for person, counts, first, last in records
        if counts and days & {_START + timedelta(days=day) for day in range(first, last + 1)}
    }


def spells(records: list[Record]) -> Spells:
    columns = np.array(records, dtype=np.int64).reshape(-1, 4).T
    offset = (_START - date(1970, 1, 1)).days
    days = [(column + offset).astype(np.int32) for column in columns[2:]]
    return Spells(columns[0], columns[1].astype(np.bool_), days[0], days[1], columns[0])


@_MANY
@given(st.lists(_RECORDS, min_size=4, max_size=4))
def test_groups_by_the_words_of_the_advice(deliveries: list[list[Record]]) -> None:
    clients = [clients_day_by_day(records, _FIRST + index) for index, records in enumerate(deliveries)]
    expected: list[set[int]] = []
    for of_quarter in clients:
        expected.append(of_quarter - set().union(*expected))
    found = [spells(records).within(_FIRST + index).insz for index, records in enumerate(deliveries)]
    persons, groups = assign_groups(found)
    assert [set(persons[groups == index].tolist()) for index in range(4)] == expected
    assert len(set(persons.tolist())) == len(persons)
