"""The users that parts run as. As root they are made where they are missing; without root everything is oneself."""

import grp
import os
import pwd
import subprocess
from dataclasses import dataclass

from enclave.errors import SetupError
from enclave.wiring.workbench.settings import ServerUsers, SystemUsers


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, its group and further groups."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Identities:
    """Who the parts run as; `as_root` says whether the workbench may change users at all."""

    as_root: bool
    hub: Identity
    gateway: Identity
    proxy: Identity
    door: Identity
    inside: int
    front: int


def present_user() -> Identities:
    """Return the workbench without root: every part runs as whoever started it."""
    me = Identity(os.getuid(), os.getgid(), ())
    return Identities(as_root=False, hub=me, gateway=me, proxy=me, door=me, inside=os.getgid(), front=os.getgid())


def system_users(names: SystemUsers, servers: ServerUsers) -> Identities:
    """Make what is missing and return who the parts run as."""
    if os.getuid() != 0:
        return present_user()
    _refuse_taken(servers)
    inside, front = _group(names.inside), _group(names.front)
    return Identities(
        as_root=True,
        hub=_user(names.hub, (inside, front)),
        gateway=_user(names.gateway, (inside,)),
        proxy=_user(names.proxy, (inside, front)),
        door=_user(names.door, (inside,)),
        inside=inside,
        front=front,
    )


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        _run("groupadd", "--system", name)
        return grp.getgrnam(name).gr_gid


def _user(name: str, groups: tuple[int, ...]) -> Identity:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        _run("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name)
        entry = pwd.getpwnam(name)
    if entry.pw_uid == 0:
        raise SetupError("SYSTEM_USER", f"{name} is root; name another user in system_users of workbench.yaml")
    return Identity(entry.pw_uid, entry.pw_gid, groups)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  fixed commands, names of a strict form
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError("SYSTEM_USER", f"'{' '.join(command)}' failed; make the user or group by hand") from error


def _refuse_taken(servers: ServerUsers) -> None:
    """Refuse a range that holds somebody's number: notebook servers would be that somebody."""
    numbers = range(servers.first, servers.first + servers.count)
    taken = next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid in numbers), None)
    if taken is not None:
        raise SetupError("SERVER_USERS", f"the range server_users of workbench.yaml holds user {taken}; choose another")
