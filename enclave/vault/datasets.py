"""The data sets in the data folder: one change at a time, each whole or not at all, and tidying up after a kill.

A change writes a new block under a name that was never used, then replaces the index: that is the one step at which the
new content is in force. What the index does not name is never read.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from enclave.errors import IntegrityError, RequestError
from enclave.vault import files
from enclave.vault.block import SALT_BYTES, Columns, Place, encrypt_block
from enclave.vault.index import Entry, Index, index_place, read_index, write_index
from enclave.vault.keys import KeyStore, KeyUse, KeyUseHook
from enclave.vault.master import RandomBytes
from enclave.vault.reader import DatasetReader

_Result = TypeVar("_Result")


class Datasets:
    """Data sets by project and name, under any name; which names people may use is the vault's matter."""

    def __init__(self, root: Path, keys: KeyStore, random_bytes: RandomBytes, on_key_use: KeyUseHook) -> None:
        """Keep where things are; `recover` must be called once before use."""
        self._lock = root / "lock"
        self._data = root / "data"
        self._keys = keys
        self._random_bytes = random_bytes
        self._on_key_use = on_key_use

    @contextlib.contextmanager
    def changing(self, project: str, dataset: str) -> Iterator[None]:
        """Hold the vault alone while a data set is changed; first finish what a kill interrupted."""
        with files.locked(self._lock) as note:
            if note.read():
                self._tidy(note.read())
            note.write(f"{project}/{dataset}")
            yield
            note.write("")

    def recover(self) -> None:
        """Wait for a change under way, and finish or undo one that was interrupted."""
        with files.locked(self._lock) as note:
            self._tidy(note.read())
            note.write("")

    def reader(self, project: str, dataset: str, use: KeyUse = KeyUse.UNLOCKED) -> DatasetReader | None:
        """Return a reader of what is in force now, None if there is no such data set."""
        key = self._keys.unlock(project, dataset, use)
        if key is None:
            return None
        folder = self._data / project / dataset
        return DatasetReader(folder, project, dataset, key, read_index(folder, index_place(project, dataset), key))

    def steadily(self, action: Callable[[], _Result]) -> _Result:
        """Return the result of reading. A change by another process may look like damage: if so, look once more."""
        try:
            return action()
        except IntegrityError:
            self.recover()
            return action()

    def put(self, place: Place, columns: Columns, meta: Mapping[str, str], *, replace: bool) -> None:
        """Write a partition; called inside `changing` only. RequestError if it is there and `replace` is not set."""
        reader = self.reader(place.project, place.dataset) or self._create(place.project, place.dataset)
        old = reader.index.entries.get(place.partition)
        if old is not None and not replace:
            raise RequestError("PARTITION_EXISTS", f"{place} is written already; replace it on purpose, or leave it")
        salt = self._random_bytes(SALT_BYTES)
        name = reader.index.next_file(place.partition)
        digest = files.write_atomically(reader.folder / name, encrypt_block(reader.key, place, columns, meta, salt))
        entry = Entry(name, salt.hex(), digest, next(iter(columns.values())).size)
        self._put_index(reader, reader.index.added(place.partition, entry))
        if old is not None:
            files.remove(reader.folder / old.file)

    def check(self, project: str) -> None:
        """Verify every byte of a project; IntegrityError at the first fault, RequestError for an unknown project."""
        with files.locked(self._lock) as note:
            self._tidy(note.read())
            note.write("")
            ring = self._keys.load()
            ring.require_alive(project)
            if project not in ring.projects:
                raise RequestError("UNKNOWN_PROJECT", f"there is no project '{project}' in the vault; see the list")
            datasets = ring.projects[project].datasets
            if files.names_in(self._data / project) != frozenset(datasets):
                raise IntegrityError(
                    "DATASETS",
                    f"the data folder of project '{project}' does not hold the data sets of the key ring: one of "
                    "the two was changed or put back in an older state. Find out which, then restore both together",
                )
            for dataset in sorted(datasets):
                self._check_dataset(project, dataset)

    def remove_destroyed(self) -> None:
        """Remove the files of the projects whose keys are destroyed, and set the names of emptied ones free."""
        ring = self._keys.load()
        for project in (*ring.destroyed, *ring.emptied):
            if (self._data / project).exists():
                self._on_key_use(KeyUse.DESTROYED, project, "")
                files.remove(self._data / project)
        if ring.emptied:
            self._keys.forget_emptied()

    def _put_index(self, dataset: DatasetReader, index: Index) -> None:
        place = index_place(dataset.project, dataset.dataset)
        write_index(dataset.folder, place, dataset.key, index, self._random_bytes)

    def _create(self, project: str, dataset: str) -> DatasetReader:
        """Make an empty data set. It exists once the ring with its key is in force; the folder is renamed after."""
        folder = self._data / project / dataset
        if folder.exists():
            raise IntegrityError(
                "KEY_MISSING",
                f"'{folder}' has no key in the key ring: an older ring was put back, or the folder belongs elsewhere. "
                "Stop; put back the newest ring, or take the folder away",
            )
        half = folder.with_name(files.HALF + dataset)
        files.make_folder(folder.parent)
        files.remove(half)
        files.make_folder(half)
        key, ring = self._keys.draft(project, dataset)
        self._put_index(DatasetReader(half, project, dataset, key, Index()), Index())
        self._keys.save(ring)
        files.rename(half, folder)
        return DatasetReader(folder, project, dataset, key, Index())

    def _tidy(self, note: str) -> None:
        """Finish or undo what was interrupted: keys, new data sets, half-written files, the rest."""
        self._keys.settle()
        self.remove_destroyed()
        ring = self._keys.load()
        for project in sorted(files.names_in(self._data)):
            known = ring.projects[project].datasets if project in ring.projects else {}
            self._tidy_project(self._data / project, frozenset(known))
        project, _, dataset = note.partition("/")
        if project in ring.projects and dataset in ring.projects[project].datasets:
            self._remove_left_over(project, dataset)

    def _tidy_project(self, folder: Path, datasets: frozenset[str]) -> None:
        for name in sorted(files.names_in(folder)):
            dataset = name.removeprefix(files.HALF)
            if name != dataset and dataset in datasets:
                files.rename(folder / name, folder / dataset)
        files.remove_half_written(folder)
        for name in sorted(files.names_in(folder)):
            files.remove_half_written(folder / name)

    def _remove_left_over(self, project: str, dataset: str) -> None:
        reader = self.reader(project, dataset)
        assert reader is not None
        for name in sorted(files.names_in(reader.folder)):
            if reader.index.is_left_over(name):
                files.remove(reader.folder / name)

    def _check_dataset(self, project: str, dataset: str) -> None:
        self._remove_left_over(project, dataset)
        reader = self.reader(project, dataset)
        assert reader is not None
        if files.names_in(reader.folder) != reader.index.files:
            raise IntegrityError(
                "INDEX_FILES",
                f"the files in '{reader.folder}' are not those that its index names: files were taken away or added, "
                "or an older index was put back. Stop; find out how, then restore the folder from its backup",
            )
        for partition in reader.partitions:
            reader.check(partition)
