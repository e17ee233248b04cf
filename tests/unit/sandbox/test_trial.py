"""Whether a machine can make sandboxes does not hang on what else runs there."""

import os
import subprocess
from contextlib import ExitStack

import pytest

from enclave.sandbox.trial import try_sandbox
from tests.lib.sandbox_kit import NOBODY, need_sandbox

MANY = 80


def test_many_processes_of_the_user_of_the_trial_do_not_make_it_fail() -> None:
    if os.geteuid() != 0:
        pytest.skip("cannot test here: without root processes are counted anew in each sandbox")
    need_sandbox()
    with ExitStack() as ends:
        for _ in range(MANY):
            process = subprocess.Popen(["sleep", "60"], user=NOBODY, group=NOBODY, extra_groups=[])
            ends.callback(process.wait)
            ends.callback(process.kill)
        try_sandbox()
