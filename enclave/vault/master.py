"""Keys, and the master key above all others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from enclave.errors import EnclaveBug

RandomBytes = Callable[[int], bytes]
"""Returns so many bytes that nobody can guess; `secrets.token_bytes` in earnest."""

KEY_BYTES = 32


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


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MasterKey(Key):
    """The key that wraps the project keys, and its generation: 1 for the first of a house. It cannot be pickled."""

    generation: int

    @classmethod
    def create(cls, random_bytes: RandomBytes) -> "MasterKey":
        """Draw the first one of a house."""
        return cls(random_bytes(KEY_BYTES), 1)

    def successor(self, random_bytes: RandomBytes) -> "MasterKey":
        """Draw the one that comes after this one."""
        return MasterKey(random_bytes(KEY_BYTES), self.generation + 1)

    def __reduce__(self) -> NoReturn:
        raise EnclaveBug(
            "KEY_TRAVELS", "the master key may not be sent to another process; send a reader of a data set"
        )
