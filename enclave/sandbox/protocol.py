"""What the hub may ask of the launcher: one JSON object a line, one answer a line. Everything else is refused.

    {"operation": "start", "account": "analyst.one", "project": "advice-17-17-2016", "environment": {...}}
    {"operation": "poll",  "account": "analyst.one", "project": "advice-17-17-2016"}
    {"operation": "stop",  "account": "analyst.one", "project": "advice-17-17-2016"}
    {"operation": "list"}

An answer is `{"servers": [...]}` with an entry for each server concerned, or
`{"error": {"code": ..., "message": ...}}`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from enclave.errors import RequestError, UserError

MAX_LINE = 64 * 1024
"""Bytes of the longest line that is read."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_KEYS = {"account", "project"}


class Operation(StrEnum):
    """The four things the launcher does."""

    START = "start"
    POLL = "poll"
    STOP = "stop"
    LIST = "list"


@dataclass(frozen=True, slots=True, order=True)
class ServerKey:
    """Whose server for which project. Both are plain names: no slash, no leading dot."""

    account: str
    project: str

    def __post_init__(self) -> None:
        for name in (self.account, self.project):
            if not isinstance(name, str) or _NAME.fullmatch(name) is None:
                raise RequestError("ORDER_NAME", "account and project are a-z, 0-9, '.', '_', '-'; ask for such names")


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the hub; `key` is None for a list, `environment` is empty for all but a start."""

    operation: Operation
    key: ServerKey | None
    environment: Mapping[str, str]


def parse(line: bytes) -> Order:
    """Read one line; RequestError for whatever is not exactly one of the four orders."""
    if len(line) > MAX_LINE or not line.endswith(b"\n"):
        raise RequestError("ORDER_LENGTH", "an order is one line, shorter than 64 KiB; send one")
    try:
        found = json.loads(line)
        operation = Operation(found["operation"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError("ORDER_UNKNOWN", "an order is a JSON object with start, poll, stop or list") from error
    wanted = {"operation"} | (_KEYS if operation is not Operation.LIST else set())
    if operation is Operation.START:
        wanted |= {"environment"}
    if set(found) != wanted:
        raise RequestError("ORDER_KEYS", f"an order to {operation} has the keys {', '.join(sorted(wanted))}")
    key = None if operation is Operation.LIST else ServerKey(found["account"], found["project"])
    return Order(operation, key, _environment(found.get("environment", {})))


def _environment(found: object) -> Mapping[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise RequestError("ORDER_ENVIRONMENT", "an environment is an object of texts")
    return found


def answer_line(servers: list[dict[str, object]]) -> bytes:
    """Return the line that answers an order."""
    return json.dumps({"servers": servers}).encode() + b"\n"


def error_line(error: UserError) -> bytes:
    """Return the line that refuses an order."""
    return json.dumps({"error": {"code": error.code, "message": error.message}}).encode() + b"\n"
