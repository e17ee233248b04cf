"""Takes notices of hub, launcher, front, door and supervisor into the audit log, and removes them.

Whose notice it is, the kernel says: only its part can make files of its user in its folder. A part can so say what it
likes of itself, in the words that are its own, and nothing under another's name. A notice is removed after its entry is
durable; one that a crash left behind is known by its name in the log, and makes no second entry.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from enclave.errors import EnclaveBug
from enclave.gateway.log_entry import NOTICE_ID, SYSTEM, LogAction, LogDraft
from enclave.ledger import log_reading
from enclave.policy.base import Model
from enclave.wiring.house import House

MAY_SAY: Mapping[str, frozenset[LogAction]] = MappingProxyType(
    {
        "hub": frozenset(
            {LogAction.LOGGED_IN, LogAction.LOG_IN_REFUSED, LogAction.LOGGED_OUT, LogAction.SERVER_REFUSED}
        ),
        "launcher": frozenset(
            {LogAction.SERVER_STARTED, LogAction.SERVER_ENDED, LogAction.SERVER_REFUSED, LogAction.KERNEL_REFUSED}
        ),
        "front": frozenset({LogAction.CONNECTION_REFUSED}),
        "door": frozenset({LogAction.HUB_CALL_REFUSED}),
        "supervisor": frozenset(
            {
                LogAction.WORKBENCH_STARTED,
                LogAction.WORKBENCH_STOPPED,
                LogAction.WORKBENCH_REFUSED,
                LogAction.PART_ENDED,
            }
        ),
    }
)
"""Each part's words: what it can know."""

AT_ONCE = 20
"""So many of a part are taken in one look; the others wait, so that no part can fill the log in a moment."""
MOST_BYTES = 4096
_SEEN = 10_000
_FILE = re.compile(f"({NOTICE_ID})\\.json")


class _Notice(Model):
    format: Literal["notice/1"]
    at: str
    event: LogAction
    details: Mapping[str, str | Annotated[tuple[str, ...], Field(max_length=AT_ONCE)]]


class _RefusedError(Exception):
    """Why a notice is none: a code."""


class NoticeDesk:
    """Looks into the folders of all parts; one desk serves a house."""

    def __init__(self, house: House, folder: Path) -> None:
        """Know house and folder; nothing is taken in yet."""
        self._house, self._folder = house, folder
        self._unsure = set(MAY_SAY)  # of these parts the log must be asked whether it holds a notice already
        self._appended: set[str] = set()
        self._immovable: set[Path] = set()

    def look(self) -> None:
        """Take in what lies there. Raises what the book raises; then nothing is lost, and the next look goes on."""
        for part in MAY_SAY:
            waiting = [path for path in _waiting(self._folder / part) if path not in self._immovable]
            if waiting:
                self._take(part, waiting[:AT_ONCE])
            if len(waiting) <= AT_ONCE:
                self._unsure.discard(part)

    def _take(self, part: str, paths: list[Path]) -> None:
        accounts = frozenset(name for person in self._house.register.everybody() for name in person.accounts)
        drafts = [draft for path in paths if (draft := _draft(part, path, accounts)) is not None]
        try:
            self._append(part, drafts)
        except BaseException:
            self._unsure.add(part)  # a commit may have come through all the same
            raise
        for path in paths:
            self._remove(path)

    def _append(self, part: str, drafts: Iterable[LogDraft]) -> None:
        ids = [str(draft.details["notice"]) for draft in drafts if "notice" in draft.details]
        with self._house.book.connection() as connection:
            known = set(self._appended)
            if part in self._unsure:
                known |= log_reading.notices_taken(connection, ids)
            for draft in drafts:
                if draft.details.get("notice") not in known:
                    self._house.book.audit.append(connection, draft)
        self._appended.update(ids)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # a folder, say: it was refused once, and is not looked at again
            self._immovable.add(path)
        else:
            self._appended.discard(path.stem)


def _waiting(folder: Path) -> list[Path]:
    """Return what lies in a folder, oldest first; what begins with a dot is being written."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, _SEEN) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names)]


def _draft(part: str, path: Path, accounts: Collection[str]) -> LogDraft | None:
    """Return the entry for a notice, or for its refusal; None where it is gone."""
    try:
        return _entry(part, path, accounts)
    except FileNotFoundError:
        return None
    except _RefusedError as refusal:
        return LogDraft(SYSTEM, LogAction.NOTICE_REFUSED, part, {"part": part, "code": str(refusal)})


def _entry(part: str, path: Path, accounts: Collection[str]) -> LogDraft:
    name = _FILE.fullmatch(path.name)
    if name is None:
        raise _RefusedError("NOTICE_NAME")
    try:
        notice = _Notice.model_validate_json(_content(path))
    except ValidationError as error:
        raise _RefusedError("NOTICE_FORM") from error
    if notice.event not in MAY_SAY[part]:
        raise _RefusedError("NOTICE_NOT_ITS_OWN")
    details = dict(notice.details)
    if details.get("account") not in accounts:  # a word that somebody typed is no account
        details.pop("account", None)
    try:
        return LogDraft(
            part, notice.event, _subject(details, part), details | {"notice": name[1], "noted_at": notice.at}
        )
    except EnclaveBug as error:
        raise _RefusedError("NOTICE_FORM") from error


def _content(path: Path) -> bytes:
    """Return a plain file of the folder's owner: no link, no pipe, nobody else's, no more than a notice needs."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _RefusedError("NOTICE_FILE") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != path.parent.stat().st_uid or found.st_size > MOST_BYTES:
            raise _RefusedError("NOTICE_FILE")
        return os.read(descriptor, MOST_BYTES)
    finally:
        os.close(descriptor)


def _subject(details: Mapping[str, object], part: str) -> str:
    """Return what an entry is about: the project, else the account, else the part that ended or speaks."""
    return str(next((details[name] for name in ("project", "account", "part") if name in details), part))
