"""What the launcher is told at its start, by a file that only root writes."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from enclave.errors import SetupError
from enclave.sandbox.command import Limits

OWN_FILES = "own-files"
"""The folder of a house with what was brought to its projects."""

FIRST_UID = 10_000
"""No server runs as a user below: those are the system's and people's own."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a sandbox may use: bytes of memory, processors in percent of one, kernels, and room in memory for files."""

    server_memory: int
    kernel_memory: int
    cpu_percent: int
    kernels: int
    temporary_bytes: int
    temporary_files: int


@dataclass(frozen=True, slots=True)
class HomeLimits:
    """Size of a new home in bytes and in files, and the room that the disk of all homes must keep free beside them."""

    bytes: int
    files: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Who may give orders, where things are, and which users servers run as.

    `first_uid` and `uids` are the declared range. Without root (`as_root` false) numbers of the range still name
    servers, but all run as the present user.
    """

    as_root: bool
    hub_uid: int
    gateway_uid: int
    front_gid: int
    first_uid: int
    uids: int
    socket: Path
    directory: Path
    state: Path
    run: Path
    homes: Path
    own_files: Path
    logs: Path
    notices: Path
    analyst: Path
    config: Path
    callers: Path
    between: Path
    hub: Path
    orders: Path
    keys: Path
    limits: Limits
    sandbox: SandboxLimits
    home: HomeLimits
    idle_s: int
    stop_s: float

    def __post_init__(self) -> None:
        if self.first_uid < FIRST_UID or self.uids < 1:
            raise SetupError(
                "UID_RANGE", f"servers run as users from {FIRST_UID} on; mend server_users in workbench.yaml"
            )

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Read the file; SetupError where it is not what `write` wrote."""
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found["limits"] = Limits(**found["limits"])
            found["sandbox"] = SandboxLimits(**found["sandbox"])
            found["home"] = HomeLimits(**found["home"])
            values: dict[str, Any] = {
                name: Path(value) if isinstance(value, str) else value for name, value in found.items()
            }
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(
                "LAUNCHER_SETTINGS", f"'{path}' is damaged; start the workbench, which writes it"
            ) from error

    def write(self, path: Path) -> None:
        """Write the file, for root's eyes."""
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        path.touch(mode=0o600)
        path.write_text(json.dumps(plain, indent=1), encoding="utf-8")
