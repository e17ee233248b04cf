"""Removes the homes of destroyed projects: they are root's files, which the gateway cannot remove. Their keys are gone.

The gateway names such projects in the directory. Whoever takes it over could so have homes removed, and nothing else:
names are plain, links are not followed, and a home that is open anywhere is left for a later look.
"""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from enclave.errors import RequestError
from enclave.sandbox import home_image
from enclave.sandbox.protocol import ServerKey

log = logging.getLogger("launcher")


def remove_homes(homes: Path, destroyed: Iterable[str], running: Iterable[ServerKey]) -> None:
    """Remove the folder of homes of each destroyed project of which no server runs and no home is open."""
    used = {key.project for key in running}
    for project in destroyed:
        folder = homes / project
        if _is_plain(project) and project not in used and folder.is_dir() and not folder.is_symlink():
            _remove(folder)


def _remove(folder: Path) -> None:
    try:
        if any(home_image.in_use(path) for path in folder.iterdir() if path.is_file()):
            return
        shutil.rmtree(folder)
    except OSError as error:
        log.error("homes of a destroyed project stay: %s", error.strerror)  # noqa: TRY400  the reason says it all
    else:
        log.info("homes of %s are removed", folder.name)


def _is_plain(project: str) -> bool:
    try:
        ServerKey("nobody", project)
    except RequestError:
        return False
    return True
