"""Kernels of a notebook server in a sandbox: the launcher starts them, in sandboxes of their own.

The server sees neither their processes nor their data. It talks to them over sockets in a folder that both see, and
asks the launcher to start, interrupt and end them. The kernelspec's command line is not used: the launcher has its own.
"""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any, Final

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from tornado import web

ORDERS: Final = "ENCLAVE_KERNELS"
"""Variable that names the launcher's socket; there in a sandbox only."""

CONNECTIONS: Final = Path("/run/connections")
"""Files that tell kernels where to listen, with the key of their messages: written by the server, read by kernels."""

CHANNELS: Final = Path("/run/channels")
"""Sockets of the kernels."""

PAUSE_S: Final = 0.1
PAUSES_S: Final = (0.2, 0.5, 1.0, 3.0)
"""Pauses before asking again: a launcher that restarts is back within seconds, and ends no kernel."""

_OPERATIONS: Final = {signal.SIGINT: "interrupt", signal.SIGTERM: "end", signal.SIGKILL: "kill"}


class LauncherProvisioner(KernelProvisionerBase):
    """One kernel, as the launcher knows it."""

    _started = False

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started and its end was not seen yet."""
        return self._started

    async def poll(self) -> int | None:
        """Return None while the kernel runs. A launcher that does not answer ended nothing."""
        if not self._started:
            return 0
        try:
            return None if await self._ask("poll") else 0
        except OSError:
            return None

    async def wait(self) -> int | None:
        """Return when the kernel is gone."""
        while await self.poll() is None:  # noqa: ASYNC110  the end happens in another process
            await asyncio.sleep(PAUSE_S)
        self._started = False
        return 0

    async def send_signal(self, signum: int) -> None:
        """Interrupt or end the kernel; other signals do not reach it."""
        operation = _OPERATIONS.get(signal.Signals(signum)) if signum else None
        if self._started and operation:
            await self._ask_patiently(operation)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Write the file that tells the kernel where to listen, for its group to read."""
        manager: Any = self.parent
        manager.transport, manager.ip = "ipc", str(CHANNELS / self.kernel_id)
        manager.connection_file = str(CONNECTIONS / f"{self.kernel_id}.json")
        manager.write_connection_file()
        os.chmod(manager.connection_file, 0o640)  # noqa: PTH101  a call without waiting
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Have the kernel started, in the folder of its notebook; a refusal reaches the page as a sentence."""
        await self._ask_patiently("start", folder=_below_home(kwargs.get("cwd")))
        self._started = True
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """Leave everything to the kernel's manager and the launcher."""

    async def _ask_patiently(self, operation: str, **more: str) -> bool:
        for pause in PAUSES_S:
            try:
                return await self._ask(operation, **more)
            except OSError:
                await asyncio.sleep(pause)
        raise web.HTTPError(503, "The launcher does not answer; try again in a minute, then tell the operator.")

    async def _ask(self, operation: str, **more: str) -> bool:
        reader, writer = await asyncio.open_unix_connection(os.environ[ORDERS])
        try:
            order = {"operation": operation, "kernel": self.kernel_id, **more}
            writer.write(json.dumps(order).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        finally:
            writer.close()
        if not line:
            raise ConnectionError("the launcher broke off")
        answer = json.loads(line)
        if "error" in answer:
            raise web.HTTPError(409, f"{answer['error']['code']}: {answer['error']['message']}")
        return bool(answer["running"])


def _below_home(folder: Any) -> str:
    """Return a folder relative to the home; the home itself for any other."""
    home = Path(os.environ["HOME"])
    try:
        found = str(Path(folder or home).resolve().relative_to(home))
    except ValueError:
        return "."
    return found if found.isprintable() else "."
