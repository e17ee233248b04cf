"""The escape battery on the sandboxes of a workbench that nobody started as root."""

import os
import subprocess
import sys

import pytest

from tests.lib.analyst_environment import need_analyst_environment
from tests.lib.sandbox_kit import NOBODY, ROOT, need_sandbox_without_root
from tests.sandbox.battery import NEEDS_ROOT
from tests.sandbox.bombs import BOMBS

pytestmark = pytest.mark.timeout(600)

FEWEST = 320


def become() -> list[str]:
    """Return the words that make somebody else of root."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []


def battery(*asked: str) -> list[tuple[str, str, str]]:
    """Run the battery as somebody who is not root; return side, outcome and the rest of every line."""
    need_analyst_environment()
    need_sandbox_without_root()
    line = [*become(), sys.executable, "-B", "-m", "tests.sandbox.battery", *asked]
    said = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert " probes, " in said.stdout, said.stderr
    *lines, _ = said.stdout.splitlines()
    return [(one[:7].strip(), one[20:37].strip(), one[38:]) for one in lines]


UNSHARE = """
import os, struct, sys, tempfile
from dataclasses import replace
from pathlib import Path
from enclave.sandbox import box, trial
from tests.sandbox.battery import leave_out

EVERYTHING_ALLOWED = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)
leave_out(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    stage, log = Path(folder, "stage"), Path(folder, "log")
    stage.mkdir()
    made = replace(trial._nothing(log), line=("/usr/bin/unshare", "--user", "/usr/bin/true"))
    _, outside = box.start(made, stage, EVERYTHING_ALLOWED)
    ended = os.waitstatus_to_exitcode(os.waitpid(outside, 0)[1])
    print("made" if ended == 0 else log.read_text())
"""


@pytest.mark.parametrize(("left_out", "said"), [("nothing", "unshare failed"), ("--disable-userns", "made")])
def test_even_without_the_filter_of_calls_nobody_inside_makes_a_namespace_of_users(left_out: str, said: str) -> None:
    need_sandbox_without_root()
    asked = [*become(), sys.executable, "-B", "-c", UNSHARE, left_out]
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert said in ended.stdout, ended.stdout + ended.stderr


def test_nothing_is_open_but_what_only_root_can_close() -> None:
    found = battery()
    assert [one for one in found if one[1] in {"OPEN", "BROKEN"}] == []
    assert len(found) >= FEWEST
    only_root = [(side, rest.rpartition(" (")[0]) for side, outcome, rest in found if outcome == "needs root"]
    assert set(only_root) == {*NEEDS_ROOT, *(("kernel", bomb.name) for bomb in BOMBS if bomb.root_for)}


@pytest.mark.parametrize(
    ("left_out", "name"),
    [
        ("--unshare-net", "TCP to a port of the host, IPv4"),
        ("--unshare-net", "an abstract socket of the host"),
        ("--unshare-ipc", "shared memory of the host (System V)"),
    ],
)
def test_without_a_namespace_a_probe_finds_a_way(left_out: str, name: str) -> None:
    assert ("kernel", "OPEN", name) in battery(f"--without={left_out}", f"--only={name}")
