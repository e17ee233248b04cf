"""Log-in: what the workbench asks of everybody, whoever vouches for them. Who vouches stands in `vouching/`."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub.auth import Authenticator
from traitlets import Integer, Unicode

from enclave.errors import PermissionDenied, UserError
from enclave.sandbox.directory import Directory, Member
from enclave.sandbox.notices import Event, Notices, Once
from hub_config import pages
from hub_config.doors import Doors
from hub_config.refusals import Refusal
from hub_config.words import accepted_text, read_words

ROLE, PROJECT = "role-", "project-"
ACCEPTED = "accepted"
"""What a form says of a ban that was ticked."""


def groups_of(member: Member) -> list[str]:
    """Return the hub's groups for somebody: one for each role and one for each project."""
    return sorted({f"{ROLE}{role}" for role in member.roles} | {f"{PROJECT}{project}" for project in member.projects})


class HouseLogIn(Authenticator):
    """Lets in whom somebody vouches for, who is enrolled, accepts the ban and is noted; nobody is an admin.

    Groups come from the directory alone, whatever else is known about somebody. No account is kept.
    """

    asks_password: ClassVar[bool] = True
    """Whether the log-in page asks for name and password."""

    directory = Unicode(help="The file that says who has which roles and projects.").tag(config=True)
    wrong_passwords = Integer(5, help="So many close the door for `pause_s`.").tag(config=True)
    pause_s = Integer(300, help="How long the door stays closed, in seconds.").tag(config=True)
    notices = Unicode(help="The folder for what belongs into the audit log.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.doors = Doors(self.wrong_passwords, self.pause_s)
        self._news = Once(self.pause_s)
        self.log.addFilter(without_typed_names)

    def brought(self, handler: Any, data: Mapping[str, str]) -> Mapping[str, str]:
        """Return what somebody brought to the log-in, among it `ban` as they ticked it; UserError for none of that."""
        return data

    async def vouched(self, brought: Mapping[str, str]) -> str | None:
        """Return the account that is vouched for, None where it is not; UserError where a sentence tells more."""
        raise NotImplementedError

    async def authenticate(self, handler: Any, data: Mapping[str, str]) -> dict[str, Any] | None:
        """Return who this is, or None for a wrong name or password; Refusal for whatever else is in the way."""
        typed, address = data.get("username", ""), handler.request.remote_ip
        try:
            self.doors.require_open(typed, address)
            brought = self.brought(handler, data)
            require_accepted(brought)
            self._house()
            account = await self.vouched(brought)
            member = self._enrolled(account) if account else None
        except UserError as error:
            raise await self.refusal(error, typed, address) from error
        if account is None or member is None:
            self.doors.note_wrong(typed, address)
            await self._note_refused(typed, "WRONG_PASSWORD")
            return None
        await self._note_log_in(account)
        self.doors.note_right(typed)
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

    async def refusal(self, error: UserError, account: str, address: str) -> Refusal:
        """Note an error for the audit log, once in a while for an address, and return it as people see it."""
        if self._news.is_news(error.code, address):
            await self._note_refused(account, error.code)
        return Refusal(error)

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

    def _enrolled(self, account: str) -> Member:
        """Return who has this account, spelt exactly so: the hub would fold capitals, and take two for one."""
        member = self._member(account) if account == self.normalize_username(account) else None
        if member is None:
            raise PermissionDenied("UNKNOWN_ACCOUNT", "this account is not enrolled (any more); ask a steward")
        return member

    def _member(self, account: str) -> Member | None:
        return self._house().accounts.get(account)

    def _house(self) -> Directory:
        directory = Directory.read(Path(self.directory))
        if directory.synthetic is not True:
            raise PermissionDenied(
                "SYNTHETIC_ONLY", "this is the trial stage: only houses of made-up data open; use such a house"
            )
        return directory


class PasswordLogIn(HouseLogIn):
    """People who type name and password on our own page."""

    def is_right(self, account: str, password: str) -> bool:
        """Say whether this is the account's password; it may block. SetupError where nobody can be asked."""
        raise NotImplementedError

    async def vouched(self, brought: Mapping[str, str]) -> str | None:
        """Return the account if its password is right. An empty one, or a zero byte that ends it early, never is."""
        account, password = brought.get("username", ""), brought.get("password", "")
        if not account or not password or "\0" in account + password:
            return None
        return account if await asyncio.to_thread(self.is_right, account, password) else None


def without_typed_names(record: logging.LogRecord) -> bool:
    """Take what somebody typed as their name out of the hub's own log: people type passwords there."""
    if str(record.msg).startswith("Failed login for"):
        record.args = ("somebody",)
    return True


def require_accepted(brought: Mapping[str, str]) -> None:
    """Refuse whoever did not tick the ban on re-identification."""
    if brought.get("ban") != ACCEPTED:
        raise PermissionDenied(
            "BAN_NOT_ACCEPTED", "whoever logs in accepts the ban on re-identification; tick it, and try again"
        )
