"""From the log-in button to the first printed line of a notebook, in a browser; median of some runs.

    python -m tests.bench.bench_login [RUNS]

Each run starts the server anew. The figure includes Chromium and a script that types without a pause to think.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from tests.lib.browser import chromium, first_cell, new_notebook, window
from tests.lib.workbench import PROJECT, Workbench, made_house, started, wait_until

ANALYST = "analyst.one"


def one_run(browser: Browser, workbench: Workbench, notebook: str) -> tuple[float, float]:
    """Return the seconds from log-in until JupyterLab shows, and until the first cell has printed."""
    page = window(browser)
    page.goto(f"{workbench.url}/hub/login?next=%2Fhub%2Fhome")
    page.fill("#username", ANALYST)
    page.fill("#password", workbench.passwords[ANALYST])
    page.check("#ban")
    began = time.monotonic()
    page.click("#log-in")
    page.click(f"[data-project='{PROJECT}'] .button")
    page.wait_for_selector(".jp-LabShell")
    shown = time.monotonic() - began
    assert first_cell(page, notebook, "print(6 * 7)") == "42"
    printed = time.monotonic() - began
    page.context.close()
    return shown, printed


def furnish(workbench: Workbench) -> str:
    """Let the analyst have a notebook in a home that was furnished before, as on every day but the first."""
    session = workbench.session(ANALYST)
    assert session.start_server(ANALYST, PROJECT).status == 200
    notebook = new_notebook(session, f"/user/{ANALYST}/{PROJECT}/")
    stop(workbench)
    return notebook


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def stop(workbench: Workbench) -> None:
    session = workbench.session(ANALYST)
    session.ask("DELETE", f"/hub/api/users/{ANALYST}/servers/{PROJECT}")
    wait_until(lambda: "state stopped" in session.get("/hub/home").text, "the server to stop")


def house() -> Path:
    """Return the house of ENCLAVE_TEST_HOUSE, or make one."""
    if "ENCLAVE_TEST_HOUSE" in os.environ:
        return Path(os.environ["ENCLAVE_TEST_HOUSE"])
    shared = Path(tempfile.mkdtemp(prefix="enclave-bench-"))
    shared.chmod(0o755)
    return made_house(shared)


def main(runs: int) -> None:
    """Measure and print."""
    with started(house()) as workbench, chromium() as browser:
        notebook = furnish(workbench)
        found = []
        for number in range(1, runs + 1):
            found.append(one_run(browser, workbench, notebook))
            stop(workbench)
            say(f"run {number}: JupyterLab after {found[-1][0]:.1f} s, first cell after {found[-1][1]:.1f} s")
        for place, what in enumerate(("JupyterLab", "first cell")):
            say(f"{what}: median {statistics.median(one[place] for one in found):.1f} s of {runs} runs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
