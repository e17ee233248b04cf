"""The files of a home as the browser may handle them: text and notebooks only, and nothing is brought in."""

import os
from typing import Any, Final

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado import web
from traitlets import Type

from .closed import ClosedHandler

NO_UPLOAD: Final = "Files are not brought in through the browser: ask the steward. To copy a notebook, duplicate it."
NO_OUTSIDE: Final = "This leads out of the home; open it in a notebook."
NO_BINARY: Final = "Only text and notebooks can be opened in the browser; read this file in a notebook."


class WorkbenchContents(AsyncLargeFileManager):
    """Refuses uploads and binary files, and closes the download of every file."""

    files_handler_class = Type(ClosedHandler, klass=web.RequestHandler, config=True)

    def _get_os_path(self, path: str) -> str:
        """Return where a file is; a link that leads out of the home is refused, whoever made it."""
        found: str = super()._get_os_path(path)
        root = os.path.realpath(self.root_dir)
        real = os.path.realpath(found)
        if real != root and not real.startswith(root + os.sep):
            raise web.HTTPError(403, NO_OUTSIDE)
        return found

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a file's model, unless it holds the bytes of a binary file."""
        model = await super().get(*args, **kwargs)
        if model.get("format") == "base64":
            raise web.HTTPError(403, NO_BINARY)
        return model

    async def new(self, model: dict[str, Any] | None = None, path: str = "") -> Any:
        """Make a new file; one that arrives with its content is an upload."""
        if model and "content" in model:
            raise web.HTTPError(403, NO_UPLOAD)
        return await super().new(model, path)

    async def save(self, model: dict[str, Any], path: str = "") -> Any:
        """Save what was opened; bytes and chunks come from uploads only."""
        if model.get("format") == "base64" or model.get("chunk") is not None:
            raise web.HTTPError(403, NO_UPLOAD)
        return await super().save(model, path)
