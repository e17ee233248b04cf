"""What is left of a user is gone, not only told to go, when the launcher strikes its server off."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from enclave.sandbox.processes import kill_user, processes_of

UID = 399_999  # of no user, and outside the range of the workbench's servers
LARGE = "import time; held = b'x' * 400_000_000; print('ready', flush=True); time.sleep(99)"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process as another user")


@pytest.fixture
def large() -> Iterator[subprocess.Popen[str]]:
    """Give a process with much memory: the kernel needs a while to end it."""
    command = [sys.executable, "-I", "-c", LARGE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, user=UID, group=UID, extra_groups=[]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_user_is_killed_when_the_call_returns(large: subprocess.Popen[str]) -> None:
    assert processes_of(UID) == [large.pid]
    kill_user(UID)
    assert processes_of(UID) == []


def test_a_process_that_ended_but_was_not_waited_for_is_no_process(large: subprocess.Popen[str]) -> None:
    large.kill()
    os.waitid(os.P_PID, large.pid, os.WEXITED | os.WNOWAIT)
    assert processes_of(UID) == []
