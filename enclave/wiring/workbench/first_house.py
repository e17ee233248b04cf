"""The first house of a workbench: made-up deliveries taken in and prepared, stage 1 released. People go on from there.

Runs as the gateway's user, in a process of its own: `python -m enclave.wiring.workbench.first_house ROOT`.
"""

import shutil
import sys
from datetime import timedelta
from pathlib import Path

from enclave.errors import EnclaveError
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import Preset
from enclave.wiring.demo import POLICY, PURPOSE, SEED, approve_and_release
from enclave.wiring.house import made_up_people, make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file, key_file
from enclave.wiring.ports import now
from enclave.wiring.production import Say, prepare_year, produce, take_in_all
from enclave.wiring.settings import POLICIES, Settings
from enclave.wiring.workbench.layout import MASTER_KEY, Layout

YEAR = 2016
TRAINED = timedelta(days=365)


def make_first_house(layout: Layout, *, say: Say, policies: Path = POLICIES, preset: Preset = Preset.DEMO) -> None:
    """Make the house below `building`; whoever called puts it in its place. What a crash left is thrown away."""
    for left_over in layout.building.iterdir():
        shutil.rmtree(left_over)
    root = layout.building / "house"
    say("making a house for made-up data")
    medium = layout.building / layout.medium.name / MASTER_KEY
    make_house(root, synthetic=True, protect=by_new_key_file(medium), policies=policies)
    with open_house(root, key_file(medium, Settings.read(root))) as house:
        policy = house.reference.policy(POLICY)
        people = made_up_people(policy.project_id(YEAR), now().date() + TRAINED)
        house.register.enrol(people, "steward.one")
        say("writing made-up deliveries (SYNTHETIC) and taking them in")
        deliveries = layout.building / "deliveries"
        world = house.reference.made_up_world()
        write_deliveries(preset, deliveries, year=YEAR, seed=SEED, references=world, progress=_nothing)
        take_in_all(house, deliveries, "steward.one", say=_nothing)
        say("linking, coding and storing the year's data")
        prepare_year(house, policy, YEAR, "staff.one", say=_nothing)
        produced = produce(house, policy, YEAR, "staff.one", purpose=PURPOSE, say=say)
        approve_and_release(house, produced.request, say=say)


def _nothing(_line: str) -> None:
    """Keep quiet: reports of counts are for stewards, not for whoever starts the workbench."""


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        make_first_house(Layout(Path(sys.argv[1])), say=_say)
    except EnclaveError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
