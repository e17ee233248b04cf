"""Sockets of the workbench and of daemons."""

import contextlib
import os
import socket
import stat

from probes.base import KERNEL, SERVER, TOLD, connects, probe

for _name, _path, _sides in (
    ("the hub's socket", "/run/hub", KERNEL),
    ("the launcher's socket for kernels", "/run/launcher", KERNEL),
    ("the server's own socket", "/run/server", KERNEL),
    ("the settings of the server", "/opt/workbench", KERNEL),
    ("the gateway's socket", "/run/gateway", SERVER),
):

    @probe("sockets", _name, _sides)
    def _(path=_path):
        return os.path.lexists(path)


@probe("sockets", "daemons: dbus, containers, systemd, display, printers")
def _():
    return any(
        os.path.lexists(path)
        for path in (
            "/run/dbus",
            "/run/docker.sock",
            "/run/containerd",
            "/run/podman",
            "/run/systemd",
            "/tmp/.X11-unix",
            "/run/cups",
            "/var/run",
        )
    )


@probe("sockets", "any socket beside the known ones")
def _():
    known = (
        ("/run/channels/", "/run/gateway/gateway.sock")
        if TOLD["side"] == "kernel"
        else ("/run/channels/", "/run/server/", "/run/hub/", "/run/launcher/")
    )
    for folder, names, files in os.walk("/"):
        names[:] = [name for name in names if os.path.join(folder, name) not in ("/proc", "/usr", "/opt")]
        for name in files:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.lstat(path).st_mode) and not path.startswith(known):
                    return True
    return False


@probe("sockets", "the gateway as somebody else: a socket of another user's kernel", KERNEL)
def _():
    return connects(socket.AF_UNIX, TOLD["other_caller"] + "/gateway.sock")


@probe("sockets", "the socket by which another server orders kernels, beside the own", SERVER)
def _():
    return set(os.listdir("/run/launcher")) != {"kernels.sock"}


@probe("sockets", "the gateway's socket of another person, beside the own", KERNEL)
def _():
    return not set(os.listdir("/run/gateway")) <= {"gateway.sock"}


@probe("sockets", "the launcher's orders of the hub", SERVER)
def _():
    return os.path.lexists(TOLD["launcher"]) or connects(socket.AF_UNIX, "/run/launcher/launcher.sock")
