"""Notices: what a part that may not write the audit log has to tell it, one small file for each event.

Each part has a folder of its own (`notices/hub`, ...), which nobody else but root and the gateway may enter. The
gateway takes notices into the log and removes them; an entry is what the part says, under the part's own name.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.whole_file import write_whole

FORMAT = "notice/1"
MODE = 0o644
"""The folder is closed; within it the gateway, another user, has to read."""

log = logging.getLogger("notices")


class Event(StrEnum):
    """What parts tell; the audit log has the same words."""

    LOGGED_IN = "logged_in"
    LOG_IN_REFUSED = "log_in_refused"
    LOGGED_OUT = "logged_out"
    SERVER_STARTED = "server_started"
    SERVER_ENDED = "server_ended"
    SERVER_REFUSED = "server_refused"
    KERNEL_REFUSED = "kernel_refused"
    WORKBENCH_STARTED = "workbench_started"
    WORKBENCH_STOPPED = "workbench_stopped"
    WORKBENCH_REFUSED = "workbench_refused"
    PART_ENDED = "part_ended"
    HUB_CALL_REFUSED = "hub_call_refused"


class Notices:
    """Writes notices into one part's folder."""

    def __init__(self, folder: Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Know the folder; it must be there when something is written."""
        self._folder, self._clock_ns = folder, clock_ns

    def write(self, event: Event, **details: str) -> None:
        """Put a notice in place, whole and durable; SetupError NOTICE where that fails. Empty details are left out."""
        moment = self._clock_ns()
        said = {
            "format": FORMAT,
            "at": datetime.fromtimestamp(moment / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": event.value,
            "details": {name: value for name, value in details.items() if value},
        }
        path = self._folder / f"{moment:020d}-{secrets.token_hex(8)}.json"
        try:
            write_whole(path, json.dumps(said), mode=MODE)
        except OSError as error:
            message = f"nothing can be noted for the audit log in '{self._folder}' ({error.strerror}); mend that first"
            raise SetupError("NOTICE", message) from error

    def write_if_possible(self, event: Event, **details: str) -> None:
        """Write a notice of what happens in any case: a refusal, an end. Where that fails, the part's log says so."""
        try:
            self.write(event, **details)
        except SetupError as error:
            log.error("%s: %s", event, error)  # noqa: TRY400  the sentence says it all


class Once:
    """Says whether something is news: the first time, and again after a pause. So a flood is one entry a while."""

    MOST = 1000

    def __init__(self, pause_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._pause_s, self._clock = pause_s, clock
        self._told: dict[tuple[str, ...], float] = {}

    def is_news(self, *what: str) -> bool:
        """Say whether this was not told within the pause, and count it as told."""
        moment = self._clock()
        if moment - self._told.get(what, -self._pause_s) < self._pause_s:
            return False
        self._told.pop(what, None)
        self._told[what] = moment
        if len(self._told) > self.MOST:
            self._told.pop(next(iter(self._told)))
        return True
