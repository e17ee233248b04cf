"""Who is in which group, and where they had their support (advice 17/17, par. 2). Pure: arrays in, arrays out.

A person is a client of a quarter when a record under the right regime and form covers any day of it: the equivalent
living wage (RMH) never counts, and a spell counts that began long before or lasted one day. The groups are ordered:
a person stands in the first group whose quarter it is a client of, so that G2 holds who is not in G1, and so on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enclave.linkage.numbers import Bools, Ints
from enclave.policy.quarter import Quarter


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """Support records of one quarter's delivery, one entry each.

    `counts` says whether regime and form are those that the policy selects; `start` and `end` are the first and last
    day, in days since 1970-01-01; `centre` is the municipality of the centre, as a number that grows with its NIS code.
    """

    insz: Ints
    counts: Bools
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    centre: NDArray[np.integer[Any]]

    @property
    def backward(self) -> Bools:
        """Records that end before they start: they cover no day."""
        return np.asarray(self.start > self.end, dtype=np.bool_)

    def within(self, quarter: Quarter) -> "Spells":
        """Return the records that count and cover any day of the quarter."""
        first, last = np.array([quarter.first_day, quarter.last_day], dtype="datetime64[D]").astype(np.int64)
        chosen = self.counts & (self.start <= last) & (self.end >= first) & ~self.backward
        return Spells(*(getattr(self, name)[chosen] for name in self.__slots__))


def assign_groups(clients: Sequence[Ints]) -> tuple[Ints, NDArray[np.int8]]:
    """Return every person once, sorted, and the index of its group: the first of `clients` that the person is in.

    `clients` has the persons of each group's quarter, in the order of the groups; a person may stand there many times.
    """
    group = np.repeat(np.arange(len(clients), dtype=np.int8), [len(persons) for persons in clients])
    persons, first = np.unique(np.concatenate(clients), return_index=True)
    return persons, group[first]


def centre_of_support(spells: Spells, persons: Ints) -> Ints:
    """Return the centre that supported each person (all of whom have a record in `spells`).

    Of several centres in the quarter it is the one where the latest record started; of those that started on the same
    day, the one with the lowest NIS code.
    """
    order = np.lexsort((spells.centre, -spells.start.astype(np.int64), spells.insz))
    first = np.searchsorted(spells.insz[order], persons)
    return spells.centre[order[first]].astype(np.int64)
