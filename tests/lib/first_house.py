"""`python -m tests.lib.first_house FOLDER`: the workbench's first house, with two tables instead of six."""

import shutil
import sys
from pathlib import Path

from enclave.synthetic.presets import Preset
from enclave.wiring.workbench.first_house import make_first_house
from enclave.wiring.workbench.layout import Layout
from tests.functional.test_whole_path import two_tables

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "building").mkdir(parents=True)
    folder.chmod(0o755)
    policies = two_tables(folder / "policies")
    shutil.rmtree(policies / "projects")  # tests share it, and change memberships through the register
    make_first_house(Layout(folder), say=print, policies=policies, preset=Preset.TINY)
