"""One workbench for all functional tests of a process, and one house for all processes of a run.

Making the house takes a minute. Whoever works on tests may keep one and name its folder in ENCLAVE_TEST_HOUSE.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib import workbench as kit


def _shared() -> Path:
    """Return the folder of this run; workers are children of the process that people started."""
    runner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    return Path(tempfile.gettempdir()) / f"enclave-tests-{runner}"


def pytest_sessionfinish() -> None:
    """Remove what the run made, when its last process ends."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(_shared(), ignore_errors=True)


@pytest.fixture(scope="session")
def house_with_stage_one() -> Path:
    """A folder with a house of two tables, stage 1 released, its medium and deliveries; tests work on copies."""
    if "ENCLAVE_TEST_HOUSE" in os.environ:
        return Path(os.environ["ENCLAVE_TEST_HOUSE"])
    shared = _shared()
    shared.mkdir(exist_ok=True)
    shared.chmod(0o755)
    return kit.made_house(shared)


@pytest.fixture(scope="session")
def workbench_house(house_with_stage_one: Path) -> Path:
    """The same, where a workbench can be started on it: it stands below a folder that every user can enter."""
    kit.need_workbench()
    return house_with_stage_one


@pytest.fixture(scope="session")
def workbench(workbench_house: Path) -> Iterator[kit.Workbench]:
    """A running workbench. A test that changes something puts it back."""
    with kit.started(workbench_house) as running:
        yield running
