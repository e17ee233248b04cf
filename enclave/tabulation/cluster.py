"""A cluster of worker processes on this machine, for one task: closed to everybody else, and nothing of it stays."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dask
from distributed import Client, LocalCluster

from enclave.errors import SetupError

_LOOPBACK: Final = "127.0.0.1"

_SETTINGS: Final[dict[str, Any]] = {
    # Data of a worker never go to disk: it has what it needs in memory or it is stopped.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # What was too much for one worker is too much for the next one.
    "distributed.scheduler.allowed-failures": 0,
    # Scheduler and workers open a web server in any case: it has no page.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
}


@contextmanager
def local_cluster(workers: int, memory_limit: int, directory: Path) -> Iterator[Client]:
    """Start `workers` processes of at most `memory_limit` bytes each, and end them whatever happens.

    They listen on loopback only and talk over TLS with keys made for this cluster: another user of the machine can
    neither listen nor give them work. Scratch files stand in a folder of their own in `directory`, which must exist,
    and go with the cluster. SetupError where the folder is missing or there are no workers.
    """
    if workers < 1 or not directory.is_dir():
        raise SetupError("CLUSTER_SETUP", "a cluster needs at least one worker and a folder for scratch; give both")
    with (
        TemporaryDirectory(prefix="cluster-", dir=directory, ignore_cleanup_errors=True) as scratch,
        dask.config.set({**_SETTINGS, "temporary-directory": scratch}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            protocol="tls",
            security=True,
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": f"{_LOOPBACK}:0"},
            memory_limit=memory_limit,
            local_directory=scratch,
            env={"TMPDIR": scratch},
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,  # type: ignore[no-untyped-call]
    ):
        yield client
