"""The style sheet and the icon: the only files that pages load, under names that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from tornado.web import HTTPError

from enclave.web.answers import AnswersErrors

FOLDER = Path(__file__).parent / "static"
_TYPES = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


@cache
def content(name: str) -> bytes:
    """Return one of the two files."""
    return (FOLDER / name).read_bytes()


def style_name() -> str:
    """Return the name of the style sheet with the digest of its content."""
    return f"{hashlib.sha256(content('style.css')).hexdigest()[:12]}/style.css"


class StaticHandler(AnswersErrors):
    """Serves the two files; browsers may keep them, as their address changes when they do."""

    def get(self, name: str) -> None:
        """Return a file."""
        if name not in _TYPES:
            raise HTTPError(404)
        self.set_header("Content-Type", _TYPES[name])
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(content(name))
