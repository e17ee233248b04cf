"""Who is there: the port between the pages and whatever knows accounts. The real part is in hub_identity.py."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from tornado.web import RequestHandler

Route: TypeAlias = tuple[str, type[RequestHandler], dict[str, Any]]
"""A path below the prefix, its handler, and what the handler is initialised with."""


class Identity(Protocol):
    """Tells which account is behind a page. What the account may do, the house decides at every call."""

    async def account_of_page(self, handler: RequestHandler) -> str | None:
        """Return the account of the session that a browser shows by its cookie; None without a valid one."""
        ...

    def session(self, handler: RequestHandler) -> str:
        """Return what is secret to this session and the same on all of its pages; "" without a session."""
        ...

    def log_in(self, handler: RequestHandler) -> None:
        """Send the browser to the log-in, and back to this page afterwards."""
        ...

    def log_out(self, handler: RequestHandler) -> None:
        """End the session, and send the browser to where it is ended everywhere."""
        ...

    def routes(self) -> Sequence[Route]:
        """Return the handlers that logging in needs, by paths below the prefix."""
        ...
