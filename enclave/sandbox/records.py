"""The running servers, on disk: a launcher that starts again takes them over as they are."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.processes import Process
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class Running:
    """A server that was started: whose, as which user, which process."""

    key: ServerKey
    uid: int
    process: Process


def read(path: Path) -> dict[ServerKey, Running]:
    """Return the servers on record; SetupError where the file is damaged, since servers would be lost sight of."""
    if not path.exists():
        return {}
    try:
        return {one.key: one for one in map(_running, json.loads(path.read_text(encoding="utf-8")))}
    except (ValueError, KeyError, TypeError) as error:
        message = f"'{path}' is damaged; end the servers of the declared users by hand, then remove the file"
        raise SetupError("LAUNCHER_RECORDS", message) from error


def write(path: Path, servers: Iterable[Running]) -> None:
    """Put the servers on record."""
    write_whole(path, json.dumps([asdict(one) for one in servers]))


def _running(entry: dict[str, dict[str, str]]) -> Running:
    return Running(ServerKey(**entry["key"]), int(str(entry["uid"])), _process(entry["process"]))


def _process(entry: dict[str, str]) -> Process:
    return Process(int(entry["pid"]), int(entry["born"]), entry["boot"])
