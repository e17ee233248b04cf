"""The key ring: one data key for each data set, wrapped by its project's key, which the master key wraps.

Every wrapped key is bound to its purpose, project and data set (AES-256-GCM with associated data), and the whole ring
carries a MAC under the master key: no entry can be changed, moved, added or taken away. The ring lies in a folder of
its own: a backup of the data folder holds no key, not even a wrapped one.

The keys of homes are derived from the project's key and stand nowhere: they are gone with it.

Destroying a project takes its key out of the ring, wraps the remaining ones under a new master key and destroys the old
master key, so that an old copy of the ring opens nothing any more. One step decides: that the new ring stands in the
place of the old one. What is interrupted before it never was, what is interrupted after it is finished by `settle`.
"""

import base64
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.errors import IntegrityError, RequestError, SetupError
from enclave.vault import files
from enclave.vault.master import KEY_BYTES, Key, MasterKey, RandomBytes
from enclave.vault.master_file import MasterKeyFile, Renewal

_NONCE_BYTES = 12
_MAC_CHARACTERS = 64


class KeyUse(StrEnum):
    """What is told to `on_key_use` before it happens: a log that cannot be written stops the use."""

    CREATED = "data key created"
    UNLOCKED = "data key unlocked"
    """Told at the first use after the vault was unlocked."""
    HANDED_OUT = "data key handed to a reader"
    PROJECT_CREATED = "project key created"
    HOME = "home key handed out"
    """Told with the account in the place of the data set."""
    MASTER_REPLACED = "master key replaced"
    DESTROYED = "project keys destroyed"
    """Told after the keys are gone and before the files are; twice if killed in between."""


KeyUseHook = Callable[[str, str, str], None]
"""Called with (event, project, data set); it must not use the vault, which may be locked at that moment."""


HOME_KEY_VERSION = 1


def home_key(project_key: Key, project: str, account: str) -> Key:
    """Return the key of a person's home in a project: derived from the project's key each time, stored nowhere."""
    whose = json.dumps([project, account]).encode()  # no two pairs of names have the same text
    return Key(project_key.derive(b"enclave home" + bytes([HOME_KEY_VERSION]) + whose))


def wrap(wrapping: Key, inner: Key, context: tuple[str, ...], random_bytes: RandomBytes) -> str:
    """Encrypt a key under another one, bound to what it is for."""
    nonce = random_bytes(_NONCE_BYTES)
    sealed = AESGCM(wrapping.derive(b"enclave wrap 1")).encrypt(nonce, inner.secret, json.dumps(context).encode())
    return base64.b64encode(nonce + sealed).decode()


def unwrap(wrapping: Key, wrapped: str, context: tuple[str, ...]) -> Key:
    """Return the wrapped key; IntegrityError if it was wrapped by another key, for another use, or changed."""
    sealed = base64.b64decode(wrapped)
    cipher = AESGCM(wrapping.derive(b"enclave wrap 1"))
    try:
        return Key(cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], json.dumps(context).encode()))
    except InvalidTag as error:
        raise IntegrityError(
            "WRAPPED_KEY",
            f"the wrapped key of {' / '.join(context)} does not open; restore the key ring from its backup",
        ) from error


