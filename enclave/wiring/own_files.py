"""Own files of a project: brought in by a steward, looked at, logged; its members read them and cannot change them.

They stand in the open below the house, since nothing personal may be in them. A name that comes again replaces the
file; what was there before is named in the log by its digest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from enclave.errors import DeliveryError, RequestError
from enclave.gateway.log_entry import LogAction
from enclave.gateway.permissions import check_bring_in
from enclave.linkage.own_files import MOST_BYTES, check_own_file
from enclave.sandbox.whole_file import write_whole
from enclave.wiring.house import House
from enclave.wiring.ports import now

READ_BY_ALL, ENTERED_BY_ALL = 0o444, 0o755
"""Kernels run as users of their own; each sees the folder of its project alone."""


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The own files of one project of a house."""

    house: House
    project: str

    def bring(self, account: str, paths: Sequence[Path]) -> list[str]:
        """Take files in, all or none: each is looked at before the first is written. Return their names."""
        person, folder = self.house.allow(account, "bring_in", check_bring_in), self._folder()
        contents = {path.name: _content(path) for path in paths}
        if len(contents) < len(paths):
            raise DeliveryError("OWN_FILE_TWICE", "two of the files have the same name; rename one")
        for name, content in contents.items():
            check_own_file(name, content, last_birth_year=now().year)
        for name, content in contents.items():
            self.house.log(person.id, LogAction.FILE_BROUGHT_IN, self.project, **self._details(account, content))
            write_whole(folder / name, content.decode("utf-8"), mode=READ_BY_ALL)
        return sorted(contents)

    def remove(self, account: str, names: Sequence[str]) -> None:
        """Take files away; RequestError where one is not there."""
        person = self.house.allow(account, "bring_in", check_bring_in)
        there = {path.name: path for path in self.listed()}
        for name in names:
            if name not in there:
                raise RequestError(
                    "OWN_FILE_UNKNOWN", f"there is no '{name[:100]}' in this project; list what is there"
                )
        for name in names:
            details = self._details(account, there[name].read_bytes())
            self.house.log(person.id, LogAction.FILE_TAKEN_AWAY, self.project, **details)
            there[name].unlink()

    def listed(self) -> list[Path]:
        """Return the files, by name."""
        return sorted(path for path in self._folder().iterdir() if not path.name.startswith("."))

    def _folder(self) -> Path:
        known = {project for person in self.house.register.everybody() for project in person.projects}
        if self.project not in known:
            raise RequestError("UNKNOWN_PROJECT", "nobody is on such a project; name one of the house's projects")
        folder = self.house.settings.own_files / self.project
        for one in (folder.parent, folder):
            one.mkdir(exist_ok=True)
            one.chmod(ENTERED_BY_ALL)
        return folder

    def _details(self, account: str, content: bytes) -> dict[str, str]:
        return {"account": account, "project": self.project, "file": sha256(content).hexdigest()}


def _content(path: Path) -> bytes:
    """Read a file, no more of it than may come in."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DeliveryError(
            "OWN_FILE_READ", f"'{path}' cannot be read ({error.strerror}); name another file"
        ) from error
