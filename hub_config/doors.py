"""Doors: who guesses passwords, or the answers of a provider, finds them closed for a while."""

import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable

from enclave.errors import PermissionDenied

ADDRESS_FACTOR = 4
"""An address may be shared by several people."""
MOST_KEYS = 10_000


class Doors:
    """Closes the door for a while, for an account or an address, after too many wrong passwords."""

    def __init__(self, most: int, pause_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._pause_s, self._clock = most, pause_s, clock
        self._wrong: defaultdict[str, list[float]] = defaultdict(list)

    def require_open(self, account: str, address: str) -> None:
        """Refuse where the door is closed."""
        for key in _keys(account, address):
            recent = [moment for moment in self._wrong.get(key, []) if self._clock() - moment < self._pause_s]
            if len(recent) >= self._most * (1 if key.startswith("account") else ADDRESS_FACTOR):
                raise PermissionDenied(
                    "TOO_MANY_ATTEMPTS", "too many wrong passwords; wait some minutes, then try again"
                )

    def note_wrong(self, account: str, address: str) -> None:
        """Count a wrong password; without an account, for the address alone."""
        for key in _keys(account, address):
            moments = self._wrong[key]
            moments.append(self._clock())
            del moments[: -self._most * ADDRESS_FACTOR]
        if len(self._wrong) > MOST_KEYS:
            self._wrong.pop(next(iter(self._wrong)))

    def note_right(self, account: str) -> None:
        """Forget the wrong ones of an account that got in."""
        self._wrong.pop(_account_key(account), None)


def _keys(account: str, address: str) -> tuple[str, ...]:
    by_address = f"address {address}"
    return (_account_key(account), by_address) if account else (by_address,)


def _account_key(account: str) -> str:
    """Return one key for all spellings that whoever vouches may take for the same account."""
    return f"account {' '.join(unicodedata.normalize('NFKC', account[:100]).casefold().split())}"
