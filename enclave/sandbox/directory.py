"""The directory: who has which account, roles and projects, as one file without secrets. The gateway writes it.

Hub and launcher read it anew at every decision, so that a change counts at once and needs no restart.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.errors import PermissionDenied, SetupError

FORMAT = "directory/2"
MAX_BYTES = 4 * 1024 * 1024
LANGUAGES = ("nl", "fr", "en")


@dataclass(frozen=True, slots=True)
class Member:
    """Who an account belongs to."""

    person: str
    roles: frozenset[str]
    projects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Directory:
    """All accounts, the titles of the projects, whether data are made up, and whether the vault is open.

    `closed` are the projects whose term of retention is over, `destroyed` those of which nothing is left.
    """

    synthetic: bool
    vault_open: bool
    accounts: Mapping[str, Member]
    projects: Mapping[str, Mapping[str, str]]
    closed: frozenset[str]
    destroyed: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> "Directory":
        """Read the file; SetupError where it is missing, not a plain file, or not of this format."""
        try:
            return _parse(json.loads(_plain_file(path)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the directory '{path}' is missing or damaged; start the gateway, which writes it"
            raise SetupError("DIRECTORY", message) from error

    def write(self, path: Path) -> None:
        """Put the file in place at once: a reader sees the old or the new one, never a part."""
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(self._plain(), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o644)
        fresh.replace(path)

    def check_server(self, account: str, project: str) -> None:
        """Let only members have a server of a project, and only where all data are made up."""
        if self.synthetic is not True:
            raise PermissionDenied(
                "SYNTHETIC_ONLY", "this is the trial stage: only projects of made-up data open; use such a house"
            )
        if project not in self.projects:
            raise PermissionDenied("UNKNOWN_PROJECT", "there is no such project here; choose one from your list")
        member = self.accounts.get(account)
        if member is None:
            raise PermissionDenied("UNKNOWN_ACCOUNT", "this account is not enrolled (any more); ask a steward")
        if project not in member.projects:
            raise PermissionDenied("NOT_ON_PROJECT", "you are not, or no longer, on this project; ask its steward")
        if project in self.closed:
            raise PermissionDenied(
                "RETENTION_PASSED", "the day until which the data of this project may be used is here; it is closed"
            )

    def check_start(self, account: str, project: str) -> None:
        """Let members start a server, unless the vault is locked: then every project is closed."""
        self.check_server(account, project)
        if not self.vault_open:
            raise PermissionDenied(
                "VAULT_LOCKED", "the vault is locked, so all projects are closed; ask the key holder to unlock it"
            )

    def _plain(self) -> dict[str, Any]:
        accounts = {
            account: {"person": one.person, "roles": sorted(one.roles), "projects": sorted(one.projects)}
            for account, one in self.accounts.items()
        }
        projects = {project: dict(title) for project, title in self.projects.items()}
        return {
            "format": FORMAT,
            "synthetic": self.synthetic,
            "vault_open": self.vault_open,
            "accounts": accounts,
            "projects": projects,
            "closed": sorted(self.closed),
            "destroyed": sorted(self.destroyed),
        }


def _plain_file(path: Path) -> bytes:
    """Read a file that another user wrote: no links, no pipes, no more than is sensible."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a plain file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("too long")
    return data


def _parse(found: Any) -> Directory:
    if found["format"] != FORMAT or type(found["synthetic"]) is not bool or type(found["vault_open"]) is not bool:
        raise ValueError("another format")
    accounts = {account: _member(entry) for account, entry in found["accounts"].items()}
    projects = {project: {tag: str(title[tag]) for tag in LANGUAGES} for project, title in found["projects"].items()}
    return Directory(
        found["synthetic"],
        found["vault_open"],
        accounts,
        projects,
        frozenset(map(str, found["closed"])),
        frozenset(map(str, found["destroyed"])),
    )


def _member(entry: Any) -> Member:
    return Member(str(entry["person"]), frozenset(map(str, entry["roles"])), frozenset(map(str, entry["projects"])))
