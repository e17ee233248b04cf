"""What a notebook server's log says: when, how grave, and from which line of which program; nobody's words.

A log stands outside the sandbox, and names of files and notebooks, and errors, can hold whatever somebody read in the
data. Messages are put together of such names, so none is written but our own sentences; of an error its kind is named.
Whoever has to know more finds the line in the program.
"""

import logging
from typing import Final

from workbench_server import capped

OWN: Final = frozenset({capped.SENTENCE})
"""Sentences of ours, which hold nothing."""


class SoberFormatter(logging.Formatter):
    """Formats an entry without its message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line: time, level, place, kind of error, and the message if it is one of ours."""
        place = f"{record.module}.{record.funcName}:{record.lineno}"
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        words = record.msg if isinstance(record.msg, str) and record.msg in OWN else ""
        return " ".join(part for part in (self.formatTime(record), record.levelname, place, kind, words) if part)
