"""The vault: data sets of projects, sealed documents and coding tables, encrypted.

::

    <root>/lock                                       one change at a time; names the data set being changed
    <root>/keys/keyring                               wrapped keys, never in a backup of the data
    <root>/data/<project>/<data set>/index.block      which files are in force
    <root>/data/<project>/<data set>/<partition>.<generation>.block

What the files do not hide: names of projects, data sets and partitions, sizes, and when they were written. An old copy
of a whole data set put back, index and all, is found by comparing `snapshot` with the one that the audit log holds.
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from enclave.errors import EnclaveBug, RequestError, SetupError
from enclave.vault import files
from enclave.vault.block import Columns, Place, checked_columns
from enclave.vault.coding import Coder, Ints
from enclave.vault.datasets import Datasets
from enclave.vault.keys import KeyStore, KeyUse, KeyUseHook
from enclave.vault.master import RandomBytes
from enclave.vault.master_file import MasterKeyFile, Renewal
from enclave.vault.protection import Opener
from enclave.vault.reader import DatasetReader

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_SEALED = "_sealed"
_CODING = "_coding."
"""Names that begin with "_" are data sets of the vault's own; nobody else can choose one."""


class Vault:
    """Everything that is kept encrypted, by project.

    Errors, for all methods: IntegrityError when what is read is not what was written last under the same names;
    RequestError for names that are unknown, badly formed or of a destroyed project; SetupError for folders and disk,
    and VAULT_LOCKED while the file of the master key is locked.
    """

    def __init__(
        self,
        root: Path,
        master: MasterKeyFile,
        *,
        random_bytes: RandomBytes = secrets.token_bytes,
        on_key_use: KeyUseHook | None = None,
        require_open: Callable[[str], None] | None = None,
    ) -> None:
        """Open a vault: check rights; where its master key is at hand, finish or undo what a kill interrupted.

        `require_open` hears of each project before anything of it is read or written, and refuses by raising.
        """
        if not (root / "keys" / "keyring").exists():
            raise SetupError("NO_VAULT", f"there is no vault in '{root}'; create one, or put its keys folder back")
        for folder in (root / "keys", root / "data"):
            files.require_private(folder)
        self._root = root
        self._master = master
        self._random_bytes = random_bytes
        self._require_open = require_open or _anything
        hook = on_key_use or _unlogged
        self._keys = KeyStore(root / "keys", master, random_bytes, hook)
        self._datasets = Datasets(root, self._keys, random_bytes, hook)
        if not master.locked:
            self._datasets.recover()

    @classmethod
    def create(cls, root: Path, master: MasterKeyFile, *, random_bytes: RandomBytes = secrets.token_bytes) -> None:
        """Make an empty vault under an unlocked master key; SetupError if there is anything in the way."""
        if (root / "keys" / "keyring").exists() or files.names_in(root / "data"):
            raise SetupError(
                "VAULT_EXISTS", f"'{root}' holds a vault already, or data without keys; choose another folder"
            )
        for folder in (root, root / "keys", root / "data"):
            files.make_folder(folder)
        KeyStore(root / "keys", master, random_bytes, _unlogged).create()

    @property
    def locked(self) -> bool:
        """Whether everything that needs a key is refused now (VAULT_LOCKED)."""
        return self._master.locked

    def require_unlocked(self) -> None:
        """Raise SetupError VAULT_LOCKED while it is locked: before long work that would end there."""
        self._master.require_unlocked()

    def unlock(self, opener: Opener, *, told: Callable[[], None]) -> None:
        """Take what opens the master key into memory, then finish or undo what a kill interrupted.

        `told` hears of it before the first use; if it or the key ring refuses, the vault is locked again.
        """
        self._master.unlock(opener)
        try:
            told()
            self._datasets.recover()
        except BaseException:
            self.lock()
            raise

    def lock(self) -> None:
        """Forget the key. A reader or coder that was handed out keeps what it has: end what uses it."""
        self._master.lock()
        self._keys.forget_uses()

    def write(
        self,
        project: str,
        dataset: str,
        partition: str,
        columns: Columns,
        *,
        meta: Mapping[str, str],
        replace: bool = False,
    ) -> None:
        """Keep a partition: columns of numbers of equal length, and facts in words. Whole or not at all.

        A partition is written once: RequestError if it is there, unless `replace` is set.
        """
        self._write(_place(project, dataset, partition), columns, meta, replace=replace)

    def read(
        self, project: str, dataset: str, partition: str, columns: Sequence[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return columns (None: all) of a partition; what is not asked for is neither read nor decrypted."""
        _place(project, dataset, partition)
        return self._datasets.steadily(lambda: self._reader(project, dataset).read(partition, columns))

    def meta(self, project: str, dataset: str, partition: str) -> dict[str, str]:
        """Return the facts that were written with a partition."""
        _place(project, dataset, partition)
        return self._datasets.steadily(lambda: self._reader(project, dataset).meta(partition))

    def partitions(self, project: str, dataset: str) -> tuple[str, ...]:
        """Return the names of the partitions of a data set, sorted; none if there is no such data set."""
        _place(project, dataset)
        self._require_open(project)
        reader = self._datasets.steadily(lambda: self._datasets.reader(project, dataset))
        return () if reader is None else reader.partitions

    def reader(self, project: str, dataset: str) -> DatasetReader:
        """Return a read-only view of the data set as it stands, which can be sent to a worker of the same project."""
        _place(project, dataset)
        return self._datasets.steadily(lambda: self._reader(project, dataset, KeyUse.HANDED_OUT))

    def snapshot(self, project: str, dataset: str) -> str:
        """Return the SHA-256 that stands for the content of a data set; every change changes it."""
        _place(project, dataset)
        return self._datasets.steadily(lambda: self._reader(project, dataset).snapshot)

    def seal(self, project: str, name: str, data: bytes) -> None:
        """Keep a document, in the place of an earlier one of that name."""
        columns = {"data": np.frombuffer(data, np.uint8)}
        _require_names(project, name)
        self._write(Place(project, _SEALED, name), columns, {}, replace=True)

    def unseal(self, project: str, name: str) -> bytes:
        """Return a document."""
        _require_names(project, name)
        return self._datasets.steadily(lambda: self._reader(project, _SEALED).read(name))["data"].tobytes()

    def coder(self, project: str, domain: str) -> Coder:
        """Return the coder of a domain of a project; codes of two domains or projects have nothing in common."""
        _require_names(project, domain)
        self._require_open(project)
        table = _VaultCodingTable(self._datasets, project, _CODING + domain)
        return self._datasets.steadily(lambda: Coder(table, self._random_bytes))

    def home_key(self, project: str, account: str) -> bytes:
        """Return the 32 bytes that encrypt the home of an account in a project: always the same, and stored nowhere.

        A project without data gets its key now. RequestError PROJECT_DESTROYED once its keys were destroyed.
        """
        _require_names(project)
        self._require_open(project)
        found = self._datasets.steadily(lambda: self._keys.home(project, account))
        if found is None:
            with self._datasets.changing(project, ""):
                self._keys.save(self._keys.draft_project(project))
            found = self._datasets.steadily(lambda: self._keys.home(project, account))
        if found is None:
            raise EnclaveBug("PROJECT_KEY", f"the key of project '{project}' was made, and is not there")
        return found.secret

    def projects(self) -> tuple[str, ...]:
        """Return the projects that have keys, sorted."""
        return tuple(sorted(self._keys.load().projects))

    def check(self, project: str) -> None:
        """Verify every byte kept for a project; IntegrityError if one is missing, changed, older or too much."""
        self._datasets.check(project)

    def destroy_project(self, project: str, *, emptied: Collection[str] = (), new: Renewal | None = None) -> None:
        """Destroy the keys of a project, and with them its data in every copy; then remove its files.

        The remaining project keys are wrapped under a new master key, and the old master key is destroyed. If the
        process is killed, all of it is done or nothing, at the latest when the vault is opened again. The name stays
        taken: nothing can be written under it any more. Projects that are `emptied` are destroyed too, but for their
        names. `new` protects the new master key, so that what opened the old one opens no old copy of its file either.
        """
        _require_names(project, *emptied)
        with self._datasets.changing(project, ""):
            self._keys.destroy(project, emptied=emptied, new=new)
            self._datasets.remove_destroyed()

    def is_destroyed(self, project: str) -> bool:
        """Say whether the keys of a project were destroyed for good."""
        return project in self._keys.load().destroyed

    def _write(self, place: Place, columns: Columns, meta: Mapping[str, str], *, replace: bool) -> None:
        stored = checked_columns(columns)
        self._require_open(place.project)
        with self._datasets.changing(place.project, place.dataset):
            self._datasets.put(place, stored, meta, replace=replace)

    def _reader(self, project: str, dataset: str, use: KeyUse = KeyUse.UNLOCKED) -> DatasetReader:
        self._require_open(project)
        reader = self._datasets.reader(project, dataset, use)
        if reader is None:
            raise RequestError("UNKNOWN_DATASET", f"project '{project}' has no data set '{dataset}'; write it first")
        return reader

    def __repr__(self) -> str:
        return f"Vault({str(self._root)!r})"

    def __reduce__(self) -> NoReturn:
        raise EnclaveBug(
            "KEY_TRAVELS", "the vault may not be sent to another process; send `reader(project, data set)`"
        )


class _VaultCodingTable:
    """Keeps the pairs of a coder as a data set of the vault, one partition for each addition."""

    def __init__(self, datasets: Datasets, project: str, dataset: str) -> None:
        self._datasets = datasets
        self._project = project
        self._dataset = dataset

    def exclusive(self) -> AbstractContextManager[None]:
        return self._datasets.changing(self._project, self._dataset)

    def parts(self) -> tuple[str, ...]:
        reader = self._datasets.reader(self._project, self._dataset)
        return () if reader is None else reader.partitions

    def load(self, part: str) -> tuple[Ints, Ints]:
        reader = self._datasets.reader(self._project, self._dataset)
        assert reader is not None
        pairs = reader.read(part)
        return pairs["number"], pairs["code"]

    def append(self, numbers: Ints, codes: Ints) -> str:
        part = f"{len(self.parts()) + 1:06d}"
        place = Place(self._project, self._dataset, part)
        self._datasets.put(place, {"number": numbers, "code": codes}, {}, replace=False)
        return part


def _require_names(*names: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise RequestError(
                "VAULT_NAME",
                f"'{name}' cannot name anything here; use up to 80 letters, digits, '.', '_' and '-', and begin with a "
                "letter or a digit",
            )


def _place(project: str, dataset: str, partition: str = "all") -> Place:
    _require_names(project, dataset, partition)
    return Place(project, dataset, partition)


def _anything(_project: str) -> None:
    """Stand in for `require_open` where every project is open."""


def _unlogged(_event: str, _project: str, _dataset: str) -> None:
    """Stand in for `on_key_use` where nobody listens."""
