"""Ways out of a notebook server that are closed: whoever asks gets 403 and a sentence."""

from typing import Final

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

SENTENCE: Final = (
    "Files do not leave by download. Describe a result and request its release: project.request_release(...)."
)
CLOSED: Final = (
    r"/files(/.*)?",
    r"/nbconvert(/.*)?",
    r"/api/nbconvert(/.*)?",
    r"/view(/.*)?",
    r"/(api/)?terminals(/.*)?",
)


class ClosedHandler(JupyterHandler):
    """Answers 403 to every method."""

    @web.authenticated
    def get(self, *_: str) -> None:
        """Refuse."""
        raise web.HTTPError(403, SENTENCE)

    head = post = put = patch = delete = get


default_handlers = [(path, ClosedHandler) for path in CLOSED]
"""Read by Jupyter Server, for `ServerApp.extra_services`: these come before its own."""
