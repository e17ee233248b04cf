"""The file of the master key: the key itself wrapped, so that the file alone opens nothing.

::

    enclave-master-key-2 <SHA-256 of the next line>
    {"generation", "house", "protection": {...}, "wrapped"}      canonical JSON

The master key is wrapped (AES-256-GCM) under a key that the key holder brings; format, house, generation and protection
are bound to it. The first line tells a damaged file from a wrong passphrase; it protects against nobody.

The file is kept apart from the vault's folders, in no backup of them: whoever has an old copy of it, an old key ring
and what unlocks the house can read what was destroyed since.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.errors import IntegrityError, PermissionDenied, SetupError
from enclave.vault import files
from enclave.vault.master import Key, MasterKey, RandomBytes
from enclave.vault.protection import Opener, Protection, described, from_description, wrapping_key

_FIRST_WORD = "enclave-master-key-2"
_OLD_FIRST_WORD = b"enclave-master-key-1"
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A master key as its file holds it."""

    house: str
    generation: int
    protection: Protection
    wrapped: bytes

    @classmethod
    def wrap(
        cls, master: MasterKey, wrapping: Key, house: str, protection: Protection, random_bytes: RandomBytes
    ) -> "Wrapped":
        """Wrap a master key for a house."""
        nonce = random_bytes(_NONCE_BYTES)
        sealed = AESGCM(wrapping.secret).encrypt(nonce, master.secret, _bound(house, master.generation, protection))
        return cls(house, master.generation, protection, nonce + sealed)

    def unwrap(self, wrapping: Key) -> MasterKey | None:
        """Return the master key; None where it was wrapped by another key, or anything that is bound to it changed."""
        nonce, sealed = self.wrapped[:_NONCE_BYTES], self.wrapped[_NONCE_BYTES:]
        try:
            secret = AESGCM(wrapping.secret).decrypt(
                nonce, sealed, _bound(self.house, self.generation, self.protection)
            )
        except (InvalidTag, ValueError):
            return None
        return MasterKey(secret, self.generation)

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        said = _said(self.house, self.generation, self.protection)
        body = _canonical(said | {"wrapped": self.wrapped.hex()})
        return b"%s %s\n%s\n" % (_FIRST_WORD.encode(), hashlib.sha256(body).hexdigest().encode(), body)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Wrapped | None":
        """Read it; None for what is not whole. SetupError for an older form, IntegrityError for weak protection."""
        if content.startswith(_OLD_FIRST_WORD):
            raise SetupError(
                "MASTER_KEY_OLD",
                "the master key lies unprotected in its file, as an earlier version left it; such houses are not "
                "opened any more. Make a new house with `enclave operator init`",
            )
        first, _, body = content.partition(b"\n")
        if first != f"{_FIRST_WORD} {hashlib.sha256(body[:-1]).hexdigest()}".encode():
            return None
        try:
            said = json.loads(body)
            found = cls(
                said["house"], said["generation"], from_description(said["protection"]), bytes.fromhex(said["wrapped"])
            )
        except (ValueError, KeyError, TypeError):
            return None
        return found if found.to_bytes() == content else None


Renewal = tuple[Protection, Opener]
"""What is to protect the next master key, and what will open it."""


