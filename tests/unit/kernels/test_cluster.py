"""The one-line cluster of a notebook: on loopback, without pages, and gone when it is closed."""

import urllib.error
import urllib.request

import pytest

from kernels import workbench
from tests.lib.ports import listening

pytestmark = pytest.mark.parametrize("workers", [0, 2], ids=["threads", "processes"])


def test_a_cluster_listens_on_loopback_alone_and_has_no_page(workers: int) -> None:
    before = set(listening())
    with workbench.cluster(workers, memory="512MiB") as client:
        opened = set(listening()) - before
        assert {address.ip for address in opened} == {"127.0.0.1"}
        about = client.scheduler_info()
        for one in (about, *about["workers"].values()):
            for page in ("", "status", "health", "metrics"):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(f"http://127.0.0.1:{one['services']['dashboard']}/{page}", timeout=5)


def test_processes_talk_over_tls_and_threads_by_memory(workers: int) -> None:
    with workbench.cluster(workers, memory="512MiB") as client:
        about = client.scheduler_info()
        scheme = "tls://" if workers else "inproc://"
        assert len(about["workers"]) == max(1, workers)
        assert all(address.startswith(scheme) for address in (about["address"], *about["workers"]))


def test_what_is_closed_listens_no_more(workers: int) -> None:
    before = set(listening())
    client = workbench.cluster(workers, memory="512MiB")
    assert set(listening()) - before
    client.close()  # type: ignore[no-untyped-call]
    assert not set(listening()) - before
