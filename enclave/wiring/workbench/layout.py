"""Where things stand below the workbench's folder."""

from dataclasses import dataclass
from pathlib import Path

from enclave.sandbox.settings import OWN_FILES

LONGEST_SOCKET = 107
"""Bytes of the longest path of a Unix socket."""


MASTER_KEY = "master.key"
"""The key file on the medium."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one root, all absolute."""

    root: Path

    @property
    def house(self) -> Path:
        """The house: vault, book, releases."""
        return self.root / "house"

    @property
    def building(self) -> Path:
        """A house in the making; what stands here after a crash is thrown away."""
        return self.root / "building"

    @property
    def medium(self) -> Path:
        """Stands for the key holder's medium where data are made up: nobody has to bring it, so it protects nothing."""
        return self.root / "medium"

    @property
    def run(self) -> Path:
        """Sockets, one folder per part; may be a link to a shorter path."""
        return self.root / "run"

    @property
    def hub_socket(self) -> Path:
        """Where the hub listens."""
        return self.run / "hub" / "hub.sock"

    @property
    def door_socket(self) -> Path:
        """Where notebook servers reach the hub, by way of the door; the name is that of the hub's own socket."""
        return self.run / "door" / "hub.sock"

    @property
    def gateway_socket(self) -> Path:
        """Where the gateway listens."""
        return self.run / "gateway" / "gateway.sock"

    @property
    def home_keys(self) -> Path:
        """Where the gateway gives the launcher the keys of homes; nobody but the two may enter the folder."""
        return self.run / "keys" / "homes.sock"

    @property
    def launcher_socket(self) -> Path:
        """Where the launcher listens."""
        return self.run / "launcher" / "launcher.sock"

    @property
    def kernel_orders(self) -> Path:
        """One folder per server, with the socket on which the launcher hears it about its kernels."""
        return self.run / "kernels"

    @property
    def between(self) -> Path:
        """One folder per server with what stands between it and its kernels."""
        return self.run / "between"

    @property
    def proxy_socket(self) -> Path:
        """Where the proxy takes its routes."""
        return self.run / "proxy" / "routes.sock"

    @property
    def servers(self) -> Path:
        """One folder per notebook server, with its socket."""
        return self.run / "servers"

    @property
    def callers(self) -> Path:
        """One folder per account and project, with the socket on which the gateway hears its kernels."""
        return self.run / "callers"

    @property
    def directory(self) -> Path:
        """Who may have what."""
        return self.root / "directory" / "directory.json"

    @property
    def config(self) -> Path:
        """Settings in force, tokens, certificate, log-ins."""
        return self.root / "config"

    @property
    def settings(self) -> Path:
        """The settings in force: a copy of the file that was given."""
        return self.config / "workbench.yaml"

    @property
    def log_ins(self) -> Path:
        """The made-up users' passwords, for whoever started the workbench."""
        return self.config / "log-ins.txt"

    @property
    def accounts(self) -> Path:
        """Hashes of the made-up users' passwords, for the hub."""
        return self.config / "hub" / "accounts.json"

    @property
    def certificate(self) -> Path:
        """The certificate, with its key beside it, for the proxy."""
        return self.config / "proxy" / "tls.crt"

    @property
    def certificate_key(self) -> Path:
        """The key of the certificate."""
        return self.config / "proxy" / "tls.key"

    @property
    def hub_state(self) -> Path:
        """The hub's database."""
        return self.root / "hub"

    @property
    def launcher_state(self) -> Path:
        """The launcher's records."""
        return self.root / "launcher"

    @property
    def homes(self) -> Path:
        """People's homes, per project: as root one encrypted image each."""
        return self.root / "homes"

    @property
    def own_files(self) -> Path:
        """What stewards brought to each project; its kernels see the folder of their project."""
        return self.house / OWN_FILES

    @property
    def logs(self) -> Path:
        """One file per part and per server."""
        return self.root / "log"

    @property
    def ready(self) -> Path:
        """There while the workbench answers: its address."""
        return self.root / "ready.json"

    def notices(self, part: str) -> Path:
        """Return where a part tells the gateway what belongs into the audit log."""
        return self.root / "notices" / part

    def token(self, part: str, name: str) -> Path:
        """Return where a part keeps a token."""
        return self.config / part / name
