"""The kernels: started for servers that run, each in a sandbox of its own, and gone with their server."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from enclave.errors import PermissionDenied, RequestError, SetupError
from enclave.sandbox.kernel_orders import KernelOperation, KernelOrder
from enclave.sandbox.processes import Process
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.sandboxes import Sandboxes
from enclave.sandbox.whole_file import write_whole

log = logging.getLogger("launcher")


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A kernel that was started: of whose server, and its first process."""

    key: ServerKey
    kernel: str
    process: Process


class Kernels:
    """All kernels of this launcher. `check` refuses a start that the directory does not allow (any more)."""

    def __init__(self, path: Path, sandboxes: Sandboxes, most: int, check: Callable[[ServerKey], None]) -> None:
        self._path, self._sandboxes, self._most, self._check = path, sandboxes, most, check
        self._running = _read(path)

    def do(self, key: ServerKey, order: KernelOrder) -> bool:
        """Do what a server says with a kernel of its own; say whether it runs."""
        self.sweep()
        if order.operation is KernelOperation.START:
            self._start(key, order)
        running = self._running.get(order.kernel)
        if running is None or running.key != key:
            return False
        if order.operation is KernelOperation.INTERRUPT:
            running.process.interrupt()
        elif order.operation is KernelOperation.END:
            running.process.ask_to_end()
        elif order.operation is KernelOperation.KILL:
            running.process.kill()
        return True

    def kill_all(self, key: ServerKey) -> None:
        """Kill the kernels of a server."""
        for one in self._of(key):
            one.process.kill()

    def any_of(self, key: ServerKey) -> bool:
        """Say whether kernels of this server run."""
        return bool(self._of(key))

    def sweep(self) -> None:
        """Strike off what ended."""
        ended = [name for name, one in self._running.items() if not one.process.runs()]
        for name in ended:
            one = self._running.pop(name)
            log.info("ended: a kernel of %s for %s", one.key.account, one.key.project)
        if ended:
            self._keep()

    def _start(self, key: ServerKey, order: KernelOrder) -> None:
        self._check(key)
        if order.kernel in self._running:
            raise RequestError("KERNEL_RUNS", "this kernel runs already; end it first")
        if len(self._of(key)) >= self._most:
            raise PermissionDenied("KERNELS_FULL", "no more kernels at once: shut down one of the running ones first")
        process = self._sandboxes.start(self._sandboxes.kernel_box(key, order.kernel, order.folder))
        self._running[order.kernel] = RunningKernel(key, order.kernel, process)
        self._keep()
        log.info("started: a kernel of %s for %s, process %d", key.account, key.project, process.pid)

    def _of(self, key: ServerKey) -> list[RunningKernel]:
        return [one for one in self._running.values() if one.key == key]

    def _keep(self) -> None:
        write_whole(self._path, json.dumps([asdict(one) for one in self._running.values()]))


def _read(path: Path) -> dict[str, RunningKernel]:
    """Return the kernels on record; SetupError where the file is damaged, since kernels would be lost sight of."""
    if not path.exists():
        return {}
    try:
        found = [
            RunningKernel(ServerKey(**one["key"]), str(one["kernel"]), Process(**one["process"]))
            for one in json.loads(path.read_text(encoding="utf-8"))
        ]
    except (ValueError, KeyError, TypeError) as error:
        message = f"'{path}' is damaged; end the kernels of the declared users by hand, then remove the file"
        raise SetupError("LAUNCHER_RECORDS", message) from error
    return {one.kernel: one for one in found}