@dataclass(frozen=True, slots=True)
class ProjectKeys:
    """The wrapped key of a project, and under it the wrapped keys of its data sets."""

    wrapped: str
    datasets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All wrapped keys, the projects that are destroyed for good, and those that were emptied.

    The files of an emptied project may still lie there; once they are gone, its name is free again.
    """

    projects: Mapping[str, ProjectKeys] = field(default_factory=dict)
    destroyed: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the canonical text."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> "KeyRing":
        """Read a text whose MAC was checked."""
        found = json.loads(text)
        projects = {name: ProjectKeys(**keys) for name, keys in found["projects"].items()}
        return cls(projects, tuple(found["destroyed"]), tuple(found.get("emptied", ())))

    def require_alive(self, project: str) -> None:
        """Raise RequestError for a project that was destroyed."""
        if project in self.destroyed:
            raise RequestError("PROJECT_DESTROYED", f"the keys of project '{project}' were destroyed; use another name")


class KeyStore:
    """The key ring on disk. One process at a time changes it (the vault's lock); reading never waits long."""

    def __init__(self, folder: Path, master: MasterKeyFile, random_bytes: RandomBytes, on_key_use: KeyUseHook) -> None:
        """Keep where the ring and the master key are; each use needs the master key's file unlocked."""
        self._folder = folder
        self._master = master
        self._random_bytes = random_bytes
        self._on_key_use = on_key_use
        self._unlocked: set[tuple[str, str]] = set()

    @property
    def path(self) -> Path:
        """The file of the ring."""
        return self._folder / "keyring"

    def create(self) -> None:
        """Write an empty ring under the master key."""
        self._write(KeyRing(), self._master.candidates()[0])

    def load(self) -> KeyRing:
        """Return the ring; IntegrityError if it does not verify under the master key."""
        with self._steady():
            return self._load()[0]

    def unlock(self, project: str, dataset: str, use: KeyUse = KeyUse.UNLOCKED) -> Key | None:
        """Return the key of a data set, None if there is no such data set; RequestError if the project is destroyed."""
        with self._steady():
            ring, master = self._load()
        ring.require_alive(project)
        keys = ring.projects.get(project)
        if keys is None or dataset not in keys.datasets:
            return None
        if use is not KeyUse.UNLOCKED or (project, dataset) not in self._unlocked:
            self._on_key_use(use, project, dataset)
            self._unlocked.add((project, dataset))
        project_key = unwrap(master, keys.wrapped, ("project key", project))
        return unwrap(project_key, keys.datasets[dataset], ("data key", project, dataset))

    def draft(self, project: str, dataset: str) -> tuple[Key, KeyRing]:
        """Draw the key of a new data set; it exists once the returned ring is saved."""
        with self._steady():
            ring, master = self._load()
        ring.require_alive(project)
        self._on_key_use(KeyUse.CREATED, project, dataset)
        data_key = Key(self._random_bytes(KEY_BYTES))
        known = ring.projects.get(project)
        if known is None:
            project_key = Key(self._random_bytes(KEY_BYTES))
            known = ProjectKeys(wrap(master, project_key, ("project key", project), self._random_bytes), {})
        else:
            project_key = unwrap(master, known.wrapped, ("project key", project))
        wrapped = wrap(project_key, data_key, ("data key", project, dataset), self._random_bytes)
        keys = replace(known, datasets={**known.datasets, dataset: wrapped})
        return data_key, replace(ring, projects={**ring.projects, project: keys})

    def home(self, project: str, account: str) -> Key | None:
        """Return the key of a home, None if the project has no key yet; RequestError if the project is destroyed."""
        with self._steady():
            ring, master = self._load()
        ring.require_alive(project)
        keys = ring.projects.get(project)
        if keys is None:
            return None
        self._on_key_use(KeyUse.HOME, project, account)
        return home_key(unwrap(master, keys.wrapped, ("project key", project)), project, account)

    def draft_project(self, project: str) -> KeyRing:
        """Draw the key of a project that has none and no data set; it exists once the returned ring is saved."""
        with self._steady():
            ring, master = self._load()
        ring.require_alive(project)
        if project in ring.projects:
            return ring
        self._on_key_use(KeyUse.PROJECT_CREATED, project, "")
        wrapped = wrap(master, Key(self._random_bytes(KEY_BYTES)), ("project key", project), self._random_bytes)
        return replace(ring, projects={**ring.projects, project: ProjectKeys(wrapped, {})})

    def save(self, ring: KeyRing) -> None:
        """Put a drafted ring in force."""
        with self._steady():
            self._write(ring, self._load()[1])

    def destroy(self, project: str, *, emptied: Collection[str] = (), new: Renewal | None = None) -> None:
        """Destroy the keys of a project for ever, and of the `emptied` ones until somebody writes there again.

        `new` is what protects the new master key; without it, what protects the old one. RequestError if the project
        has no keys.
        """
        with self._steady():
            ring, old = self._load()
            ring.require_alive(project)
            if project not in ring.projects:
                raise RequestError("UNKNOWN_PROJECT", f"project '{project}' has no keys; there is nothing to destroy")
            self._on_key_use(KeyUse.MASTER_REPLACED, "", "")
            master = old.successor(self._random_bytes)
            self._master.stage(master, new)
            gone = {project, *emptied}
            remaining = {
                name: replace(keys, wrapped=self._rewrap(name, keys.wrapped, old, master))
                for name, keys in ring.projects.items()
                if name not in gone
            }
            destroyed = tuple(sorted({*ring.destroyed, project}))
            left = tuple(sorted({*ring.emptied, *(set(emptied) & set(ring.projects))}))
            self._replace(KeyRing(remaining, destroyed, left), master)
            self._master.promote()

    def forget_emptied(self) -> None:
        """Set the names of emptied projects free, once their files are gone."""
        with self._steady():
            ring, master = self._load()
            self._write(replace(ring, emptied=()), master)

    def forget_uses(self) -> None:
        """Tell the next use of each data key as a first one again."""
        self._unlocked.clear()

    def settle(self) -> None:
        """Finish or undo what a kill interrupted: a replacement of the master key, and with it a destruction."""
        with self._steady():
            files.remove_half_written(self._folder)
            _, master = self._load()
            self._master.settle(master)

    def _rewrap(self, project: str, wrapped: str, old: MasterKey, new: MasterKey) -> str:
        context = ("project key", project)
        return wrap(new, unwrap(old, wrapped, context), context, self._random_bytes)

    def _steady(self) -> AbstractContextManager[files.Note]:
        """Keep the ring and the master key from changing between two looks at them."""
        return files.locked(self._folder / "lock")

    def _load(self) -> tuple[KeyRing, MasterKey]:
        content = files.read(self.path)
        for master in self._master.candidates():
            if hmac.compare_digest(content[:_MAC_CHARACTERS], _mac(master, content[_MAC_CHARACTERS:])):
                return KeyRing.from_bytes(content[_MAC_CHARACTERS:]), master
        if self._master.replacing:
            raise SetupError(
                "OTHER_KEY",
                "a destruction was interrupted while the master key was replaced, and this opens the one of the two "
                "that the key ring does not go with. Open the vault with the other one: the new key, or else the old",
            )
        raise IntegrityError(
            "KEY_RING",
            f"the key ring '{self.path}' does not verify under the master key: this is not its master key, or the ring "
            "was changed. Stop; find out which, then put back the right master key or the ring's last backup",
        )

    def _write(self, ring: KeyRing, master: MasterKey) -> None:
        files.write_atomically(self.path, _pieces(ring, master))

    def _replace(self, ring: KeyRing, master: MasterKey) -> None:
        """Write, and leave nothing of the old ring on the disk."""
        files.replace_and_wipe(self.path, _pieces(ring, master))


def _pieces(ring: KeyRing, master: MasterKey) -> tuple[bytes, bytes]:
    text = b"\n" + ring.to_bytes()
    return _mac(master, text), text


def _mac(master: MasterKey, text: bytes) -> bytes:
    return hmac.digest(master.derive(b"enclave key ring 1"), text, "sha256").hex().encode()
