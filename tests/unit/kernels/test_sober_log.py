"""The log of a notebook server holds no words but ours. Run in the analysts' environment, where the package stands."""

import subprocess

from tests.lib.analyst_environment import PYTHON, ROOT, need_analyst_environment

WRITES = """
import logging, sys
sys.path.append("kernels")
from workbench_server import capped, sober
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(sober.SoberFormatter())
log = logging.getLogger("any")
log.addHandler(handler)
name = "canary"
log.warning("Saving file at %s", name)
log.warning(f"No such file: {name}")
log.warning({name: 1})
try:
    raise KeyError(name)
except KeyError:
    log.exception("while opening %s", name)
log.warning(capped.SENTENCE)
"""


def test_an_entry_says_when_how_grave_and_where_and_nothing_that_was_put_in() -> None:
    need_analyst_environment()
    ended = subprocess.run([str(PYTHON), "-c", WRITES], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = ended.stdout.splitlines()
    assert "canary" not in ended.stdout
    assert [line.split()[2] for line in lines] == ["WARNING", "WARNING", "WARNING", "ERROR", "WARNING"]
    assert lines[3].endswith("KeyError")
    assert "OUTPUT_CAPPED" in lines[4]
