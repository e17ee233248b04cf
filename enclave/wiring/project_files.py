"""Keeps the register's memberships as the project files say, while the house is open, without a restart.

A file decides who is on its project; roles and training stay the register's, and nobody gets a role from a file. One
that is wrong changes nothing: the members stay as they were, and the reason is logged and told. A project without a
file is the register's alone, and a file that is taken away leaves its members where they are.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import EnclaveError, PolicyError, SetupError
from enclave.gateway.canonical import is_name, sha256
from enclave.gateway.log_entry import SYSTEM, LogAction, LogDraft
from enclave.gateway.permissions import Person
from enclave.policy.project import ProjectFile, load_project
from enclave.wiring.house import House

FOLDER = "projects"
MOST_BYTES = 256 * 1024
LONGEST_LINE = 600
_Seen = tuple[int, int, int]


@dataclass
class _File:
    """What was found at one path: its state on disk, and what it says, or why it says nothing."""

    seen: _Seen
    digest: str = ""
    content: ProjectFile | None = None
    refusal: EnclaveError | None = None
    logged: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file stands: it holds, or `code` and `reasons` say why it changes nothing."""

    name: str
    code: str = ""
    reasons: tuple[str, ...] = ()


class ProjectFiles:
    """The project files of one house. Call `look` again and again."""

    def __init__(self, house: House) -> None:
        """Know the house; nothing is read yet."""
        self._house, self._folder = house, house.settings.policies / FOLDER
        self._files: dict[str, _File] = {}
        self._settling: dict[str, _Seen] = {}
        self._first = True

    def look(self) -> None:
        """Read what changed, and put the register right where it differs from a file."""
        self._read_changed()
        people = self._house.register.everybody()
        for name, file in self._files.items():
            if file.content is None:
                self._note_refusal(name, file, file.refusal)
                continue
            try:
                self._apply(file, file.content, people)
            except PolicyError as refusal:
                self._note_refusal(name, file, refusal)
            else:
                file.refusal = file.logged = None
        self._first = False

    def states(self) -> list[FileState]:
        """Tell for each file whether it holds, and if not, why."""
        return [_state(name, file.refusal) for name, file in sorted(self._files.items())]

    def lines(self) -> list[str]:
        """Tell the same, one line each."""
        return [_line(state)[:LONGEST_LINE] for state in self.states()]

    def _read_changed(self) -> None:
        """Read files that changed and then stayed the same for a look, so that no half-written one counts."""
        paths = {path.name: path for path in self._folder.glob("*.yaml")}
        for name, path in paths.items():
            seen = _seen(path)
            known = self._files.get(name)
            settled = self._first or self._settling.get(name) == seen
            self._settling[name] = seen
            if settled and (known is None or known.seen != seen):
                self._files[name] = self._read(path, seen)
        for name in set(self._files) - set(paths):
            gone = SetupError("PROJECT_FILE_GONE", "the file is gone, so the members stay as they were; put it back")
            file = self._files[name]
            file.seen, file.content, file.refusal = (0, 0, 0), None, gone

    def _read(self, path: Path, seen: _Seen) -> _File:
        file = _File(seen)
        try:
            data = _content(path)
            file.digest = sha256(data)
            file.content = load_project(path.name, data.decode())
            self._house.reference.any_policy_file(self._house.settings.policies / f"{file.content.policy}.yaml")
        except EnclaveError as refusal:
            file.content, file.refusal = None, refusal
        except (OSError, UnicodeDecodeError):
            file.refusal = SetupError(
                "PROJECT_FILE", "cannot be read as UTF-8 text by the gateway's user; mend rights or content"
            )
        return file

    def _apply(self, file: _File, content: ProjectFile, people: tuple[Person, ...]) -> None:
        """Make the register's members those of the file; PolicyError where somebody in it may not be one."""
        owners = {account: person for person in people for account in person.accounts}
        for account, role in content.roles.items():
            _check(content.project, account, role, owners)
        members = frozenset(owners[account].id for account in content.roles)
        if members != {person.id for person in people if content.project in person.projects}:
            self._house.register.set_members(content.project, members, SYSTEM, file.digest)

    def _note_refusal(self, name: str, file: _File, refusal: EnclaveError | None) -> None:
        """Log once why a file changes nothing."""
        if refusal is None:
            return
        file.refusal = refusal
        if file.logged != (file.digest, refusal.code):
            project = name.removesuffix(".yaml")
            details = {"code": refusal.code} | ({"file": file.digest} if file.digest else {})
            subject = project if is_name(project) else FOLDER
            self._house.book.record(LogDraft(SYSTEM, LogAction.PROJECT_FILE_REFUSED, subject, details))
            file.logged = (file.digest, refusal.code)


def _state(name: str, refusal: EnclaveError | None) -> FileState:
    return FileState(name) if refusal is None else FileState(name, refusal.code, tuple(refusal.message.splitlines()))


def _line(state: FileState) -> str:
    if not state.code:
        return f"projects/{state.name}: decides who is on the project"
    return f"projects/{state.name}: changes nothing: {state.code}: {'; '.join(state.reasons)}"


def _check(project: str, account: str, role: str, owners: Mapping[str, Person]) -> None:
    person = owners.get(account)
    if person is None:
        raise PolicyError(
            "PROJECT_ACCOUNT",
            f"{project}.yaml, groups.{role}: account {account} belongs to nobody here; enrol the person, or remove it",
        )
    if role not in person.roles:
        raise PolicyError(
            "PROJECT_ROLE",
            f"{project}.yaml, groups.{role}: {account} does not hold this role; a steward gives roles, no file does",
        )


def _seen(path: Path) -> _Seen:
    """Return what changes when a file does; zeros where it is gone."""
    try:
        found = path.lstat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _content(path: Path) -> bytes:
    """Return a plain file that not everybody may write: whoever writes it says who is a member."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & stat.S_IWOTH:
            raise SetupError("PROJECT_FILE_OPEN", "must be a plain file that not everybody may write; chmod o-w it")
        if found.st_size > MOST_BYTES:
            raise SetupError("PROJECT_FILE", "is longer than any list of members; correct it")
        return os.read(descriptor, MOST_BYTES)
    finally:
        os.close(descriptor)
