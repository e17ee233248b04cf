"""One user number for each (account, project), from a declared range, for ever: a number is never given again."""

import json
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.whole_file import write_whole


class Uids:
    """The numbers given so far, kept in one file."""

    def __init__(self, path: Path, first: int, count: int) -> None:
        self._path, self._first, self._count = path, first, count
        self._given = self._read()

    def _read(self) -> list[ServerKey]:
        if not self._path.exists():
            return []
        try:
            return [ServerKey(*entry) for entry in json.loads(self._path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError) as error:
            message = f"'{self._path}' is damaged; restore it: giving its numbers again would mix people's files"
            raise SetupError("UIDS", message) from error

    def given(self) -> dict[ServerKey, int]:
        """Return all numbers given so far."""
        return {key: self._first + place for place, key in enumerate(self._given)}

    def of(self, key: ServerKey) -> int:
        """Return the number of this server; a new one is on disk before anything runs under it."""
        if key not in self._given:
            if len(self._given) >= self._count:
                raise SetupError("UIDS_USED_UP", "all user numbers are given; declare a longer range in workbench.yaml")
            given = [*self._given, key]
            write_whole(self._path, json.dumps([[one.account, one.project] for one in given]))
            self._given = given
        return self._first + self._given.index(key)
