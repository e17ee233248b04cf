"""How the master key is protected at rest: by a passphrase, by a key file on another medium, or by shares.

Each way ends in a *wrapping key*, which encrypts the master key in its file. What the file says about the way (salt,
work of scrypt, how many shares) is no secret; it is bound to the wrapped key, so that a change of it opens nothing.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from enclave.errors import IntegrityError, SetupError
from enclave.vault import shamir
from enclave.vault.master import KEY_BYTES, Key, RandomBytes
from enclave.vault.shares import join_shares

SALT_BYTES = 16
LEAST_PASSPHRASE = 16
"""Characters that a new passphrase must have: four or five words that nobody would put together."""

LEAST_WORK = (2**17, 8, 1)
"""What scrypt is asked for (n, r, p): 128 MiB of memory and about half a second. Less is refused on reading."""
MOST_WORK = (2**22, 32, 16)

_KEY_FILE_WORD = "enclave-key-file-1"
_PURPOSE = b"enclave master key wrapping 1"


class Kind(StrEnum):
    """What a key holder brings."""

    PASSPHRASE = "passphrase"  # noqa: S105  a word, not a secret
    KEY_FILE = "key file"
    SHARES = "shares"


@dataclass(frozen=True, slots=True, repr=False)
class Opener:
    """What the key holders brought: a passphrase, the line of a key file, or the lines of shares. Shown nowhere."""

    kind: Kind
    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Opener({self.kind.value}, hidden)"


@dataclass(frozen=True, slots=True)
class ByPassphrase:
    """Protection by a passphrase, through scrypt."""

    kind: ClassVar[Kind] = Kind.PASSPHRASE
    salt: bytes
    n: int = LEAST_WORK[0]
    r: int = LEAST_WORK[1]
    p: int = LEAST_WORK[2]

    @property
    def words(self) -> str:
        """Name it in a sentence."""
        return "the passphrase"

    @property
    def option(self) -> str:
        """Say how a command is given it."""
        return "--passphrase-fd, or at its question on a terminal"

    def wrapping_key(self, opener: Opener, _house: str) -> Key:
        """Return the key that this passphrase gives, after much work."""
        passphrase = unicodedata.normalize("NFC", opener.texts[0]).encode()
        return Key(Scrypt(salt=self.salt, length=KEY_BYTES, n=self.n, r=self.r, p=self.p).derive(passphrase))

    def require_sound(self) -> None:
        """Refuse work below the floor (a guess must cost something) and above what a machine can be asked for."""
        work = (self.n, self.r, self.p)
        if not all(
            least <= number <= most for least, number, most in zip(LEAST_WORK, work, MOST_WORK, strict=True)
        ) or (self.n.bit_count() != 1):
            raise IntegrityError(
                "MASTER_KEY_WORK",
                "the master key's file asks for less work per guess of the passphrase than this product ever does, or "
                "for more than a machine can give: somebody changed it. Stop; put the right file back",
            )


@dataclass(frozen=True, slots=True)
class ByKeyFile:
    """Protection by a key file: 32 random bytes on another medium."""

    kind: ClassVar[Kind] = Kind.KEY_FILE
    salt: bytes

    @property
    def words(self) -> str:
        """Name it in a sentence."""
        return "the key file"

    @property
    def option(self) -> str:
        """Say how a command is given it."""
        return "--key-file"

    def wrapping_key(self, opener: Opener, _house: str) -> Key:
        """Return the key that the line of this key file gives."""
        return Key(secret_of_key_file(opener.texts[0]).derive(_PURPOSE, self.salt))

    def require_sound(self) -> None:
        """There is nothing to weaken."""


@dataclass(frozen=True, slots=True)
class ByShares:
    """Protection by shares: any `needed` of the `made` ones, brought together."""

    kind: ClassVar[Kind] = Kind.SHARES
    salt: bytes
    needed: int
    made: int

    @property
    def words(self) -> str:
        """Name it in a sentence."""
        return f"{self.needed} of the {self.made} shares"

    @property
    def option(self) -> str:
        """Say how a command is given them."""
        return "--share-file for each, or at its questions on a terminal"

    def wrapping_key(self, opener: Opener, house: str) -> Key:
        """Return the key that these shares give together."""
        return Key(join_shares(opener.texts, house, self.needed).derive(_PURPOSE, self.salt))

    def require_sound(self) -> None:
        """Refuse numbers that no house was ever made with: one share alone must never be enough."""
        if not shamir.possible(self.needed, self.made):
            raise IntegrityError(
                "MASTER_KEY_SHARES",
                "the master key's file names a number of shares that cannot be; put the right file back",
            )


Protection = ByPassphrase | ByKeyFile | ByShares
_NUMBERS: Mapping[Kind, tuple[str, ...]] = {
    Kind.PASSPHRASE: ("n", "r", "p"),
    Kind.KEY_FILE: (),
    Kind.SHARES: ("needed", "made"),
}
_CLASSES: Mapping[Kind, type[Protection]] = {
    Kind.PASSPHRASE: ByPassphrase,
    Kind.KEY_FILE: ByKeyFile,
    Kind.SHARES: ByShares,
}


def described(protection: Protection) -> dict[str, Any]:
    """Return what the master key's file says about its protection."""
    numbers = {name: getattr(protection, name) for name in _NUMBERS[protection.kind]}
    return {"kind": protection.kind.value, "salt": protection.salt.hex(), **numbers}


def from_description(said: Mapping[str, Any]) -> Protection:
    """Read it back; ValueError, KeyError or TypeError where it is none, IntegrityError where it is weaker than ours."""
    kind = Kind(said["kind"])
    numbers = {name: said[name] for name in _NUMBERS[kind]}
    salt = bytes.fromhex(said["salt"])
    if len(salt) != SALT_BYTES or any(type(number) is not int for number in numbers.values()):
        raise ValueError(kind)
    protection = _CLASSES[kind](salt, **numbers)
    protection.require_sound()
    return protection


def wrapping_key(protection: Protection, opener: Opener, house: str) -> Key:
    """Return the key that what was brought gives; SetupError where it is of another kind. It may be the wrong key."""
    if opener.kind is not protection.kind:
        raise SetupError(
            "UNLOCK_OTHERWISE", f"the vault of this house is unlocked with {protection.words}; bring that instead"
        )
    return protection.wrapping_key(opener, house)


def require_good(passphrase: str) -> None:
    """Refuse a new passphrase that is short; how good the words are, only who chooses them can know."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise SetupError(
            "PASSPHRASE_SHORT",
            f"a passphrase has at least {LEAST_PASSPHRASE} characters; take five words that nobody would put together",
        )


def new_key_file(random_bytes: RandomBytes) -> str:
    """Return the line of a new key file."""
    return f"{_KEY_FILE_WORD} {random_bytes(KEY_BYTES).hex()}\n"


def secret_of_key_file(line: str) -> Key:
    """Return what a key file holds; SetupError where it is none."""
    found = re.fullmatch(rf"{_KEY_FILE_WORD} ([0-9a-f]{{{2 * KEY_BYTES}}})\n?", line)
    if found is None:
        raise SetupError(
            "KEY_FILE", "this is not a key file made by `enclave operator init`, or it is damaged; bring its copy"
        )
    return Key(bytes.fromhex(found[1]))