class MasterKeyFile:
    """The file of a house's master key, locked until what the key holder brings opens it.

    While it is unlocked, the key that wraps the master key is in memory, and nothing else is: the master key is
    unwrapped from the file at each use, so that a key replaced by another process is the new one here too.

    `stage` puts the next master key beside the old one, under the same protection or a new one; once the key ring is
    wrapped under it, `promote` destroys the old one. The key ring decides which of the two is in force: the one that it
    verifies under. Under a new protection, another process that was unlocked with the old one finds itself locked.
    """

    def __init__(self, path: Path, house: str, *, random_bytes: RandomBytes) -> None:
        """Name the file and the id of the house that it is for; it is locked."""
        self.path = path
        self._house = house
        self._random_bytes = random_bytes
        self._wrapping: Key | None = None
        self._next_wrapping: Key | None = None
        self._opened = 0

    @property
    def _next(self) -> Path:
        return self.path.with_name(self.path.name + ".next")

    @property
    def locked(self) -> bool:
        """Whether nothing can be opened with it now."""
        return self._wrapping is None

    @property
    def protection(self) -> Protection:
        """How it is protected: no secret, known while it is locked and to whoever may read the file."""
        return self._found(private=False)[0].protection

    @property
    def generation(self) -> int:
        """How often the master key was drawn up to now; known like its protection."""
        return self._found(private=False)[0].generation

    def create(self, protection: Protection, opener: Opener) -> None:
        """Draw the first master key, and be unlocked; SetupError if a file is there already."""
        if self.path.exists() or self._next.exists():
            raise SetupError("MASTER_KEY_EXISTS", f"'{self.path}' exists already; it is never overwritten by a new key")
        self._wrapping = wrapping_key(protection, opener, self._house)
        self._write(self.path, MasterKey.create(self._random_bytes), protection)
        self._opened = 1

    def unlock(self, opener: Opener) -> None:
        """Be unlocked by what the key holder brings; PermissionDenied UNLOCK_REFUSED, for all wrong ones alike."""
        found = self._found()
        kinds = [wrapped for wrapped in found if wrapped.protection.kind is opener.kind]
        for wrapped in kinds or found:  # another kind than all is refused by name
            wrapping = wrapping_key(wrapped.protection, opener, self._house)
            if wrapped.unwrap(wrapping) is not None:
                self._wrapping, self._opened = wrapping, wrapped.generation
                return
        raise PermissionDenied(
            "UNLOCK_REFUSED",
            "this does not unlock the master key of this house; check that it belongs to this house and is typed right",
        )

    def lock(self) -> None:
        """Forget the key. Python may leave copies in memory that was given back; nobody can promise they are wiped."""
        self._wrapping = self._next_wrapping = None

    def require_unlocked(self) -> None:
        """Raise SetupError VAULT_LOCKED, with who can unlock it and how, while it is locked."""
        self._wrapping_key()

    def candidates(self) -> tuple[MasterKey, ...]:
        """Return the key of the file and, in the middle of a replacement, the staged one.

        SetupError VAULT_LOCKED while it is locked, or if there is none; in such a middle, one of the two may be half
        destroyed. IntegrityError if there is a whole file that does not open any more.
        """
        self._wrapping_key()
        files_found = self._found()
        found = tuple(key for wrapped in files_found if (key := self._unwrapped(wrapped)) is not None)
        if not found and all(wrapped.generation > self._opened for wrapped in files_found):
            self.lock()
            self._wrapping_key()
        if not found:
            raise IntegrityError(
                "MASTER_KEY_CHANGED",
                f"'{self.path}' does not open any more with the key that unlocked it: another file was put in its "
                "place, or it was changed. Stop; find out which, and put the right one back",
            )
        return found

    @property
    def replacing(self) -> bool:
        """Whether there are two files, of which the key in memory opens one alone: a replacement was interrupted."""
        return self._next.exists() and any(self._unwrapped(wrapped) is None for wrapped in self._found())

    def stage(self, key: MasterKey, new: Renewal | None = None) -> None:
        """Put the next master key beside the one in force, wrapped under the same key or what is `new`."""
        protection = self.protection
        if new is not None:
            protection, opener = new
            self._next_wrapping = wrapping_key(protection, opener, self._house)
        self._write(self._next, key, protection, self._next_wrapping)

    def promote(self) -> None:
        """Destroy the old key (zeros in its place) and put the staged one there.

        The zeros reach the old blocks on ordinary file systems and disks; on flash and on copying file systems only
        encryption of the whole device helps.
        """
        if self.path.exists():
            files.overwrite(self.path)
        files.rename(self._next, self.path)
        self._wrapping, self._next_wrapping = self._next_wrapping or self._wrapping, None
        self._opened = self.generation

    def settle(self, in_force: MasterKey) -> None:
        """Finish or undo a replacement that was interrupted, given the key in force."""
        files.remove(self.path.with_name(files.HALF + self._next.name))
        if not self._next.exists():
            return
        staged = _read(self._next)
        key = None if staged is None else self._unwrapped(staged)
        if key is not None and key.secret == in_force.secret:
            self.promote()
        else:
            files.overwrite(self._next)
            files.remove(self._next)
            self._next_wrapping = None

    def _unwrapped(self, wrapped: Wrapped) -> MasterKey | None:
        """Return the key of a file, None where nothing in memory opens it."""
        wrappings = (wrapping for wrapping in (self._wrapping, self._next_wrapping) if wrapping is not None)
        return next((key for wrapping in wrappings if (key := wrapped.unwrap(wrapping)) is not None), None)

    def _wrapping_key(self) -> Key:
        wrapping = self._wrapping
        if wrapping is None:
            raise SetupError(
                "VAULT_LOCKED",
                "the vault is locked: no key is in memory, so the projects of this house are closed. Ask whoever "
                f"holds {self.protection.words} to open it: for the gateway with `enclave operator unlock`, for one "
                f"command with {self.protection.option}",
            )
        return wrapping

    def _write(self, path: Path, key: MasterKey, protection: Protection, wrapping: Key | None = None) -> None:
        key_of_file = wrapping or self._wrapping_key()
        wrapped = Wrapped.wrap(key, key_of_file, self._house, protection, self._random_bytes)
        files.write_atomically(path, [wrapped.to_bytes()])

    def _found(self, *, private: bool = True) -> tuple[Wrapped, ...]:
        """Return what the file holds, then the staged one; SetupError where neither is whole and of this house."""
        found = tuple(self._whole(private=private))
        if not found:
            raise SetupError(
                "MASTER_KEY_FILE",
                f"'{self.path}' holds no master key, or a damaged one. Put the right file in its place; a lost key "
                "cannot be made again",
            )
        if any(wrapped.house != self._house for wrapped in found):
            raise SetupError("MASTER_KEY_HOUSE", f"'{self.path}' belongs to another house; put the right file back")
        return found

    def _whole(self, *, private: bool) -> Iterator[Wrapped]:
        for path in (self.path, self._next):
            found = _read(path, private=private) if path.exists() else None
            if found is not None:
                yield found


def _read(path: Path, *, private: bool = True) -> Wrapped | None:
    """Read a file that only we may read; None for one that holds no whole key: it was being destroyed, or damaged."""
    if private:
        files.require_private(path)
    return Wrapped.from_bytes(files.read(path))


def _said(house: str, generation: int, protection: Protection) -> dict[str, Any]:
    return {"house": house, "generation": generation, "protection": described(protection)}


def _bound(house: str, generation: int, protection: Protection) -> bytes:
    """Return what is bound to the wrapped key, so that none of it can be changed."""
    return _canonical(_said(house, generation, protection) | {"format": _FIRST_WORD})


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
