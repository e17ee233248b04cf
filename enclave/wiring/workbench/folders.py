"""The workbench's folders, each with the owner and the rights that it needs and no more."""

import os
import tempfile
from pathlib import Path

from enclave.errors import SetupError
from enclave.wiring.workbench.layout import LONGEST_SOCKET, Layout
from enclave.wiring.workbench.system_users import Identities

ROOT = 0
_LONGEST_NAME = len("/callers/2000000000/gateway.sock")


def make_folders(layout: Layout, who: Identities) -> None:
    """Make what is missing and set owners and rights anew."""
    _own(layout.root, 0o755, ROOT, ROOT, who)
    _run_folder(layout)
    hub, gateway, proxy, door = who.hub.uid, who.gateway.uid, who.proxy.uid, who.door.uid
    for folder, mode, owner, group in (
        (layout.run.resolve(), 0o750, ROOT, who.inside),
        (layout.hub_socket.parent, 0o2750, hub, who.inside),
        (layout.door_socket.parent, 0o755, door, who.door.gid),  # seen by servers in their sandboxes
        (layout.gateway_socket.parent, 0o2750, gateway, who.inside),
        (layout.home_keys.parent, 0o700, gateway, who.gateway.gid),
        (layout.proxy_socket.parent, 0o2750, proxy, who.front),
        (layout.launcher_socket.parent, 0o750, ROOT, who.front),
        (layout.servers, 0o711, ROOT, ROOT),
        (layout.callers, 0o711, ROOT, ROOT),
        (layout.between, 0o711, ROOT, ROOT),
        (layout.kernel_orders, 0o711, ROOT, ROOT),
        (layout.directory.parent, 0o755, gateway, who.gateway.gid),
        (layout.config, 0o711, ROOT, ROOT),
        (layout.config / "hub", 0o700, hub, who.hub.gid),
        (layout.config / "gateway", 0o700, gateway, who.gateway.gid),
        (layout.config / "proxy", 0o700, proxy, who.proxy.gid),
        (layout.building, 0o700, gateway, who.gateway.gid),
        (layout.hub_state, 0o700, hub, who.hub.gid),
        (layout.launcher_state, 0o700, ROOT, ROOT),
        (layout.medium, 0o700, ROOT, ROOT),
        (layout.homes, 0o700, ROOT, ROOT),
        (layout.logs, 0o700, ROOT, ROOT),
        (layout.notices("hub").parent, 0o711, ROOT, ROOT),
        (layout.notices("hub"), 0o770, hub, who.gateway.gid),  # the gateway takes notices in and removes them
        (layout.notices("front"), 0o770, proxy, who.gateway.gid),
        (layout.notices("door"), 0o770, door, who.gateway.gid),
        (layout.notices("launcher"), 0o770, ROOT, who.gateway.gid),
        (layout.notices("supervisor"), 0o770, ROOT, who.gateway.gid),
    ):
        _own(folder, mode, owner, group, who)


def remove_sockets(layout: Layout) -> None:
    """Remove the sockets of parts that have ended: nobody listens there any more."""
    for path in layout.run.resolve().rglob("*.sock"):
        path.unlink(missing_ok=True)


def give_file(path: Path, data: bytes, owner: int, who: Identities, *, mode: int = 0o600) -> None:
    """Write a file for one user: with its rights from the first byte on, and whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if who.as_root:
            os.fchown(descriptor, owner, -1)
        os.fchmod(descriptor, mode)
    fresh.replace(path)


def _own(folder: Path, mode: int, owner: int, group: int, who: Identities) -> None:
    if folder.is_symlink():
        raise SetupError("FOLDER_IS_LINK", f"'{folder}' is a link; remove it and start again")
    folder.mkdir(mode=0o700, exist_ok=True)
    if who.as_root:
        os.chown(folder, owner, group)
    folder.chmod(mode)


def _run_folder(layout: Layout) -> None:
    """Make the folder of sockets; where its path is too long for a socket, a short one with a link to it."""
    if len(os.fsencode(layout.run)) + _LONGEST_NAME <= LONGEST_SOCKET:
        layout.run.mkdir(mode=0o700, exist_ok=True)
    elif not layout.run.is_dir():  # a link whose folder went with a restart of the machine counts as missing
        layout.run.unlink(missing_ok=True)
        short = Path(tempfile.mkdtemp(prefix="enclave-", dir="/run" if os.access("/run", os.W_OK) else None))
        layout.run.symlink_to(short)
