"""The folders of a server and its kernels, each with the one who owns it and the ones who may enter."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.homes import clear_view
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.settings import Settings


@dataclass(frozen=True, slots=True)
class Between:
    """What stands between a server and its kernels: the files of connections, and the sockets of ZMQ."""

    connections: Path
    channels: Path


class Folders:
    """Makes folders, and says where they are. Parents are root's, so nobody can put a link in their place."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def home(self, key: ServerKey, server: int) -> Path:
        """Return the home of a person in a project: the clear view of an open one, or without root a plain folder."""
        if self._settings.as_root:
            return clear_view(self._settings, server)
        project = self._own(self._settings.homes / key.project, 0, 0, 0o711)
        return self._own(project / key.account, server, server, 0o700)

    def own_files(self, project: str) -> Path:
        """Return the folder of what was brought to a project; whoever owns the house writes it, kernels read it."""
        owner = self._settings.gateway_uid
        for folder in (self._settings.own_files, self._settings.own_files / project):
            if folder.is_symlink():
                raise SetupError("OWN_FILES", f"'{folder}' is a link; remove it, and start the server again")
            self._own(folder, owner, owner, 0o755)
        return self._settings.own_files / project

    def server(self, server: int) -> Path:
        """Return the folder that holds the server's socket: the front may enter, other servers may not."""
        return self._own(self._settings.run / str(server), server, self._settings.front_gid, 0o2750)

    def caller(self, server: int, kernel: int) -> Path:
        """Return the folder in which the gateway listens to these kernels, whose group alone may enter."""
        return self._own(self._settings.callers / str(kernel), self._settings.gateway_uid, server, 0o2750)

    def orders(self, server: int) -> Path:
        """Return the folder in which the launcher hears this server about its kernels; its sandbox alone sees it."""
        return self._own(self._settings.orders / str(server), 0, server, 0o750)

    def between(self, server: int, kernel: int) -> Between:
        """Return the folders that a server and its kernels share: the first is written by the server alone."""
        whole = self._own(self._settings.between / str(server), 0, server, 0o750)
        connections = self._own(whole / "connections", server, server, 0o750)
        return Between(connections, self._own(whole / "channels", kernel, server, 0o770))

    def clear(self, server: int) -> None:
        """Remove what was between a server and its kernels, when none of them runs any more."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._settings.between / str(server))

    def _own(self, folder: Path, uid: int, gid: int, mode: int) -> Path:
        """Make a folder, once."""
        if not folder.is_dir():
            folder.mkdir(mode=0o700)
            if self._settings.as_root:
                os.chown(folder, uid, gid)
            folder.chmod(mode)
        return folder
