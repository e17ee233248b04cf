"""The workbench's own pages of the hub: log-in, projects, and a word on tokens."""

import asyncio
from pathlib import Path
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler, LogoutHandler
from jupyterhub.handlers.pages import SpawnPendingHandler
from jupyterhub.handlers.static import CacheControlStaticFilesHandler
from tornado import web

from enclave.errors import PermissionDenied, UserError
from enclave.sandbox.directory import Directory
from enclave.sandbox.notices import Event, Notices
from hub_config.refusals import Refusal
from hub_config.words import LANGUAGE_COOKIE, LANGUAGES
from hub_config.workbench import layout

LOOK = Path(__file__).resolve().parent / "look"


def keep_language(handler: BaseHandler) -> None:
    """Remember the language that somebody chose by a link."""
    chosen = handler.get_query_argument("lang", "")
    if chosen in LANGUAGES:
        handler.set_cookie(LANGUAGE_COOKIE, chosen, path="/", secure=True, samesite="Lax", expires_days=365)


class WorkbenchLogin(LoginHandler):
    """The log-in page; what went wrong is told by a code that the page has words for."""

    async def get(self) -> None:
        """Show the page."""
        keep_language(self)
        await super().get()

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        exception = more.get("exception")
        code = exception.code if isinstance(exception, Refusal) else "WRONG_PASSWORD" if login_error else ""
        return super()._render(login_error=login_error, username=username, login_code=code, **more)


class WorkbenchLogout(LogoutHandler):
    """Log-out, noted for the audit log."""

    async def default_handle_logout(self) -> None:
        """End the session of whoever is logged in."""
        user = self.current_user
        await super().default_handle_logout()
        if user:
            notices = Notices(layout().notices("hub"))
            await asyncio.to_thread(notices.write_if_possible, Event.LOGGED_OUT, account=user.name)

    async def render_logout_page(self) -> None:
        """Say that the session has ended, and offer the log-in, instead of showing the log-in without a word."""
        keep_language(self)
        self.finish(await self.render_template("logout.html"))


class Projects(BaseHandler):
    """The home page: the person's projects with their servers; for operators, whatever runs."""

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        keep_language(self)
        user = self.current_user
        try:
            directory = Directory.read(layout().directory)
        except UserError as error:
            raise Refusal(error) from error
        member = directory.accounts.get(user.name)
        mine = sorted(member.projects & set(directory.projects)) if member else []
        html = await self.render_template(
            "home.html",
            user=user,
            roles=sorted(member.roles) if member else [],
            vault_open=directory.vault_open,
            projects=[(project, directory.projects[project], _state(user, project)) for project in mine],
            running=self._running() if "read:servers" in self.expanded_scopes else None,
        )
        self.finish(html)

    def _running(self) -> list[tuple[str, str]]:
        return sorted(
            (user.name, spawner.name)
            for user in self.users.values()
            for spawner in user.spawners.values()
            if spawner.active and spawner.name
        )


class Pending(SpawnPendingHandler):
    """Where people wait for a start or a stop. Who looks again after the stop is led back to the projects."""

    @web.authenticated
    async def get(self, user_name: str, server_name: str) -> None:
        """Show how far it is."""
        user = self.current_user
        if user_name == user.name and server_name not in user.spawners:
            self.redirect(f"{self.hub.base_url}home")
            return
        await super().get(user_name, server_name)


class NoTokens(BaseHandler):
    """People get no tokens: programs that act for them would act from anywhere."""

    @web.authenticated
    def get(self) -> None:
        """Refuse."""
        raise Refusal(PermissionDenied("NO_TOKENS", "the workbench gives no tokens to people; use the browser"))


def _state(user: Any, project: str) -> str:
    spawner = user.spawners.get(project)
    if spawner is None:
        return "stopped"
    return "running" if spawner.ready else "pending" if spawner.pending else "stopped"


HANDLERS: list[tuple[Any, ...]] = [
    (r"/login", WorkbenchLogin),
    (r"/logout", WorkbenchLogout),
    (r"/home", Projects),
    (r"/spawn-pending/([^/]+)/([^/]+)", Pending),
    (r"/token", NoTokens),
    (r"/look/(.*)", CacheControlStaticFilesHandler, {"path": str(LOOK)}),
]
