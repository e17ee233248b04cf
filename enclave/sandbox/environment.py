"""The environment of a notebook server: what the launcher says, and what the hub may say, by name."""

from collections.abc import Mapping
from pathlib import Path

from enclave.errors import RequestError

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


def check(asked: Mapping[str, str]) -> None:
    """Refuse names that are not on the list, and values that no such variable has."""
    if not set(asked) <= FROM_HUB:
        raise RequestError("ENVIRONMENT_NAME", "the hub may not set this variable; the names are in environment.py")
    for value in asked.values():
        if len(value) > MAX_VALUE or not value.isprintable():
            raise RequestError("ENVIRONMENT_VALUE", "a value of the environment is too long, or not plain text")


def build(
    asked: Mapping[str, str], *, home: Path, socket_url: str, analyst: Path, gateway: Path, project: str
) -> dict[str, str]:
    """Return the whole environment: nothing of the launcher's own, and the launcher's words over the hub's."""
    check(asked)
    return {
        **asked,
        "ENCLAVE_GATEWAY_SOCKET": str(gateway),
        "ENCLAVE_PROJECT": project,
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
        "JUPYTERHUB_SERVICE_URL": socket_url,
        "LANG": "C.UTF-8",
        "PATH": f"{analyst / 'bin'}:/usr/bin:/bin",
        "PYTHONNOUSERSITE": "1",
    }
