"""Shares of what unlocks the master key: one line of text for each key holder, short enough to be typed."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from enclave.errors import SetupError
from enclave.vault import shamir
from enclave.vault.master import KEY_BYTES, Key, RandomBytes

_WORD = "enclave-share-1"
_CHECK_BYTES = 4
_GROUP = 4
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True, repr=False)
class Share:
    """One holder's share: for which house, how many are needed, its number, and its piece of the secret."""

    house: str
    needed: int
    number: int
    piece: bytes

    @property
    def text(self) -> str:
        """The line that its holder keeps."""
        encoded = base64.b32encode(self.piece + self._check()).decode().rstrip("=").lower()
        groups = "-".join(encoded[place : place + _GROUP] for place in range(0, len(encoded), _GROUP))
        return f"{_WORD} {self.house} {self.needed} {self.number} {groups}"

    @classmethod
    def from_text(cls, text: str) -> "Share":
        """Read a line; SetupError SHARE_DAMAGED where one character of it is wrong."""
        try:
            word, house, needed, number, *groups = text.strip().lower().split()
            encoded = "".join(groups).replace("-", "").upper()
            content = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
            if word == _WORD and _NUMBER.fullmatch(needed) and _NUMBER.fullmatch(number):
                share = cls(house, int(needed), int(number), content[:-_CHECK_BYTES])
                if share._is(content, encoded):
                    return share
        except (ValueError, binascii.Error) as error:
            raise _damaged() from error
        raise _damaged()

    def _is(self, content: bytes, encoded: str) -> bool:
        """Whether this is what the text says: sizes, check, and no bits beside it."""
        plain = base64.b32encode(content).decode().rstrip("=")
        return (
            len(self.piece) == KEY_BYTES
            and self.number <= shamir.MOST_PARTS
            and content[-_CHECK_BYTES:] == self._check()
            and plain == encoded
        )

    def _check(self) -> bytes:
        said = f"{_WORD} {self.house} {self.needed} {self.number} ".encode()
        return hashlib.sha256(said + self.piece).digest()[:_CHECK_BYTES]

    def __repr__(self) -> str:
        return f"Share(house={self.house!r}, number={self.number}, piece hidden)"


def make_shares(secret: Key, house: str, needed: int, made: int, random_bytes: RandomBytes) -> tuple[Share, ...]:
    """Share a secret out; any `needed` of the `made` shares give it back."""
    parts = shamir.split(secret.secret, needed, made, random_bytes)
    return tuple(Share(house, needed, number, piece) for number, piece in parts.items())


def join_shares(texts: Sequence[str], house: str, needed: int) -> Key:
    """Return what these shares give together; SetupError where they are damaged, too few, doubled or of another house.

    Whether it is the right secret is for the caller to find out: shares can be forged.
    """
    shares = [Share.from_text(text) for text in texts]
    if any(share.house != house or share.needed != needed for share in shares):
        raise SetupError("SHARE_OTHER_HOUSE", "a share belongs to another house; bring the shares of this one only")
    parts = {share.number: share.piece for share in shares}
    if len(parts) < len(shares):
        raise SetupError("SHARE_TWICE", "the same share was given twice; bring shares with different numbers")
    if len(parts) < needed:
        raise SetupError("SHARES_TOO_FEW", f"{needed} shares are needed together; bring the missing ones")
    return Key(shamir.combine(parts))


def _damaged() -> SetupError:
    return SetupError(
        "SHARE_DAMAGED", "this is not a share as it was given to its holder; read it again, every character counts"
    )
