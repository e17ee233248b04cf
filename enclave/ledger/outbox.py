"""The outbox: a release appears there whole or not at all, once, and is never changed.

One writer at a time per release (the gateway's release lock). A kill at any point leaves either nothing under the
release's name or the complete folder; publishing again then finishes the work or finds it done.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from enclave.errors import EnclaveBug, IntegrityError

_RELEASE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FILE_MODE = 0o444
_FOLDER_MODE = 0o555


def publish(outbox: Path, release_id: str, files: Mapping[str, bytes]) -> Path:
    """Put the release folder into the outbox, durably, and return it; the same release again is success.

    Raises IntegrityError when another content stands there under this id, EnclaveBug for unsafe names.
    """
    _check_names(release_id, files)
    target = outbox / release_id
    unfinished = outbox / f".{release_id}.unfinished"
    _remove(unfinished)
    if target.exists() or target.is_symlink():
        if not _holds(target, files):
            raise IntegrityError("RELEASE_DIFFERS", f"the outbox holds something else as '{release_id}'; call a human")
    else:
        _write_folder(unfinished, files)
        unfinished.rename(target)  # fails if a folder with content has appeared there meanwhile
    _sync_folder(outbox)  # also when found done: the earlier run may have died just before this
    return target


def _check_names(release_id: str, files: Mapping[str, bytes]) -> None:
    if not _RELEASE_ID.fullmatch(release_id):
        raise EnclaveBug("RELEASE_ID", f"'{release_id}' cannot name a release: a-z, 0-9, '.', '_' and '-'")
    if not files:
        raise EnclaveBug("RELEASE_EMPTY", f"release '{release_id}' has no files")
    for path in files:
        if not all(_PART.fullmatch(part) for part in path.split("/")):
            raise EnclaveBug("RELEASE_PATH", f"{path!a} cannot be a path inside a release")


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write and sync every file, then every folder from the inside out; all read-only before the name appears."""
    folders = {folder / parent for path in files for parent in PurePosixPath(path).parents}
    for each in sorted(folders):
        each.mkdir(mode=0o700)
    for path, data in sorted(files.items()):
        _write_file(folder / path, data)
    for each in sorted(folders, reverse=True):
        each.chmod(_FOLDER_MODE)
        _sync_folder(each)


def _write_file(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(descriptor, _FILE_MODE)
        os.fsync(descriptor)


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Tell whether the folder holds exactly these files, with these bytes, and no links."""
    found: set[str] = set()
    if folder.is_symlink() or not folder.is_dir():
        return False
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            state = (Path(root) / name).lstat()
            if not (stat.S_ISDIR(state.st_mode) if name in folders else stat.S_ISREG(state.st_mode)):
                return False
        found.update((Path(root) / name).relative_to(folder).as_posix() for name in names)
    return found == set(files) and all((folder / path).read_bytes() == data for path, data in files.items())


def _remove(folder: Path) -> None:
    """Remove what a kill left; its folders may be read-only already."""
    if folder.is_symlink():
        raise IntegrityError("OUTBOX_LINK", f"{folder.name} in the outbox is a link; call a human")
    if not folder.exists():
        return
    for root, _, _ in os.walk(folder):
        Path(root).chmod(0o700)
    for root, folders, names in os.walk(folder, topdown=False):
        for name in names:
            (Path(root) / name).unlink()
        for name in folders:
            (Path(root) / name).rmdir()
    folder.rmdir()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
