"""How the hub asks the launcher."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.errors import RequestError, SetupError
from enclave.sandbox.protocol import MAX_LINE

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What the launcher says of one server; `reason` is why it ended, `socket` is where it listens."""

    account: str
    project: str
    running: bool
    socket: str
    reason: str


async def ask(socket: Path, order: Mapping[str, Any]) -> list[Entry]:
    """Give one order and return the servers concerned.

    RequestError with the launcher's own code and sentence for a refusal; OSError while no launcher listens.
    """
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_unix_connection(str(socket), limit=16 * MAX_LINE)
        try:
            writer.write(json.dumps(order).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        finally:
            writer.close()
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise SetupError(
            "LAUNCHER_ANSWER", "the launcher broke off; look into log/launcher.log, then try again"
        ) from error
    if "error" in answer:
        raise RequestError(answer["error"]["code"], answer["error"]["message"])
    return [Entry(**entry) for entry in answer["servers"]]
