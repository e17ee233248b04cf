"""Durable steps on disk: a file is there whole or not at all, and one process changes things at a time.

What is being written has a name that begins with `HALF`; no name of ours begins with a dot otherwise, so whatever
carries that prefix while nobody writes is left over from a kill and is thrown away.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from enclave.errors import SetupError

HALF = ".half-"
"""How the name of a file begins while it is being written."""


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter (0700), durably; do nothing where it exists."""
    with disk(path):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)  # noqa: PTH102  pathlib would ask for the mode after the umask, and hide the step
        sync_folder(path.parent)


def require_private(path: Path) -> None:
    """Raise SetupError unless `path` exists, is ours, and is closed to group and others."""
    with disk(path):
        found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SetupError(
            "NOT_PRIVATE",
            f"'{path}' must belong to the user of this process and be closed to all others (0600; a folder 0700), and "
            "be no link. Find out who could read it; then close it with chmod, or restore it from a safe place",
        )


def read(path: Path) -> bytes:
    """Return the whole content of a file."""
    with disk(path):
        return path.read_bytes()


def names_in(folder: Path) -> frozenset[str]:
    """Return the names of what lies in a folder; none if there is no such folder."""
    with disk(folder):
        return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()  # noqa: PTH208  names, not paths


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    with opened(path, os.O_RDONLY | os.O_DIRECTORY) as handle:
        os.fsync(handle)


def write_atomically(path: Path, pieces: Iterable[bytes]) -> str:
    """Put the pieces into `path` (0600): after a kill the old file or the new one is there. Return its SHA-256."""
    half = path.with_name(HALF + path.name)
    with disk(path):
        half.unlink(missing_ok=True)
        digest = _write_new(half, pieces)
        os.replace(half, path)  # noqa: PTH105  all steps on disk are calls of os, so that the crash tests meet each
        sync_folder(path.parent)
    return digest


def _write_new(path: Path, pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as handle:
        for piece in pieces:
            digest.update(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    return digest.hexdigest()


def rename(path: Path, target: Path) -> None:
    """Give a file or a folder another name in the same folder, durably; a file of that name is replaced."""
    with disk(path):
        os.replace(path, target)  # noqa: PTH105  a plain call of os, as above
        sync_folder(target.parent)


def overwrite(path: Path) -> None:
    """Put zeros in the place of a file's content, in the same blocks where the file system allows it."""
    with disk(path), opened(path, os.O_WRONLY) as handle:
        os.write(handle, bytes(os.fstat(handle).st_size))
        os.fsync(handle)


def replace_and_wipe(path: Path, pieces: Iterable[bytes]) -> None:
    """Put the pieces into `path` as `write_atomically` does, then zeros where the old content lay."""
    with opened(path, os.O_WRONLY) as old:
        write_atomically(path, pieces)
        with disk(path):
            os.write(old, bytes(os.fstat(old).st_size))
            os.fsync(old)


def remove(path: Path) -> None:
    """Remove a file or a whole folder durably; do nothing where it is gone."""
    with disk(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        sync_folder(path.parent)


def remove_half_written(folder: Path) -> None:
    """Throw away what a kill left half-written directly in `folder`."""
    for name in sorted(names_in(folder)):
        if name.startswith(HALF):
            remove(folder / name)


class Note:
    """A short text in the lock file: what its holder is changing. It survives a kill, so the next one can tidy up."""

    def __init__(self, path: Path, handle: int) -> None:
        """Keep the open lock file."""
        self._path = path
        self._handle = handle

    def read(self) -> str:
        """Return the text that the last holder left, "" if it finished."""
        with disk(self._path):
            return os.pread(self._handle, 4096, 0).decode(errors="replace")

    def write(self, text: str) -> None:
        """Replace the text; "" says that nothing is under way."""
        with disk(self._path):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, text.encode(), 0)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[Note]:
    """Hold the lock file `path` alone, among all processes and threads; wait while another holds it."""
    with opened(path, os.O_RDWR | os.O_CREAT) as handle:
        with disk(path):
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield Note(path, handle)
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


@contextlib.contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file (never through a link; a new one is 0600) and close it at the end."""
    with disk(path):
        handle = os.open(path, flags | os.O_NOFOLLOW, 0o600)
    try:
        yield handle
    finally:
        with disk(path):
            os.close(handle)


@contextlib.contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn a refusal of the operating system into a sentence."""
    try:
        yield
    except OSError as error:
        raise SetupError(
            "DISK",
            f"'{path}' cannot be read or written ({error.strerror}). Mend the cause (space, rights, device) and "
            "repeat: nothing half-written will be used",
        ) from error
