"""The parts that run: command, user and environment of each."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from enclave.sandbox.command import Limits
from enclave.sandbox.environment import socket_url
from enclave.sandbox.settings import HomeLimits, SandboxLimits
from enclave.sandbox.settings import Settings as LauncherSettings
from enclave.wiring.workbench import checks
from enclave.wiring.workbench.folders import give_file
from enclave.wiring.workbench.layout import Layout
from enclave.wiring.workbench.settings import REPOSITORY, WorkbenchSettings
from enclave.wiring.workbench.system_users import Identities, Identity
from enclave.wiring.workbench.tokens import GATEWAY_TOKEN, PROXY_TOKEN, read_token

SERVICE, SERVICE_PREFIX = "gateway", "/services/gateway/"
ISOLATED = "ENCLAVE_ISOLATED"
"""Variable of hub and gateway: 1 where notebooks run in sandboxes. Without root they do not, and every page says so."""

PYTHON = (sys.executable, "-P")
"""`-P`: no folder is searched for code but those of the environment and the product."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the workbench. `identity` None: as the supervisor itself."""

    name: str
    command: tuple[str, ...]
    identity: Identity | None
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o077


def parts(layout: Layout, settings: WorkbenchSettings, who: Identities, node: Path) -> tuple[Part, ...]:
    """Write what the parts are told by file, and return them in the order of their start."""
    _launcher_settings(layout, settings, who).write(_launcher_file(layout))
    _front_settings(layout, settings, who)
    hub, gateway, proxy, door = (who.hub, who.gateway, who.proxy, who.door) if who.as_root else (None,) * 4
    isolated = {ISOLATED: "1" if who.as_root else "0"}
    front = (str(node), str(checks.FRONT), str(_front_file(layout)))
    return (
        launcher(layout),
        Part("gateway", _gateway(layout), gateway, layout.house, _gateway_environment(layout) | isolated),
        Part("proxy", front, proxy, Path("/"), umask=0o007),  # the hub, of the same group, opens its socket
        Part("door", (*PYTHON, "-m", "hub_config.door", str(layout.root)), door, Path("/")),
        Part("hub", _hub(), hub, layout.hub_state, {"ENCLAVE_WORKBENCH": str(layout.root)} | isolated),
    )


def launcher(layout: Layout, *more: str) -> Part:
    """Return the launcher; with `--stop-all` the one that ends all servers."""
    return Part("launcher", (*PYTHON, "-m", "enclave.sandbox", str(_launcher_file(layout)), *more), None, Path("/"))


def house_work(layout: Layout, who: Identities, module: str, folder: Path) -> Part:
    """Return a work on the house that is done before the gateway runs, as the gateway's user."""
    command = (*PYTHON, "-m", f"enclave.wiring.workbench.{module}", str(layout.root))
    return Part(module, command, who.gateway if who.as_root else None, folder)


def environment(part: Part) -> dict[str, str]:
    """Return a part's whole environment: nothing of whoever started the workbench but the search path."""
    plain = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(part.folder)}
    return plain | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"} | dict(part.environment)


def _hub() -> tuple[str, ...]:
    return (*PYTHON, "-m", "jupyterhub", "--config", str(REPOSITORY / "hub_config" / "jupyterhub_config.py"))


def _gateway(layout: Layout) -> tuple[str, ...]:
    return (*PYTHON, "-m", "enclave.web", "--root", str(layout.root))


def _gateway_environment(layout: Layout) -> dict[str, str]:
    """Return what a service of the hub is told, by the names that JupyterHub's own client reads."""
    return {
        "JUPYTERHUB_API_TOKEN": read_token(layout, "gateway", GATEWAY_TOKEN),
        "JUPYTERHUB_API_URL": f"{socket_url(layout.hub_socket)}/hub/api",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": f"service-{SERVICE}",
        "JUPYTERHUB_HOST": "",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{SERVICE_PREFIX}oauth_callback",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps(["access:services", f"access:services!service={SERVICE}"]),
        "JUPYTERHUB_SERVICE_NAME": SERVICE,
        "JUPYTERHUB_SERVICE_PREFIX": SERVICE_PREFIX,
    }


def _launcher_file(layout: Layout) -> Path:
    return layout.config / "launcher.json"


def _launcher_settings(layout: Layout, settings: WorkbenchSettings, who: Identities) -> LauncherSettings:
    limits = settings.server_limits
    return LauncherSettings(
        as_root=who.as_root,
        hub_uid=who.hub.uid,
        gateway_uid=who.gateway.uid,
        front_gid=who.front,
        first_uid=settings.server_users.first,
        uids=settings.server_users.count,
        socket=layout.launcher_socket,
        directory=layout.directory,
        state=layout.launcher_state,
        run=layout.servers,
        homes=layout.homes,
        own_files=layout.own_files,
        logs=layout.logs,
        notices=layout.notices("launcher"),
        analyst=checks.ANALYST,
        config=REPOSITORY / "kernels" / "server_config.py",
        callers=layout.callers,
        between=layout.between,
        hub=layout.door_socket,
        orders=layout.kernel_orders,
        keys=layout.home_keys,
        limits=Limits(limits.open_files, limits.processes, limits.file_bytes),
        sandbox=SandboxLimits(**settings.sandbox.model_dump()),
        home=HomeLimits(**settings.home.model_dump()),
        idle_s=limits.idle_minutes * 60,
        stop_s=float(limits.stop_seconds),
    )


def _front_file(layout: Layout) -> Path:
    return layout.config / "proxy" / "front.json"


def _front_settings(layout: Layout, settings: WorkbenchSettings, who: Identities) -> None:
    told = {
        "address": settings.address,
        "port": settings.port,
        "allowedNetworks": settings.allowed_networks,
        "certificate": str(layout.certificate),
        "key": str(layout.certificate_key),
        "routesSocket": str(layout.proxy_socket),
        "token": read_token(layout, "proxy", PROXY_TOKEN),
        "hub": str(layout.hub_socket),
        "gateway": str(layout.gateway_socket),
        "gatewayPrefix": SERVICE_PREFIX.rstrip("/"),
        "notices": str(layout.notices("front")),
        "errorPages": str(REPOSITORY / "hub_config" / "error_pages"),
    }
    give_file(_front_file(layout), json.dumps(told, indent=1).encode(), who.proxy.uid, who)
