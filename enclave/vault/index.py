"""Which files a data set consists of: an encrypted, authenticated list beside them.

The list is replaced in one step, so it decides what is in force: a block that it does not name is never read. Since it
names each block by salt and digest, a partition that was taken away or put back in an older state is noticed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from enclave.errors import RequestError
from enclave.vault import files
from enclave.vault.block import SALT_BYTES, Place, encrypt_block, open_block
from enclave.vault.master import Key, RandomBytes

FILE_NAME = "index.block"
_COLUMN = "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """A partition as it must be found: file name in the folder, salt (hex), SHA-256 of the file, number of rows."""

    file: str
    salt: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Index:
    """The partitions of a data set; `generation` counts the changes."""

    generation: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def entry(self, place: Place) -> Entry:
        """Return the entry of a partition; RequestError if there is none."""
        if place.partition not in self.entries:
            raise RequestError("UNKNOWN_PARTITION", f"there is no {place}; see the list of its partitions")
        return self.entries[place.partition]

    def next_file(self, partition: str) -> str:
        """Return the name of the file that the next change writes."""
        return f"{partition}.{self.generation + 1:08d}.block"

    def added(self, partition: str, entry: Entry) -> "Index":
        """Return the index after a partition was written or replaced."""
        return replace(self, generation=self.generation + 1, entries={**self.entries, partition: entry})

    @property
    def files(self) -> frozenset[str]:
        """The names of all files that belong to the data set."""
        return frozenset({FILE_NAME, *(entry.file for entry in self.entries.values())})

    def is_left_over(self, name: str) -> bool:
        """Return whether a block is what an interrupted change leaves: superseded, or written but never in force.

        A file of a later generation is not: it says that an older index was put back, and must not be thrown away.
        """
        generation = name.removesuffix(".block").rpartition(".")[2]
        return name not in self.files and generation.isdigit() and int(generation) <= self.generation + 1

    def to_bytes(self) -> bytes:
        """Return the canonical text."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @property
    def sha256(self) -> str:
        """The digest of the whole data set: index, and through it the content of every file."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def index_place(project: str, dataset: str) -> Place:
    """Return the place that the index of a data set is bound to; no partition can have that name."""
    return Place(project, dataset, "_index")


def write_index(folder: Path, place: Place, key: Key, index: Index, random_bytes: RandomBytes) -> None:
    """Put an index in force, atomically."""
    columns = {_COLUMN: np.frombuffer(index.to_bytes(), np.uint8)}
    pieces = encrypt_block(key, place, columns, {}, random_bytes(SALT_BYTES))
    files.write_atomically(folder / FILE_NAME, pieces)


def read_index(folder: Path, place: Place, key: Key) -> Index:
    """Return the index in force; IntegrityError if it is gone or changed."""
    with open_block(folder / FILE_NAME, place, key) as block:
        found = json.loads(block.read()[_COLUMN].tobytes())
    return Index(found["generation"], {name: Entry(**entry) for name, entry in found["entries"].items()})
