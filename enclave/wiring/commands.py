"""What the commands of the command line do, apart from parsing and printing."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from enclave.errors import IntegrityError, RequestError
from enclave.gateway import permissions
from enclave.gateway.log_entry import SYSTEM, LogAction
from enclave.gateway.permissions import Person, Role
from enclave.gateway.retention import Extension
from enclave.gateway.review import Decision
from enclave.ledger.audit_log import read_anchor
from enclave.ledger.fsck import fsck
from enclave.ledger.verify_certificate import examine, summary
from enclave.ledger.verify_release import verify as verify_folder
from enclave.policy.reading.diff import diff
from enclave.policy.reading.show import show
from enclave.policy.reading.words import Language
from enclave.policy.strict_yaml import read as read_yaml
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import YEARS, Preset
from enclave.wiring import production
from enclave.wiring.demo import run_demo
from enclave.wiring.house import House, make_house, open_house
from enclave.wiring.keys import operator_client
from enclave.wiring.keys.door import DoorStatus
from enclave.wiring.keys.key_holder import Protect, master_key
from enclave.wiring.outsider import Finding, attack_folders
from enclave.wiring.production import Say
from enclave.wiring.reference import Reference
from enclave.wiring.settings import POLICIES, Settings

PRESETS = tuple(preset.value for preset in Preset)
DECISIONS = tuple(decision.value for decision in Decision)


def make(root: Path, *, synthetic: bool, protect: Protect) -> None:
    """Make a house."""
    make_house(root, synthetic=synthetic, protect=protect)


def door(root: Path) -> Iterator[str]:
    """Tell how the vault of a house stands: in its running gateway, or on disk."""
    told = operator_client.status(operator_client.socket_of(root))
    running = told is not None
    if told is None:
        master = master_key(Settings.read(root))
        told = DoorStatus(locked=True, since=None, protection=master.protection.words, generation=master.generation)
        yield "vault: locked (no gateway runs)"
    elif told.locked or told.since is None:
        yield "vault: locked in the running gateway"
    else:
        yield f"vault: unlocked in the running gateway since {told.since:%Y-%m-%d %H:%M:%S %Z}"
    yield f"master key: opened by {told.protection}; generation {told.generation}"
    if running:
        yield from operator_client.projects(operator_client.socket_of(root))
    else:
        yield from _terms(root)


def _terms(root: Path) -> Iterator[str]:
    """Tell when projects close, as the owner of the house; to others, who may tell it."""
    if root.stat().st_uid != os.geteuid():
        yield "when projects close: type this as the owner of the house, or start the workbench"
        return
    with open_house(root) as house:
        yield from house.retention.lines()


def extend(house: House, account: str, project: str, extension: Extension) -> str:
    """Record a decision that a project's data may be kept longer; a decision that does not count is refused."""
    person = house.allow(account, "extend", lambda one: permissions.check_extend(one, project))
    try:
        term = house.retention.extend(project, extension, person.id, account)
    except RequestError as refusal:
        house.log(SYSTEM, LogAction.REFUSED, "extend", account=account, operation="extend", code=refusal.code)
        raise
    return f"{project}: its data may be used until {term.until}, by decision {extension.ruling}"


def enrol(house: House, account: str, people: Path) -> str:
    """Enrol the persons of a file; the first persons of a house are enrolled by whoever made it."""
    if not house.register.is_empty:
        house.allow(account, "enrol", permissions.check_enrol)
    data = read_yaml(people.name, people.read_text(encoding="utf-8")).data
    listed = data.get("people") if isinstance(data, Mapping) else None
    if not isinstance(listed, tuple):
        raise RequestError("PEOPLE_FILE", f"{people.name}: write one list under `people:`")
    persons = [_person(entry, f"{people.name}, entry {number}") for number, entry in enumerate(listed, start=1)]
    house.register.enrol(persons, account)
    return f"enrolled {', '.join(person.id for person in persons)}"


def _person(entry: Any, where: str) -> Person:
    known = {"id", "accounts", "roles", "projects", "conflicts", "trained_until"}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str) or set(entry) - known:
        raise RequestError("PERSON", f"{where}: a person has an id and perhaps {', '.join(sorted(known - {'id'}))}")
    trained = entry.get("trained_until")
    if trained is not None and not isinstance(trained, date):
        raise RequestError("PERSON", f"{where}: trained_until must be a date such as 2027-01-31")
    try:
        roles = frozenset(Role(role) for role in entry.get("roles", ()))
    except ValueError as error:
        raise RequestError("PERSON", f"{where}: roles are {', '.join(Role)}") from error
    names = {name: frozenset(entry.get(name, ())) for name in ("accounts", "projects", "conflicts")}
    return Person(entry["id"], names["accounts"], roles, names["projects"], names["conflicts"], trained)


def synth(preset: str, out: Path, year: int | None, seed: int, *, say: Say) -> None:
    """Write made-up deliveries."""
    world = Reference.load(POLICIES).made_up_world()
    chosen = Preset(preset)
    write_deliveries(chosen, out, year=year or chosen.year, seed=seed, references=world, progress=say)


