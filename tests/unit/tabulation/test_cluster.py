"""The cluster is closed to everybody else and leaves nothing on disk."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import psutil  # type: ignore[import-untyped]
import pytest
from distributed import Client, Security

from enclave.errors import SetupError
from enclave.tabulation.cluster import local_cluster
from tests.lib.ports import listening

_REFUSED = r"SSL|TCP|[Tt]imed out"
"""The words depend on who closes the connection first."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Client]:
    with local_cluster(2, 2**29, folder) as client:
        yield client


def _workers() -> set[int]:
    """Processes of workers; Python's own helper for its child processes lives as long as this process."""
    return {one.pid for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())}


def _use_and_fail(folder: Path, before: set[int]) -> None:
    with local_cluster(1, 2**29, folder) as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert len(_workers() - before) == 1
        assert list(folder.rglob("worker-*"))
        raise ZeroDivisionError


def _connect(address: str, security: Security | None) -> None:
    """Try to give the scheduler work."""
    with Client(address, security=security, timeout="2s", set_as_default=False):  # type: ignore[no-untyped-call]
        pass


def _state(dask_worker: Any) -> dict[str, Any]:
    manager = dask_worker.memory_manager
    return {
        "disk": [manager.memory_target_fraction, manager.memory_spill_fraction],
        "memory": manager.memory_limit,
        "kept in": type(dask_worker.data).__name__,
        "scratch": dask_worker.local_directory,
        "threads": dask_worker.state.nthreads,
    }


def test_nothing_listens_beyond_loopback(cluster: Client) -> None:
    assert {address.ip for address in listening()} == {"127.0.0.1"}


def test_every_address_of_dask_speaks_tls(cluster: Client) -> None:
    about = cluster.scheduler_info()
    workers = about["workers"]
    assert len(workers) == 2
    addresses = [about["address"], *workers, *(worker["nanny"] for worker in workers.values())]
    assert {address.split("://")[0] for address in addresses} == {"tls"}


def test_a_stranger_on_the_same_machine_is_refused(cluster: Client) -> None:
    address = cluster.scheduler_info()["address"]
    strange = Security.temporary()  # type: ignore[no-untyped-call]
    with pytest.raises(OSError, match="TLS certificate does not match"):
        _connect(address, strange)
    # The stranger may learn the certificate that the scheduler shows to everybody: it still has no key for it.
    strange.tls_ca_file = cluster.security.tls_ca_file
    with pytest.raises(OSError, match=_REFUSED):
        _connect(address, strange)
    with pytest.raises(OSError, match=_REFUSED):
        _connect(address.replace("tls", "tcp"), None)
    _connect(address, cluster.security)


def test_the_web_servers_have_no_pages(cluster: Client) -> None:
    about = cluster.scheduler_info()
    ports = [about["services"]["dashboard"], *(one["services"]["dashboard"] for one in about["workers"].values())]
    for port in ports:
        for page in ("", "status", "health", "metrics", "info/main/workers.html", "json/counts.json"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5)


def test_data_stay_in_memory_and_scratch_in_its_folder(cluster: Client, folder: Path) -> None:
    for state in cluster.run(_state).values():
        assert state["disk"] == [False, False]
        assert state["kept in"] == "dict"
        assert state["memory"] == 2**29
        assert state["threads"] == 1
        assert folder in Path(state["scratch"]).parents


def test_everything_ends_with_the_cluster_also_after_an_error(tmp_path: Path) -> None:
    settings = dask.config.get("distributed")
    before = _workers()
    with pytest.raises(ZeroDivisionError):
        _use_and_fail(tmp_path, before)
    assert _workers() == before
    assert list(tmp_path.iterdir()) == []
    assert dask.config.get("distributed") == settings


@pytest.mark.parametrize(("workers", "name"), [(0, ""), (1, "not-there")])
def test_a_cluster_without_workers_or_scratch_is_refused(workers: int, name: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="CLUSTER_SETUP"), local_cluster(workers, 2**29, tmp_path / name):
        pass
