"""A small Dask cluster for this project, closed to everybody else."""

import logging
import tempfile
from typing import Any, Final

import dask
from distributed import Client

_LOOPBACK: Final = "127.0.0.1"

_SETTINGS: Final[dict[str, Any]] = {
    # Data of a worker stay in memory: nothing is written to disk.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    # Scheduler and workers open a web server in any case: it has no page.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


def cluster(workers: int = 0, *, memory: str = "2GiB") -> Client:
    """Start a local Dask cluster, and use it for what is computed from now on.

    * `workbench.cluster()`: threads of this notebook, enough for most work.
    * `workbench.cluster(2)`: two processes of at most `memory` each. They listen on this machine only and talk over TLS
      with keys made for this cluster.

    It has no dashboard. `client.close()` ends it; so does the end of the notebook's kernel.
    """
    dask.config.set(_SETTINGS)
    shared: dict[str, Any] = {
        "dashboard_address": None,
        "scheduler_kwargs": {"dashboard": False, "dashboard_address": f"{_LOOPBACK}:0"},
        "worker_dashboard_address": f"{_LOOPBACK}:0",
        "local_directory": tempfile.mkdtemp(prefix="cluster-"),
        "silence_logs": logging.ERROR,
    }
    if not workers:
        return Client(n_workers=1, processes=False, **shared)  # type: ignore[no-untyped-call]
    shared |= {"threads_per_worker": 1, "protocol": "tls", "security": True, "memory_limit": memory}
    return Client(n_workers=workers, host=_LOOPBACK, **shared)  # type: ignore[no-untyped-call]
