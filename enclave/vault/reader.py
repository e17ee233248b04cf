"""A read-only view of one data set, made to travel to a worker process."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from enclave.vault.block import Block, Place, open_block
from enclave.vault.index import Index
from enclave.vault.master import Key


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DatasetReader:
    """Reads the data set as it stood when this reader was handed out. It can be pickled, and then carries the data key.

    It holds the key of this one data set only: no project key, no master key, nothing that writes. Send it to the
    workers of the project that the data set belongs to, and nowhere else. Reading a partition that was replaced or
    destroyed since raises IntegrityError.
    """

    folder: Path
    project: str
    dataset: str
    key: Key
    index: Index

    @property
    def partitions(self) -> tuple[str, ...]:
        """The names of the partitions, sorted."""
        return tuple(sorted(self.index.entries))

    @property
    def snapshot(self) -> str:
        """SHA-256 that stands for the whole content: it changes with every change of the data set."""
        return self.index.sha256

    def rows(self, partition: str) -> int:
        """Return the number of rows of a partition; RequestError if there is none of that name."""
        return self.index.entry(self._place(partition)).rows

    def read(self, partition: str, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """Return columns (None: all) of a partition, one value a row; only what is asked for is read and decrypted.

        RequestError for an unknown partition or column; IntegrityError if what is read is not what was written last.
        """
        with self._open(partition) as block:
            return block.read(columns)

    def meta(self, partition: str) -> dict[str, str]:
        """Return the facts that were written with a partition."""
        with self._open(partition) as block:
            return block.meta

    def check(self, partition: str) -> None:
        """Verify every byte of a partition's file; IntegrityError if one differs from what was written last."""
        with self._open(partition) as block:
            if block.sha256() != self.index.entries[partition].sha256:
                raise self._place(partition).broken()

    @contextlib.contextmanager
    def _open(self, partition: str) -> Iterator[Block]:
        """Open the block that the index names; an older one of the same partition has another salt."""
        place = self._place(partition)
        entry = self.index.entry(place)
        with open_block(self.folder / entry.file, place, self.key) as block:
            if block.salt.hex() != entry.salt or block.rows != entry.rows:
                raise place.broken()
            yield block

    def _place(self, partition: str) -> Place:
        return Place(self.project, self.dataset, partition)

    def __repr__(self) -> str:
        return f"DatasetReader(project={self.project!r}, dataset={self.dataset!r}, key hidden)"
