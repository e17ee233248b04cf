"""Log-in of the made-up users, and what the directory says about whoever is logged in."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Integer, Unicode

from enclave.errors import PermissionDenied, UserError
from enclave.sandbox.directory import Directory, Member
from enclave.sandbox.notices import Event, Notices, Once
from enclave.wiring.workbench import passwords
from hub_config import pages
from hub_config.refusals import Refusal
from hub_config.words import accepted_text, read_words

ROLE, PROJECT = "role-", "project-"


def groups_of(member: Member) -> list[str]:
    """Return the hub's groups for somebody: one for each role and one for each project."""
    return sorted({f"{ROLE}{role}" for role in member.roles} | {f"{PROJECT}{project}" for project in member.projects})


class MadeUpUsers(Authenticator):
    """Passwords from the accounts file, groups from the directory; nobody is an admin, and no account is kept."""

    accounts = Unicode(help="Hashes of the made-up users' passwords.").tag(config=True)
    directory = Unicode(help="The file that says who has which roles and projects.").tag(config=True)
    wrong_passwords = Integer(5, help="So many close the door for `pause_s`.").tag(config=True)
    pause_s = Integer(300, help="How long the door stays closed, in seconds.").tag(config=True)
    notices = Unicode(help="The folder for what belongs into the audit log.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.doors = Doors(self.wrong_passwords, self.pause_s)
        self._closed_doors = Once(self.pause_s)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Return who this is, or None for a wrong name or password; Refusal where the door is closed."""
        account, address = data.get("username", ""), handler.request.remote_ip
        try:
            self.doors.require_open(account, address)
            _require_accepted(data)
            member = self._member(account)
            right = await asyncio.to_thread(passwords.is_right, Path(self.accounts), account, data.get("password", ""))
        except UserError as error:
            if self._closed_doors.is_news(error.code, address):
                await self._note_refused(account, error.code)
            raise Refusal(error) from error
        if not right or member is None:
            self.doors.note_wrong(account, address)
            await self._note_refused(account, "WRONG_PASSWORD")
            return None
        await self._note_log_in(account)
        self.doors.note_right(account)
        return {"name": account, "groups": groups_of(member), "admin": False}

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """Give somebody the groups of this moment; log out whoever is no longer enrolled."""
        try:
            member = self._member(user.name)
        except UserError:
            return True  # no directory for a moment: nothing new is known
        return {"name": user.name, "groups": groups_of(member), "admin": False} if member else False

    async def check_allowed(self, username: str, authentication: dict[str, Any] | None) -> bool:
        """Let in whoever is enrolled."""
        return self._member(username) is not None

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Put the workbench's pages before JupyterHub's own."""
        return pages.HANDLERS

    async def _note_log_in(self, account: str) -> None:
        """Note a log-in, and the text that was accepted, for the audit log: without that nobody gets in."""
        details = {"account": account, "accepted": accepted_text(read_words())}
        try:
            await asyncio.to_thread(Notices(Path(self.notices)).write, Event.LOGGED_IN, **details)
        except UserError as error:
            raise Refusal(error) from error

    async def _note_refused(self, account: str, code: str) -> None:
        """Note a failed log-in. A name that is nobody's account is left out: people type passwords there."""
        try:
            known = account in Directory.read(Path(self.directory)).accounts
        except UserError:
            known = False
        details = {"code": code, "account": account if known else ""}
        await asyncio.to_thread(Notices(Path(self.notices)).write_if_possible, Event.LOG_IN_REFUSED, **details)

    def _member(self, account: str) -> Member | None:
        directory = Directory.read(Path(self.directory))
        if directory.synthetic is not True:
            raise PermissionDenied(
                "SYNTHETIC_ONLY", "this is the trial stage: only houses of made-up data open; use such a house"
            )
        return directory.accounts.get(account)


def _require_accepted(data: dict[str, str]) -> None:
    """Refuse whoever did not tick the ban on re-identification."""
    if data.get("ban") != "accepted":
        raise PermissionDenied(
            "BAN_NOT_ACCEPTED", "whoever logs in accepts the ban on re-identification; tick it, and try again"
        )


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
        """Count a wrong password."""
        for key in _keys(account, address):
            moments = self._wrong[key]
            moments.append(self._clock())
            del moments[: -self._most * ADDRESS_FACTOR]
        if len(self._wrong) > MOST_KEYS:
            self._wrong.pop(next(iter(self._wrong)))

    def note_right(self, account: str) -> None:
        """Forget the wrong ones of an account that got in."""
        self._wrong.pop(f"account {account}", None)


ADDRESS_FACTOR = 4
"""An address may be shared by several people."""
MOST_KEYS = 10_000


def _keys(account: str, address: str) -> tuple[str, str]:
    return f"account {account[:100]}", f"address {address}"