def check_policies(files: Sequence[Path]) -> Iterator[str]:
    """Load each policy, or all that are shipped, and say what it is."""
    reference = Reference.load(POLICIES)
    shipped = [path for kind in ("advice", "deliberation") for path in sorted(POLICIES.glob(f"{kind}-*.yaml"))]
    for path in files or shipped:
        policy = reference.any_policy_file(path)
        yield f"{path.name}: {policy.kind} {policy.numbers.decision} ({policy.numbers.dossier}), loads"


def show_policy(path: Path, language: Language) -> Iterator[str]:
    """Return the lines of a policy's page."""
    reference = Reference.load(POLICIES)
    return show(reference.any_policy_file(path), reference.house, language)


def diff_policies(old: Path, new: Path) -> Iterator[str]:
    """Yield what changes, one sentence each; RequestError where the two are not of one kind."""
    reference = Reference.load(POLICIES)
    before, after = (reference.any_policy_file(path) for path in (old, new))
    if before.kind != after.kind:
        raise RequestError("POLICY_KINDS", "an advice and a deliberation cannot be compared; name two of one kind")
    changes = [str(change) for change in diff(before, after)]
    yield from changes or ["nothing changes but remarks and layout"]


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


def requests(house: House, account: str) -> Iterator[str]:
    """List requests, one line each."""
    for request in house.gateway.requests(account):
        yield f"{request.id}  {request.state.value:<19}  {request.stage.value:<7}  {request.title}"


def status(house: House, account: str, request_id: str) -> Iterator[str]:
    """Tell where a request stands, what was voted and said."""
    found = house.gateway.status(request_id, account)
    request = found.request
    yield f"{request.id}: {request.state.value}, turn {request.turn}, stage {request.stage.value}"
    yield f"  {request.title}; purpose: {request.purpose}; author: {request.author}"
    for vote in found.votes:
        yield f"  vote in turn {vote.turn}: {vote.decision.value} by {vote.person} {vote.comment}".rstrip()
    for remark in found.remarks:
        yield f"  remark in turn {remark.turn} by {remark.person}: {remark.text}"
    if found.release:
        yield f"  release {found.release}: {'published' if found.published else 'decided, not yet published'}"


def unpack(house: House, account: str, request_id: str, out: Path) -> str:
    """Write the files of a request's package into an empty folder, for who may see its tables."""
    status = house.gateway.status(request_id, account)
    request = status.request
    house.allow(account, "see_tables", lambda one: permissions.check_see_tables(one, request, status.published))
    if out.exists() and any(out.iterdir()):
        raise RequestError("FOLDER_NOT_EMPTY", f"'{out}' is not empty; choose another folder")
    for path, data in house.packages.read(request.binding.tables).files.items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return str(out)


def vote(house: House, account: str, request_id: str, decision: str, comment: str) -> str:
    """Cast a vote; return the request's state."""
    return house.gateway.vote(request_id, account, Decision(decision), comment).state.value


def release(house: House, account: str, request_id: str) -> str:
    """Release a request; return the folder, or what became of the request instead."""
    outcome = house.gateway.release(request_id, account)
    if outcome.release is None:
        return f"sent back to the checkers: {outcome.request.state.value}; its approvals are void"
    return str(house.settings.outboxes[outcome.request.stage] / outcome.release)


def attack(folders: Sequence[Path], key: Path) -> Finding:
    """Attack releases with nothing but what they print."""
    return attack_folders(folders, key.read_bytes())


def verify(folder: Path, key: Path) -> None:
    """Verify a release; IntegrityError with every problem."""
    problems = verify_folder(folder, key.read_bytes())
    if problems:
        raise IntegrityError("RELEASE_INVALID", f"{folder.name}: {'; '.join(problems)}")


def verify_certificate(path: Path, key: Path) -> str:
    """Verify a certificate of destruction, and say what it says; IntegrityError with the problem."""
    problems, certificate = examine(path.read_bytes(), key.read_bytes())
    if problems:
        raise IntegrityError("CERTIFICATE_INVALID", f"{path.name}: {'; '.join(problems)}")
    return summary(certificate)


def verify_log(house: House, anchor: Path | None) -> None:
    """Verify the audit log; IntegrityError with every problem."""
    problems = house.book.verify_log(read_anchor(anchor) if anchor else None)
    if problems:
        raise IntegrityError("LOG_INVALID", "; ".join(problems))


def dump_log(house: House, account: str, out: Path) -> str:
    """Write the log for an auditor."""
    person = house.allow(account, "read_log", permissions.check_read_log)
    house.log(person.id, LogAction.LOG_READ, "log", account=account)
    house.book.dump_log(out)
    return str(out)


def check_everything(house: House) -> None:
    """Check outbox, log, state, certificates and every byte of the vault; IntegrityError with every problem."""
    key = house.settings.release_public_key.read_bytes()
    anchor = read_anchor(house.settings.anchor) if house.settings.anchor.exists() else None
    problems = [*fsck(house.book, house.settings.outboxes, key, anchor), *house.destroyer.problems(key)]
    if problems:
        raise IntegrityError("HOUSE_INCONSISTENT", "; ".join(problems))
    for project in house.vault.projects():
        house.vault.check(project)


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
