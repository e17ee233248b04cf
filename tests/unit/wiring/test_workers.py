"""Several processes, one order of results, and a sentence when one of them dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.wiring.workers import workers


def test_results_come_in_the_order_of_the_parts_and_progress_is_told() -> None:
    said: list[str] = []
    with workers(said.append) as run:
        assert list(run(abs, [-3, 2, -1])) == [3, 2, 1]
    assert said[-1] == "  3 of 3 connected parts"


def test_a_worker_that_dies_is_a_sentence_and_not_a_traceback() -> None:
    with workers() as run, pytest.raises(SetupError) as lost:
        list(run(os._exit, [1]))
    assert lost.value.code == "WORKER_LOST"


_PARENT = """
import os, sys, time
from pathlib import Path
from enclave.wiring.workers import workers
from tests.unit.wiring.test_workers import tell_and_wait
if __name__ == "__main__":
    with workers() as run:
        list(run(tell_and_wait, [Path(sys.argv[1])]))
"""
_PATIENCE_S = 60.0


def tell_and_wait(told: Path) -> None:
    """Tell which process this is, and never end by itself."""
    told.with_suffix(".part").write_text(str(os.getpid()), encoding="utf-8")
    told.with_suffix(".part").rename(told)
    time.sleep(10 * _PATIENCE_S)


def _within_patience(happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program, told = tmp_path / "parent.py", tmp_path / "worker"
    program.write_text(_PARENT, encoding="utf-8")
    root = Path(__file__).parents[3]
    parent = subprocess.Popen([sys.executable, str(program), str(told)], env={**os.environ, "PYTHONPATH": str(root)})
    try:
        assert _within_patience(told.exists)
        worker = int(told.read_text(encoding="utf-8"))
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert _within_patience(lambda: not Path(f"/proc/{worker}").exists() or _is_dead(worker))


def _is_dead(process: int) -> bool:
    """Say whether nobody but its next parent has still to take note of its end."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
