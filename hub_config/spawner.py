"""Starts notebook servers through the launcher, which alone can: the hub has no rights of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from jupyterhub.objects import Server
from jupyterhub.spawner import Spawner
from traitlets import Unicode

from enclave.errors import PermissionDenied, SetupError, UserError
from enclave.sandbox.client import Entry, ask
from enclave.sandbox.directory import Directory
from enclave.sandbox.environment import FROM_HUB, socket_url
from enclave.sandbox.notices import Event, Notices, Once
from hub_config.refusals import Refusal

PAUSE_S = 0.1
LOOK_AGAIN_S = 1.0
"""How often the launcher is asked whether a server that does not listen yet still runs."""
REFUSALS = Once(60.0)
"""The same refusal again within a minute is no further notice."""
ENDED = 1


class LauncherSpawner(Spawner):
    """One server of one project. Whether somebody may have it is looked up at every start and every poll."""

    launcher_socket = Unicode(help="Where the launcher listens.").tag(config=True)
    directory = Unicode(help="The file that says who is on which project.").tag(config=True)
    notices = Unicode(help="The folder for what belongs into the audit log.").tag(config=True)

    socket = ""

    @property
    def server(self) -> Server | None:
        """The server; JupyterHub would add a port to a socket's URL, and the proxy would look for `nb.sock:80`."""
        server = super().server
        if server is not None and self.socket:
            server.connect_url = socket_url(Path(self.socket))
        return server

    @server.setter
    def server(self, server: Server | None) -> None:
        Spawner.server.fset(self, server)

    async def start(self) -> str:
        """Start the server; whoever may not have it gets a sentence."""
        try:
            await self._check()
            self.socket = (await self._start()).socket
            await self._until_it_listens()
        except UserError as error:
            raise Refusal(error) from error
        return socket_url(Path(self.socket))

    async def poll(self) -> int | None:
        """Return None while the server runs. A launcher that does not answer ended nothing: servers outlive it."""
        try:
            (entry,) = await self._ask("poll")
        except UserError as error:
            self.log.warning("%s: the launcher refused to tell (%s)", self._log_name, error.code)
            return None
        except OSError:
            return None
        if entry.running:
            self.socket = entry.socket
            return None
        if entry.reason:
            self.log.warning("%s: ended (%s)", self._log_name, entry.reason)
        return ENDED

    async def stop(self, now: bool = False) -> None:
        """Stop the server and return when it is gone."""
        await self._ask("stop")
        while await self.poll() is None:  # noqa: ASYNC110  the end happens in another process
            await asyncio.sleep(PAUSE_S)

    def get_state(self) -> dict[str, Any]:
        """Keep the socket for a hub that starts again."""
        state: dict[str, Any] = super().get_state()
        return state | ({"socket": self.socket} if self.socket else {})

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the socket back."""
        super().load_state(state)
        self.socket = state.get("socket", "")

    def clear_state(self) -> None:
        """Forget the socket."""
        super().clear_state()
        self.socket = ""

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Tell how far the start is; the page has the words."""
        yield {"progress": 20, "message": "asking the launcher"}
        while not self.socket:  # noqa: ASYNC110  JupyterHub tells nobody when `start` is through
            await asyncio.sleep(PAUSE_S)
        yield {"progress": 50, "message": "the server starts"}

    async def _check(self) -> None:
        """Refuse what the launcher would refuse, in the person's sight; what the launcher refuses, it notes itself."""
        project = ""
        try:
            if not self.name:
                raise PermissionDenied("NO_UNNAMED", "choose a project: there is no server without one")
            directory = Directory.read(Path(self.directory))
            project = self.name if self.name in directory.projects else ""
            directory.check_start(self.user.name, self.name)
        except UserError as refusal:
            if REFUSALS.is_news(self.user.name, self.name, refusal.code):
                details = {"code": refusal.code, "account": self.user.name, "project": project}
                await asyncio.to_thread(Notices(Path(self.notices)).write_if_possible, Event.SERVER_REFUSED, **details)
            raise

    async def _start(self) -> Entry:
        environment = {name: value for name, value in self.get_env().items() if name in FROM_HUB}
        try:
            (entry,) = await self._ask("start", environment=environment)
        except UserError as error:
            if error.code != "SERVER_RUNS":
                raise
            await self.stop()  # a server that this hub knows nothing of, with tokens that no longer hold
            (entry,) = await self._ask("start", environment=environment)
        return entry

    async def _until_it_listens(self) -> None:
        """Return as soon as the server takes connections; SetupError SERVER_ENDED where it is gone before it does.

        JupyterHub waits for it too, but looks at ever longer intervals, and so would see it seconds too late; and it
        would wait a minute for one that has ended. How long a start may take at all is JupyterHub's `start_timeout`.
        """
        while await self.poll() is None:
            for _ in range(int(LOOK_AGAIN_S / PAUSE_S)):
                if await _listens(self.socket):
                    return
                await asyncio.sleep(PAUSE_S)
        raise SetupError("SERVER_ENDED", "the server ended while it was starting; try again, then tell the operator")

    async def _ask(self, operation: str, **more: Any) -> list[Entry]:
        return await ask(
            Path(self.launcher_socket),
            {"operation": operation, "account": self.user.name, "project": self.name, **more},
        )


async def _listens(path: str) -> bool:
    """Whether somebody takes connections there."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
