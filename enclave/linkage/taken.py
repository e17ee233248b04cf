"""What has been taken in. There is no list of it to get out of step: the partitions of the store are the list.

Data set: the source. Partition: the period, and ".v2", ".v3" ... behind it for corrections; the last one counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from enclave.linkage.ports import Store

PROJECT = "intake"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One version of the data of a source and period. `facts` is what was written with it."""

    source: str
    partition: str
    version: int
    facts: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """SHA-256 of the delivered file."""
        return self.facts["sha256"]

    @property
    def file(self) -> str:
        """The name of the delivered file."""
        return self.facts["file"]

    @property
    def codebook(self) -> Mapping[str, tuple[str, ...]]:
        """The codes of each code column; its values are positions in them, -1 where the field was empty."""
        return {column: tuple(codes) for column, codes in json.loads(self.facts["codebook"]).items()}

    def read(self, store: Store, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return columns of the good rows."""
        return store.read(PROJECT, self.source, self.partition, columns)


def versions(store: Store, source: str, label: str) -> tuple[Delivered, ...]:
    """Return all versions of a source and period, the first delivery first; none if it was never delivered."""
    found = []
    for partition in store.partitions(PROJECT, source):
        period, _, version = partition.partition(".v")
        if period == label:
            found.append(Delivered(source, partition, int(version or 1), store.meta(PROJECT, source, partition)))
    return tuple(sorted(found, key=lambda delivered: delivered.version))


def partition_name(label: str, version: int) -> str:
    """Return the name of the partition of a version."""
    return label if version == 1 else f"{label}.v{version}"
