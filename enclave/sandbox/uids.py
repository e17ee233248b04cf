"""Two user numbers for each (account, project), from a declared range, for ever: a number is never given again.

One is the notebook server's, the other the kernels'. The number of the server is also that of the group they share.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from enclave.errors import SetupError
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.whole_file import write_whole


class Side(StrEnum):
    """Which of the two sandboxes."""

    SERVER = "server"
    KERNEL = "kernel"


Owner: TypeAlias = tuple[ServerKey, Side]


class Uids:
    """The numbers given so far, kept in one file; an entry without a side is a server's."""

    def __init__(self, path: Path, first: int, count: int) -> None:
        self._path, self._first, self._count = path, first, count
        self._given = self._read()

    def _read(self) -> list[Owner]:
        if not self._path.exists():
            return []
        try:
            return [_owner(*entry) for entry in json.loads(self._path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError) as error:
            message = f"'{self._path}' is damaged; restore it: giving its numbers again would mix people's files"
            raise SetupError("UIDS", message) from error

    def given(self) -> dict[Owner, int]:
        """Return all numbers given so far."""
        return {owner: self._first + place for place, owner in enumerate(self._given)}

    def of(self, key: ServerKey, side: Side = Side.SERVER) -> int:
        """Return the number of this side; a new one is on disk before anything runs under it."""
        owner = (key, side)
        if owner not in self._given:
            if len(self._given) >= self._count:
                raise SetupError("UIDS_USED_UP", "all user numbers are given; declare a longer range in workbench.yaml")
            given = [*self._given, owner]
            write_whole(self._path, json.dumps([[one.account, one.project, side] for one, side in given]))
            self._given = given
        return self._first + self._given.index(owner)

    def server_of(self, uid: int) -> ServerKey | None:
        """Return whose server has this number; None for a kernel's, and for one that was not given."""
        place = uid - self._first
        if not 0 <= place < len(self._given):
            return None
        key, side = self._given[place]
        return key if side is Side.SERVER else None


def _owner(account: str, project: str, side: str = Side.SERVER) -> Owner:
    return ServerKey(account, project), Side(side)
