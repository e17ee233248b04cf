from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kernels import workbench
from kernels.workbench import gateway
from tests.lib.small_project import CELLS, PERIODS, PROJECT, facts, quarter, released
from tests.lib.unix_server import UnixServer, serve

API = "/services/gateway/api"
ROWS = [(1, "M", "11"), (2, "M", "12"), (3, "F", "11"), (3, "F", "11"), (4, "F", "2")]
"""Data of a quarter; person 3 stands there twice."""

Opened = Callable[..., workbench.Project]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[UnixServer]:
    """Serve the small project; the environment is that of a notebook server of the project."""
    with TemporaryDirectory() as folder, serve(Path(folder)) as known:
        monkeypatch.setenv(gateway.SOCKET, known.socket)
        monkeypatch.setenv(workbench.PROJECT, PROJECT)
        monkeypatch.setattr(gateway, "PAUSES_S", (0.01, 0.01))
        known.answers |= {f"GET {API}/projects/{PROJECT}/data/{period}": quarter(ROWS) for period in PERIODS}
        known.answers[f"GET {API}/projects/{PROJECT}/tables/t1"] = released(CELLS)
        yield known


@pytest.fixture
def opened(server: UnixServer) -> Opened:
    """Return a function that opens the project with these rights."""

    def open_with(*may: str, language: str = "en", state: str = "open") -> workbench.Project:
        server.answers[f"GET {API}/me"] = {"account": "a", "language": language}
        server.answers[f"GET {API}/projects/{PROJECT}"] = facts(*may, state=state)
        return workbench.open()

    return open_with


@pytest.fixture
def analyst(opened: Opened) -> workbench.Project:
    return opened("tables", "request_outside")


@pytest.fixture
def staff(opened: Opened) -> workbench.Project:
    return opened("microdata", "tables", "request_inside")
