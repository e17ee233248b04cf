"""The master key and the file that holds it.

The file is kept apart from the vault's folders, in no backup of them: whoever has an old master key and an old key ring
can read what was destroyed since.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from enclave.errors import EnclaveBug, SetupError
from enclave.vault import files

RandomBytes = Callable[[int], bytes]
"""Returns so many bytes that nobody can guess; `secrets.token_bytes` in earnest."""

KEY_BYTES = 32
_FIRST_WORD = "enclave-master-key-1"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Key:
    """A key of 256 bits. Neither `repr` nor `str` shows it."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise EnclaveBug("KEY_LENGTH", f"a key has {KEY_BYTES} bytes")

    def derive(self, purpose: bytes, salt: bytes | None = None) -> bytes:
        """Return 32 bytes for one purpose only (HKDF-SHA256); they tell nothing about the key or other purposes."""
        return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(self.secret)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"


class MasterKey(Key):
    """The key that wraps the project keys. It never leaves the process: it cannot be pickled."""

    __slots__ = ()

    @classmethod
    def create(cls, random_bytes: RandomBytes) -> "MasterKey":
        """Draw a new one."""
        return cls(random_bytes(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> "MasterKey":
        """Read it from a file that only we may read; SetupError if others may, or if it holds no master key."""
        found = cls.find(path)
        if found is None:
            raise SetupError(
                "MASTER_KEY_FILE",
                f"'{path}' holds no master key. Put the right file in its place; a lost key cannot be made again",
            )
        return found

    @classmethod
    def find(cls, path: Path) -> "MasterKey | None":
        """Read it as `load` does, but return None for a file that holds none: one that was being destroyed."""
        files.require_private(path)
        word, _, encoded = files.read(path).strip().partition(b" ")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return None
        return cls(secret) if word == _FIRST_WORD.encode() and len(secret) == KEY_BYTES else None

    def write(self, path: Path) -> None:
        """Put it into a file that only we may read."""
        files.write_atomically(path, [f"{_FIRST_WORD} {base64.b64encode(self.secret).decode()}\n".encode()])

    def __reduce__(self) -> NoReturn:
        raise EnclaveBug(
            "KEY_TRAVELS", "the master key may not be sent to another process; send a reader of a data set"
        )


@dataclass(frozen=True, slots=True)
class MasterKeyFile:
    """The file of the master key, with the steps that replace the key by another one.

    `stage` puts the next key beside the old one; once the key ring is wrapped under it, `promote` destroys the old one.
    The key ring decides which of the two is in force: the one that it verifies under.
    """

    path: Path

    @property
    def _next(self) -> Path:
        return self.path.with_name(self.path.name + ".next")

    def create(self, random_bytes: RandomBytes) -> None:
        """Draw the first master key; SetupError if a file is there already."""
        if self.path.exists() or self._next.exists():
            raise SetupError("MASTER_KEY_EXISTS", f"'{self.path}' exists already; it is never overwritten by a new key")
        MasterKey.create(random_bytes).write(self.path)

    def candidates(self) -> tuple[MasterKey, ...]:
        """Return the key of the file and, in the middle of a replacement, the staged one; SetupError if there is none.

        In such a middle, one of the two may be half destroyed.
        """
        found = [MasterKey.find(path) for path in (self.path, self._next) if path.exists()]
        return tuple(key for key in found if key is not None) or (MasterKey.load(self.path),)

    def stage(self, key: MasterKey) -> None:
        """Put the next master key beside the one in force."""
        key.write(self._next)

    def promote(self) -> None:
        """Destroy the old key (zeros in its place) and put the staged one there.

        The zeros reach the old blocks on ordinary file systems and disks; on flash and on copying file systems only
        encryption of the whole device helps.
        """
        if self.path.exists():
            files.overwrite(self.path)
        files.rename(self._next, self.path)

    def settle(self, in_force: MasterKey) -> None:
        """Finish or undo a replacement that was interrupted, given the key in force."""
        files.remove(self.path.with_name(files.HALF + self._next.name))
        if not self._next.exists():
            return
        staged = MasterKey.find(self._next)
        if staged is not None and staged.secret == in_force.secret:
            self.promote()
        else:
            files.overwrite(self._next)
            files.remove(self._next)
