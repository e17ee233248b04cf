"""Log-ins on their way to a provider and back: kept in memory, each for one browser, used once, gone after a while."""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from enclave.errors import PermissionDenied

LIVES_S = 600.0
MOST = 10_000


def _drawn() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Flow:
    """What is remembered of somebody who was sent to the provider."""

    ban: str
    """What was ticked on our page."""
    next_url: str
    began: float
    state: str = field(default_factory=_drawn)
    """Goes through the provider; says which flow comes back."""
    browser: str = field(default_factory=_drawn)
    """Lies in the browser as a cookie; says that it is the browser that was sent."""
    nonce: str = field(default_factory=_drawn)
    """Comes back inside the provider's token."""
    verifier: str = field(default_factory=_drawn)
    """Shown when the code is exchanged; the provider saw its digest before (PKCE)."""

    @property
    def challenge(self) -> str:
        """The digest of the verifier, as RFC 7636 writes it."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Flows:
    """All log-ins on their way."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._flows: dict[str, Flow] = {}

    def begin(self, ban: str, next_url: str) -> Flow:
        """Remember a new one."""
        flow = Flow(ban, next_url, self._clock())
        self._flows[flow.state] = flow
        if len(self._flows) > MOST:
            self._flows.pop(next(iter(self._flows)))
        return flow

    def take(self, state: str, browser: str) -> Flow:
        """Return the one that comes back, and forget it; PermissionDenied unless it is this browser's, and in time."""
        flow = self._flows.pop(state, None)
        if flow is None or not hmac.compare_digest(flow.browser.encode(), browser.encode()):
            raise _expired()
        if self._clock() - flow.began > LIVES_S:
            raise _expired()
        return flow


def _expired() -> PermissionDenied:
    return PermissionDenied(
        "LOG_IN_EXPIRED", "this log-in was not begun in this browser, was used already or took too long; begin anew"
    )
