"""What encrypted homes need of a machine: programs, and devices of Linux."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.home_image import PROGRAMS

TOOLS: Mapping[str, str] = {
    "gocryptfs": "gocryptfs",
    "fusermount3": "fuse3",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
}
"""Programs, each with the package of Debian that brings it."""
DEVICES: Mapping[str, str] = {"fuse": "fuse", "loop-control": "loop"}
"""Devices, each with the module of Linux that brings it."""


def lacking(devices: Path = Path("/dev")) -> Iterator[tuple[str, str]]:
    """Yield what is not there, and what to do."""
    for tool, package in TOOLS.items():
        if shutil.which(tool, path=PROGRAMS) is None:
            yield tool, f"is missing; install the package {package}"
    for device, module in DEVICES.items():
        if not os.access(devices / device, os.R_OK | os.W_OK):
            yield f"/dev/{device}", f"cannot be opened; load the module: modprobe {module}"


def require(devices: Path = Path("/dev")) -> None:
    """Refuse a machine on which no home could be encrypted: SetupError NO_HOMES."""
    found = [f"{what} {words}" for what, words in lacking(devices)]
    if found:
        raise SetupError("NO_HOMES", f"homes cannot be encrypted here: {'; '.join(found)}; then start again")
