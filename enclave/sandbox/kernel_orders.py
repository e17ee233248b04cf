"""What a notebook server may ask of the launcher: its kernels, and nothing but its own.

    {"operation": "start",     "kernel": "<uuid>", "folder": "tutorials"}
    {"operation": "poll",      "kernel": "<uuid>"}
    {"operation": "interrupt", "kernel": "<uuid>"}
    {"operation": "end",       "kernel": "<uuid>"}
    {"operation": "kill",      "kernel": "<uuid>"}

One line, one answer: `{"running": true}`, or `{"error": {"code": ..., "message": ...}}`. Whose server asks is not said:
each has a socket of its own, and the kernel of the machine knows the user at the other end.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from enclave.errors import RequestError
from enclave.sandbox.protocol import MAX_LINE

_KERNEL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST_FOLDER = 1000


class KernelOperation(StrEnum):
    """The five things the launcher does with kernels."""

    START = "start"
    POLL = "poll"
    INTERRUPT = "interrupt"
    END = "end"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class KernelOrder:
    """One order of a server; `folder` is where a kernel starts, below the home."""

    operation: KernelOperation
    kernel: str
    folder: str


def parse(line: bytes) -> KernelOrder:
    """Read one line; RequestError for whatever is not exactly one of the orders."""
    if len(line) > MAX_LINE or not line.endswith(b"\n"):
        raise RequestError("ORDER_LENGTH", "an order is one line, shorter than 64 KiB; send one")
    try:
        found = json.loads(line)
        operation = KernelOperation(found["operation"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError("ORDER_UNKNOWN", "an order is a JSON object that starts, polls or ends a kernel") from error
    wanted = {"operation", "kernel"} | ({"folder"} if operation is KernelOperation.START else set())
    if set(found) != wanted:
        raise RequestError("ORDER_KEYS", f"an order to {operation} has the keys {', '.join(sorted(wanted))}")
    if not isinstance(found["kernel"], str) or _KERNEL.fullmatch(found["kernel"]) is None:
        raise RequestError("ORDER_NAME", "a kernel is named by a UUID; ask for such a name")
    return KernelOrder(operation, found["kernel"], _folder(found.get("folder", "")))


def answer_line(*, running: bool) -> bytes:
    """Return the line that answers an order."""
    return json.dumps({"running": running}).encode() + b"\n"


def _folder(found: object) -> str:
    """Return a folder below the home, as plain text: it becomes a word of a command line inside the sandbox."""
    if not isinstance(found, str) or len(found) > _LONGEST_FOLDER or not found.isprintable():
        raise RequestError("ORDER_FOLDER", "a folder is plain text; start the kernel in another one")
    path = PurePosixPath(found)
    if path.is_absolute() or ".." in path.parts:
        raise RequestError("ORDER_FOLDER", "a kernel starts below the home; start it there")
    return str(path)
