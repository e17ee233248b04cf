"""Where the service finds house, hub and its own socket. Read once from the command line."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from enclave.errors import SetupError
from enclave.vault import files

PREFIX = "/services/gateway/"
SERVICE = "gateway"
ISOLATED = "ENCLAVE_ISOLATED"
"""Variable that is 1 where notebooks run in sandboxes; the workbench sets it."""

TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"  # noqa: S105  a name, not a token
LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Paths of one workbench, and how long a session on the pages lasts."""

    root: Path
    prefix: str = PREFIX
    session_hours: float = 4.0
    rights_seconds: int = 5
    """How long an answer of the hub about a token is believed."""

    @property
    def house(self) -> Path:
        """The house."""
        return self.root / "house"

    @property
    def directory(self) -> Path:
        """Who has which account, roles and projects: what hub and launcher read."""
        return self.root / "directory" / "directory.json"

    @property
    def notices(self) -> Path:
        """What parts that may not write the audit log have to tell it."""
        return self.root / "notices"

    @property
    def socket(self) -> Path:
        """The socket of the service."""
        return self._run / "gateway" / "gateway.sock"

    @property
    def callers(self) -> Path:
        """The folder of the sockets for kernels."""
        return self._run / "callers"

    @property
    def home_keys(self) -> Path:
        """The socket on which the launcher gets the keys of homes."""
        return self._run / "keys" / "homes.sock"

    @property
    def hub_api(self) -> str:
        """The address of the hub's interface, over its socket."""
        return f"http+unix://{quote(str(self._run / 'hub' / 'hub.sock'), safe='')}/hub/api"

    @property
    def _run(self) -> Path:
        """The folder of sockets with every link followed: a socket's path may not be long."""
        return (self.root / "run").resolve()

    def token(self) -> str:
        """Return the service's token at the hub; from its file, or else from the environment, which forgets it then."""
        given = os.environ.pop(TOKEN_VARIABLE, "")
        path = self.root / "config" / "gateway.token"
        if path.exists():
            files.require_private(path)
            given = path.read_text(encoding="ascii").strip()
        if not given:
            raise SetupError("NO_TOKEN", f"the hub does not know this service: put its token into '{path}' (0600)")
        return given

    def cookie_secret(self) -> bytes:
        """Return what cookies are signed with: made once, so that a restart ends no session."""
        path = self.house / "web.secret"
        if not path.exists():
            files.write_atomically(path, [secrets.token_bytes(32)])
        files.require_private(path)
        return path.read_bytes()


def check_socket_path(path: Path) -> None:
    """Raise SetupError where a path is too long for a socket."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise SetupError("SOCKET_PATH", f"'{path}' is too long for a socket; choose a shorter folder, or link `run`")
