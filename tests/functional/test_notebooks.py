"""The tutorial notebooks, run as they stand: in the analysts' environment, against a real gateway on a made-up year."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from enclave.gateway.request import RequestState
from tests.functional.test_whole_path import two_tables
from tests.lib.analyst_environment import PYTHON, ROOT, installed, need_analyst_environment
from tests.lib.notebook_house import PROJECT, NotebookHouse, prepared_house

TUTORIALS = ROOT / "kernels" / "tutorials"
SECONDS_PER_CELL = 600

pytestmark = pytest.mark.timeout(1800)


@dataclass(frozen=True)
class Desk:
    """Where notebooks are run."""

    house: NotebookHouse
    environment: dict[str, str]
    folder: Path

    def run(self, name: str, account: str) -> str:
        """Run a tutorial as this person; return all that it printed. Fails where a cell fails."""
        notebook = self.folder / name
        shutil.copyfile(TUTORIALS / name, notebook)
        self._execute(notebook, account)
        ran = json.loads(notebook.read_text(encoding="utf-8"))
        return "\n".join(text for cell in ran["cells"] for text in _printed(cell))

    def cells(self, account: str, *sources: str) -> list[str]:
        """Run these cells as this person; they may fail. Return what each printed."""
        notebook = self.folder / "cells.ipynb"
        empty: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [{"id": f"c{number}", "source": source, **empty} for number, source in enumerate(sources)]
        kernel = {"kernelspec": {"name": "enclave", "display_name": "", "language": "python"}}
        content = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        notebook.write_text(json.dumps(content), encoding="utf-8")
        self._execute(notebook, account, "--allow-errors")
        ran = json.loads(notebook.read_text(encoding="utf-8"))
        return ["\n".join(_printed(cell)) for cell in ran["cells"]]

    def _execute(self, notebook: Path, account: str, *options: str) -> None:
        line = [str(PYTHON), "-m", "jupyter", "execute", "--inplace", f"--timeout={SECONDS_PER_CELL}", *options]
        environment = {
            **self.environment,
            "HOME": str(self.folder),
            "ENCLAVE_GATEWAY_SOCKET": str(self.house.socket(account)),
            "ENCLAVE_PROJECT": PROJECT,
        }
        ended = subprocess.run(
            [*line, str(notebook)], env=environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr[-3000:]


def _printed(cell: dict[str, Any]) -> list[str]:
    texts: list[str] = []
    for output in cell.get("outputs", ()):
        texts += output.get("text", ())
        texts += output.get("data", {}).get("text/plain", ())
        texts += output.get("traceback", ())
    return texts


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    need_analyst_environment()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with prepared_house(folder, two_tables(folder / "policies")) as house:
            (folder / "home").mkdir()
            yield Desk(house, installed(folder / "installed"), folder / "home")


@pytest.fixture(scope="module")
def staff_notebook(desk: Desk) -> str:
    return desk.run("cbss-staff.ipynb", "staff.one")


@pytest.fixture(scope="module")
def analyst_notebook(desk: Desk, staff_notebook: str) -> str:
    """Run the analyst's notebook after the tables of the other one were approved and released."""
    (request,) = desk.house.house.gateway.requests("staff.one")
    desk.house.approve_and_release(request)
    return desk.run("analyst.ipynb", "analyst.one")


@pytest.fixture(scope="module")
def result(desk: Desk, analyst_notebook: str) -> Path:
    """Return the release of what the analyst's notebook asked for."""
    requests = [r for r in desk.house.house.gateway.requests("analyst.one") if r.author == "analyst.one"]
    assert [(r.stage.value, r.state) for r in requests] == [("outside", RequestState.SUBMITTED)]
    return desk.house.approve_and_release(requests[0])


def test_staff_go_from_microdata_to_a_request_for_the_yearly_tables(desk: Desk, staff_notebook: str) -> None:
    assert "RAW, not checked" in staff_notebook
    assert "with the output checkers" in staff_notebook
    (request,) = desk.house.house.gateway.requests("staff.one")[-1:]
    assert request.author == "staff.one"
    assert request.purpose == "yearly tables of the advice"


def test_an_analyst_goes_from_released_tables_to_a_requested_result(analyst_notebook: str, result: Path) -> None:
    assert "RAW" not in analyst_notebook
    assert "<NA>" in analyst_notebook
    manifest = json.loads((result / "manifest.json").read_text(encoding="utf-8"))
    assert [table["id"] for table in manifest["tables"]] == ["at_work", "position_share", "at_work_change"]


LOOK_AHEAD = """
import pandas, workbench
project = workbench.open()
title = dict(nl="a", fr="b", en="c")
made = project.share("position_share", table="t3", denominator={"position": "_T"}, decimals=1, title=title)
printed = pandas.read_csv("FOLDER/tables/position_share.csv", dtype=str, keep_default_na=False)
keys = ["sex", "region", "position", "TIME_PERIOD"]
ahead, there = made.frame.set_index(keys).sort_index(), printed.set_index(keys).sort_index()
figures = ahead["OBS_VALUE"].map(lambda value: "" if pandas.isna(value) else f"{value:.1f}")
same = (figures == there["OBS_VALUE"]) & (ahead["CONF_STATUS"] == there["CONF_STATUS"])
print(len(there), "cells,", int((~same).sum()), "differ,", int((there["CONF_STATUS"] == "C").sum()), "hidden")
"""
ASK_PAST_THE_LIBRARY = """
from workbench.gateway import Gateway
Gateway.from_environment().arrow("projects", project.id, "data", project.periods[0])
"""
TWO_PROCESSES = """
import workbench
project = workbench.open()
one = project.table("t1", period=project.periods[:2]).frame
with workbench.cluster(2) as client:
    two = project.table("t1", period=project.periods[:2]).frame
    print(len(client.scheduler_info()["workers"]), "workers over", client.scheduler.address.split(":")[0])
print("same:", one.equals(two))
"""


def test_the_look_ahead_is_what_is_released_and_microdata_stay_closed(desk: Desk, result: Path) -> None:
    look_ahead = LOOK_AHEAD.replace("FOLDER", str(result))
    compared, refused, refused_again = desk.cells("analyst.one", look_ahead, "project.data()", ASK_PAST_THE_LIBRARY)
    assert " 0 differ" in compared, compared
    assert " 0 hidden" not in compared
    assert refused.startswith("NO_MICRODATA: you may not open the microdata")
    assert refused_again.startswith("NOT_CBSS_STAFF: "), "the gateway refuses whatever the library says"
    assert "Traceback" not in refused + refused_again


def test_somebody_of_no_project_is_told_so_in_one_sentence(desk: Desk) -> None:
    (said,) = desk.cells("nobody.one", "import workbench\nworkbench.open()")
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


def test_a_cluster_of_processes_counts_alike(desk: Desk) -> None:
    (said,) = desk.cells("staff.one", TWO_PROCESSES)
    assert "2 workers over tls" in said, said
    assert "same: True" in said


@pytest.mark.parametrize("path", sorted(TUTORIALS.glob("*.ipynb")), ids=lambda path: path.name)
def test_tutorials_are_kept_without_outputs_and_for_our_kernel(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "enclave"
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
