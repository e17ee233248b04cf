"""The environment of servers and kernels: what the launcher says, and what the hub may say, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from enclave.errors import RequestError
from enclave.sandbox.protocol import ServerKey

FROM_HUB = frozenset(
    {
        "JUPYTERHUB_ACTIVITY_URL",
        "JUPYTERHUB_API_TOKEN",
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_BASE_URL",
        "JUPYTERHUB_CLIENT_ID",
        "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED",
        "JUPYTERHUB_HOST",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
        "JUPYTERHUB_OAUTH_CALLBACK_URL",
        "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
        "JUPYTERHUB_SERVER_NAME",
        "JUPYTERHUB_SERVICE_PREFIX",
        "JUPYTERHUB_USER",
    }
)
"""What a notebook server must know of its hub; each name was looked up in JupyterHub's own code."""

MAX_VALUE = 4096
OWN = "/tmp/jupyter"  # noqa: S108  inside a sandbox, whose /tmp is its own


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are inside the sandboxes."""

    home: Path
    analyst: Path
    product: Path
    server: Path
    hub: Path
    orders: Path
    connections: Path
    channels: Path
    gateway: Path
    own_files: Path


def check(asked: Mapping[str, str]) -> None:
    """Refuse names that are not on the list, and values that no such variable has."""
    if not set(asked) <= FROM_HUB:
        raise RequestError("ENVIRONMENT_NAME", "the hub may not set this variable; the names are in environment.py")
    for value in asked.values():
        if len(value) > MAX_VALUE or not value.isprintable():
            raise RequestError("ENVIRONMENT_VALUE", "a value of the environment is too long, or not plain text")


def of_server(asked: Mapping[str, str], key: ServerKey, places: Places, *, as_root: bool) -> dict[str, str]:
    """Return the whole environment of a server's sandbox: the hub's words, and the launcher's over them.

    What Jupyter would read below the home, where kernels write, it reads from a folder of the server's own.
    """
    check(asked)
    hub = f"{socket_url(places.hub)}/hub/api"
    return {
        **asked,
        **_plain(places.home, places.analyst, key.project),
        "ENCLAVE_KERNELS": str(places.orders),
        "ENCLAVE_STANDING": "isolated" if as_root else "reduced",
        "IPYTHONDIR": f"{OWN}/ipython",
        "JUPYTERHUB_ACTIVITY_URL": f"{hub}/users/{key.account}/activity",
        "JUPYTERHUB_API_URL": hub,
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
        "JUPYTERHUB_SERVICE_URL": socket_url(places.server),
        "JUPYTER_CONFIG_DIR": f"{OWN}/config",
        "JUPYTER_DATA_DIR": f"{OWN}/data",
        "JUPYTER_RUNTIME_DIR": f"{OWN}/runtime",
    }


def of_kernel(key: ServerKey, places: Places) -> dict[str, str]:
    """Return the whole environment of a kernel's sandbox. Nothing in it is secret."""
    return {
        **_plain(places.home, places.analyst, key.project),
        "ENCLAVE_GATEWAY_SOCKET": str(places.gateway),
        "ENCLAVE_OWN_FILES": str(places.own_files),
    }


def socket_url(socket: Path) -> str:
    """Return the URL of a socket as JupyterHub and its proxy spell it."""
    return f"http+unix://{quote(str(socket), safe='')}"


def _plain(home: Path, analyst: Path, project: str) -> dict[str, str]:
    return {
        "ENCLAVE_PROJECT": project,
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "LANG": "C.UTF-8",
        "PATH": f"{analyst / 'bin'}:/usr/bin:/bin",
        "PYTHONNOUSERSITE": "1",
    }
