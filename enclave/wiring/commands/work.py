"""What brings data in and makes tables of them: from made-up deliveries to requests, and all of it at once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from enclave.errors import RequestError
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import YEARS, Preset
from enclave.wiring import production
from enclave.wiring.demo import run_demo
from enclave.wiring.house import House
from enclave.wiring.production import Say
from enclave.wiring.reference import Reference
from enclave.wiring.settings import POLICIES

PRESETS = tuple(preset.value for preset in Preset)


def synth(preset: str, out: Path, year: int | None, seed: int, *, say: Say) -> None:
    """Write made-up deliveries."""
    world = Reference.load(POLICIES).made_up_world()
    chosen = Preset(preset)
    write_deliveries(chosen, out, year=year or chosen.year, seed=seed, references=world, progress=say)


def take_in(house: House, account: str, folders: Sequence[Path], *, correction: bool, say: Say) -> Iterator[str]:
    """Take delivery folders in; the first refusal ends with its error, after all reports of its folder."""
    for folder in folders:
        report = production.take_in(house, folder, account, correction=correction, say=say)
        yield report.to_text().rstrip()
        report.require_all()


def prepare(house: House, account: str, policy_id: str, year: int, *, say: Say) -> str:
    """Prepare a year's data; return the report for stewards."""
    return production.prepare_year(house, house.reference.policy(policy_id), year, account, say=say).to_text().rstrip()


def produce(house: House, account: str, policy_id: str, year: int, purpose: str, *, say: Say) -> tuple[str, str]:
    """Produce a year's tables; return the request's id and where the report is."""
    policy = house.reference.policy(policy_id)
    made = production.produce(house, policy, year, account, purpose=purpose, say=say)
    return made.request.id, f"report for stewards: {made.folder / 'protection.html'}"


def derive(house: House, account: str, policy_id: str, year: int, *, results: Path, purpose: str, say: Say) -> str:
    """Derive results; return the request's id."""
    policy = house.reference.policy(policy_id)
    derivations = house.reference.derivations(results)
    return production.derive_results(house, policy, year, account, derivations, purpose=purpose, say=say).id


def demo(preset: str, root: Path, years: int, *, say: Say) -> Iterator[str]:
    """Do the whole job; tell where the releases and the reports are."""
    if not 1 <= years <= len(YEARS):
        raise RequestError("DEMO_YEARS", f"the made-up world has {len(YEARS)} years; ask for 1 to {len(YEARS)}")
    for done in run_demo(root, Preset(preset), YEARS[:years], say=say):
        together = done.report.together
        yield f"{done.year}: {together.cells} cells, {together.primary} primary, {together.secondary} secondary hidden"
        yield f"{done.year}: inside   {done.inside}"
        yield f"{done.year}: outside  {done.outside}"
        yield f"{done.year}: report   {done.report_folder / 'protection.html'}"
