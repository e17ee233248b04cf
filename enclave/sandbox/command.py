"""The one command line that the launcher runs. Nothing of an order enters it but the paths made from its two names."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process of a server may use at most."""

    open_files: int
    processes: int
    file_bytes: int


def command_line(analyst: Path, config: Path, socket: Path, idle_s: int) -> list[str]:
    """Return the command line of a notebook server that listens on `socket` and ends after `idle_s` without use."""
    return [
        str(analyst / "bin" / "python"),
        "-I",
        "-m",
        "jupyterhub.singleuser",
        f"--config={config}",
        f"--ServerApp.sock={socket}",
        "--ServerApp.sock_mode=0660",
        f"--ServerApp.shutdown_no_activity_timeout={idle_s}",
        f"--MappingKernelManager.cull_idle_timeout={idle_s}",
    ]
