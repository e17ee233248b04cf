"""Secrets that the hub needs of others: each in a file of its own, which nobody but the hub's user may read."""

import os
import stat
from pathlib import Path

from enclave.errors import SetupError

MOST_BYTES = 4096


def read_secret(path: Path, owner: int) -> str:
    """Return the one line of a secret file; SetupError SECRET_FILE unless it belongs to `owner` and to nobody else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _wrong(path, f"cannot be read ({error.strerror})") from error
    try:
        _require_closed(path, os.fstat(descriptor), owner)
        data = os.read(descriptor, MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not text") from error
    if len(data) > MOST_BYTES or len(lines) != 1 or not lines[0]:
        raise _wrong(path, "does not hold the secret as its one line")
    return lines[0]


def _require_closed(path: Path, found: os.stat_result, owner: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _wrong(path, "is not a plain file")
    if found.st_uid != owner:
        raise _wrong(path, "belongs to another user than the hub's")
    if found.st_mode & 0o177:
        raise _wrong(path, "may be read or written by others")


def _wrong(path: Path, what: str) -> SetupError:
    message = f"the secret file '{path}' {what}; give it to the hub's user (system_users.hub), with mode 0600"
    return SetupError("SECRET_FILE", message)
