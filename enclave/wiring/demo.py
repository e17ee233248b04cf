"""The whole job on made-up data, unattended: what `make run` and `make demo` show, and what tests of the path run.

Every step is the one that people take. The two checkers are made up; they approve whatever the gateway's own attacker
let pass.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from enclave.errors import EnclaveBug
from enclave.gateway.request import Request
from enclave.gateway.review import Decision
from enclave.ledger.audit_log import read_anchor
from enclave.ledger.fsck import fsck
from enclave.ledger.report import ProtectionReport
from enclave.ledger.verify_release import verify
from enclave.policy.model import Policy
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import Preset
from enclave.vault.protection import Opener
from enclave.wiring.house import House, made_up_people, make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file, key_file
from enclave.wiring.outsider import Finding, attack_folders
from enclave.wiring.ports import now
from enclave.wiring.production import Say, derive_results, prepare_year, produce, take_in_all
from enclave.wiring.settings import POLICIES, Settings

POLICY = "advice-17-17"
SEED = 17
MEDIUM = Path("medium") / "master.key"
"""The key file of a house for made-up data, beside the house: nobody has to bring it, so it protects nothing."""
PURPOSE = "yearly tables of the advice, on made-up data"


@dataclass(frozen=True)
class YearDone:
    """What one year came to."""

    year: int
    inside: Path
    outside: Path
    report: ProtectionReport
    report_folder: Path


def run_demo(
    root: Path, preset: Preset, years: tuple[int, ...], *, say: Say, policies: Path = POLICIES
) -> list[YearDone]:
    """Make a house in an empty folder and take each year from made-up deliveries to both signed releases.

    Returns only if every release verifies, the books agree with each other, and the attack on what was published
    finds nothing.
    """
    say(f"making a house for made-up data in {root}")
    make_house(root / "house", synthetic=True, protect=by_new_key_file(root / MEDIUM), policies=policies)
    opener = opener_of(root)
    done = []
    for year in years:
        deliveries = root / "deliveries" / str(year)
        say(f"{year}: writing made-up deliveries (SYNTHETIC)")
        with open_house(root / "house", opener) as house:
            world = house.reference.made_up_world()
            write_deliveries(preset, deliveries, year=year, seed=SEED, references=world, progress=say)
            done.append(_one_year(house, deliveries, year, say=say))
    look_at_everything(root, [folder for year in done for folder in (year.inside, year.outside)], say=say)
    return done


def opener_of(root: Path) -> Opener:
    """Return what opens the house of a demonstration in this folder."""
    return key_file(root / MEDIUM, Settings.read(root / "house"))


def _one_year(house: House, deliveries: Path, year: int, *, say: Say) -> YearDone:
    policy = house.reference.policy(POLICY)
    people = made_up_people(policy.project_id(year), now().date() + timedelta(days=365))
    house.register.enrol(people, "steward.one")
    say(f"{year}: taking deliveries in")
    for report in take_in_all(house, deliveries, "steward.one", say=lambda _: None):
        say(report.to_text().rstrip())
    say(prepare_year(house, policy, year, "staff.one", say=lambda _: None).to_text().rstrip())
    produced = produce(house, policy, year, "staff.one", purpose=PURPOSE, say=say)
    inside = approve_and_release(house, produced.request, say=say)
    outside = release_results(house, policy, year, say=say)
    return YearDone(year, inside, outside, produced.report, produced.folder)


def release_results(house: House, policy: Policy, year: int, *, say: Say) -> Path:
    """Take stage 2 of a year from the shipped expressions to its release; return the folder of the release."""
    derivations = house.reference.derivations(house.settings.policies / "results" / f"{policy.id}.yaml")
    request = derive_results(house, policy, year, "analyst.one", derivations, purpose=PURPOSE, say=say)
    return approve_and_release(house, request, say=say)


def approve_and_release(house: House, request: Request, *, say: Say) -> Path:
    """Let the two made-up checkers approve, release, and return the folder of the release."""
    for checker in ("checker.one", "checker.two"):
        house.gateway.vote(request.id, checker, Decision.APPROVE, "checked on made-up data")
    say(f"request {request.id}: approved by two checkers; attacking once more before the release")
    outcome = house.gateway.release(request.id, "operator.one")
    if outcome.release is None:
        raise EnclaveBug("DEMO_SENT_BACK", f"request {request.id} was sent back; the demonstration cannot go on")
    folder = house.settings.outboxes[request.stage] / outcome.release
    say(f"released: {folder}")
    return folder


def look_at_everything(root: Path, releases: list[Path], *, say: Say) -> None:
    """Look once more at a demonstration and its releases, as auditor and as recipient would.

    Raises EnclaveBug where anything does not verify, or the attack on what was published finds something.
    """
    with open_house(root / "house") as house:
        key = house.settings.release_public_key.read_bytes()
        problems = fsck(house.book, house.settings.outboxes, key, read_anchor(house.settings.anchor))
    for folder in releases:
        problems += [f"{folder.name}: {problem}" for problem in verify(folder, key)]
    if problems:
        raise EnclaveBug("DEMO_PROBLEMS", "; ".join(problems))
    say("every release verifies; outbox, log and state agree")
    _tell(attack_folders(releases, key), say)


def _tell(finding: Finding, say: Say) -> None:
    for line in finding.lines():
        say(line)
    if not finding.passed:
        raise EnclaveBug("DEMO_ATTACK", "the attack on what was published found something")
