"""`python -m enclave.web --root DIR`: serve the pages and the interface of a workbench until told to stop."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_unix_socket

from enclave.errors import EnclaveError
from enclave.web.application import check_house, server
from enclave.web.callers import CallerSockets
from enclave.web.hub_identity import HubIdentity
from enclave.web.services import Services, aside
from enclave.web.settings import ISOLATED, WebSettings, check_socket_path
from enclave.wiring.house import House, open_house
from enclave.wiring.keys.home_keys import serve_home_keys
from enclave.wiring.keys.operator_client import OPERATOR_SOCKET
from enclave.wiring.keys.operator_socket import serve_operator_socket
from enclave.wiring.notices import NoticeDesk
from enclave.wiring.project_files import ProjectFiles
from enclave.wiring.workbench.directory import DirectoryKeeper

ANYBODY_MAY_CONNECT = 0o666
"""The mode of the pages' socket: whoever may not even ask is kept out by its folder."""

DIRECTORY_EVERY_MS = 1000
"""How often the file for hub and launcher is compared with the register."""

NOTICES_EVERY_MS = 1000
"""How often notices of other parts are taken into the audit log."""

CALLERS_EVERY_MS = 200
"""How often the launcher's list of callers is read: a kernel that starts waits for its socket."""


@click.command()
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of the workbench.")
def main(root: Path) -> None:
    """Serve pages and interface of the workbench below ROOT."""
    settings = WebSettings(root.resolve())
    try:
        check_socket_path(settings.socket)
        token = settings.token()
        with open_house(settings.house) as house:
            check_house(house)
            asyncio.run(_serve(settings, house, token))
    except EnclaveError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    sys.stderr.flush()
    os._exit(0)  # work that is under way would be waited for; it is on disk, and taken up at the next start


async def _serve(settings: WebSettings, house: House, token: str) -> None:
    """Listen until a signal comes."""
    identity, secret = HubIdentity(settings, token), settings.cookie_secret()
    isolated = os.environ.get(ISOLATED) == "1"
    services = Services.of(house, identity, secret, settings.prefix, isolated=isolated)
    listening = server(services)
    settings.socket.parent.mkdir(parents=True, exist_ok=True)
    listening.add_socket(bind_unix_socket(str(settings.socket), mode=ANYBODY_MAY_CONNECT))
    operator = await serve_operator_socket(house, settings.socket.with_name(OPERATOR_SOCKET), services.state_lines)
    keys = await serve_home_keys(house, settings.home_keys) if isolated else None
    services.jobs.start()
    keeper = DirectoryKeeper(house, settings.directory)
    notices = NoticeDesk(house, settings.notices)
    PeriodicCallback(lambda: aside(notices.look), NOTICES_EVERY_MS).start()
    PeriodicCallback(lambda: aside(_keep_members, services.projects, keeper), DIRECTORY_EVERY_MS).start()
    PeriodicCallback(services.desk.forget_if_locked, DIRECTORY_EVERY_MS).start()
    kernels = CallerSockets(services, settings.callers)
    kernels.look()
    PeriodicCallback(kernels.look, CALLERS_EVERY_MS).start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    click.echo(f"gateway: listening on {settings.socket}", err=True)
    await stop.wait()
    operator.close()
    if keys is not None:
        keys.close()
    kernels.close()
    listening.stop()


def _keep_members(projects: ProjectFiles, keeper: DirectoryKeeper) -> None:
    """Bring the register to what the project files say, and the directory to what the register says."""
    try:
        projects.look()
    finally:
        keeper.look()


if __name__ == "__main__":
    main()
