"""The main job, step by step: deliveries in, data prepared, tables protected, results derived. People decide."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from enclave.errors import DeliveryError, EnclaveBug, RequestError
from enclave.gateway import permissions
from enclave.gateway.binding import Binding
from enclave.gateway.log_entry import LogAction
from enclave.gateway.records import HistoryEntry
from enclave.gateway.request import Request, Stage
from enclave.ledger.report import CellCounts, ProtectionReport, report_files
from enclave.linkage.intake import Intake
from enclave.linkage.prepare import prepare
from enclave.linkage.prepared import DATASET, data_snapshot
from enclave.linkage.report import IntakeReport, PrepareReport
from enclave.policy.model import Policy
from enclave.sdc.derivation import Derivation
from enclave.sdc.protection import Protection, protect
from enclave.sdc.registry import Registry
from enclave.sdc.table import Table
from enclave.tabulation.cluster import local_cluster
from enclave.tabulation.tabulator import tabulate
from enclave.wiring.content import package_of, pattern_digest, sdc_rules
from enclave.wiring.house import House
from enclave.wiring.results import check_operations, stage_two_content
from enclave.wiring.workers import PROCESSES, workers

Say = Callable[[str], None]
"""Hears what is being done, one line at a time."""

CLUSTER_FROM_ROWS = 50_000
"""Partitions of at least this many rows are counted on a local cluster; smaller ones cost less than starting one."""

WORKER_BYTES = 2**30


@dataclass
class Stopwatch:
    """Seconds per step, for the stewards' report."""

    steps: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, say: Say) -> Iterator[None]:
        """Time one step and tell how long it took."""
        say(f"{name} ...")
        started = time.monotonic()
        yield
        self.steps.append((name, time.monotonic() - started))
        say(f"{name}: {self.steps[-1][1]:.1f} s")


@dataclass(frozen=True)
class Produced:
    """A request of stage 1 with the report on what its protection cost."""

    request: Request
    report: ProtectionReport
    folder: Path


def take_in(house: House, folder: Path, account: str, *, correction: bool, say: Say) -> IntakeReport:
    """Take a delivery folder in and log every file; the report holds raw counts, for stewards only."""
    person = house.allow(account, "intake", permissions.check_take_in)
    known = house.reference
    intake = Intake(house.vault, known.sources, known.codelists, synthetic=house.settings.synthetic)
    report = intake.take_folder(folder, correction=correction, progress=say)
    for file in report.files:
        if file.refusal is None:
            house.log(person.id, LogAction.DELIVERY_TAKEN, file.file, account=account)
        else:
            house.log(person.id, LogAction.DELIVERY_REFUSED, file.file, account=account, code=file.refusal.code)
    return report


def take_in_all(house: House, deliveries: Path, account: str, *, say: Say) -> list[IntakeReport]:
    """Take in every delivery folder below this one; DeliveryError as soon as a file is refused."""
    folders = sorted(path.parent for path in deliveries.glob("*/delivery.json"))
    if not folders:
        raise DeliveryError("NO_DELIVERIES", f"there is no delivery folder in '{deliveries}'; check the path")
    reports = [take_in(house, folder, account, correction=False, say=say) for folder in folders]
    for report in reports:
        report.require_all()
    return reports


def prepare_year(house: House, policy: Policy, year: int, account: str, *, say: Say) -> PrepareReport:
    """Link, code and store the data of one year."""
    project = policy.project_id(year)
    person = house.allow(account, "prepare", lambda asking: permissions.check_open_microdata(asking, project))
    house.require_open(account, "prepare", project)
    reference = house.reference
    report = prepare(
        house.vault,
        policy,
        year,
        reference.sources,
        reference.codelists,
        new_id=lambda: secrets.token_hex(32),
        progress=say,
    )
    house.log(
        person.id,
        LogAction.DATA_PREPARED,
        policy.project_id(year),
        project=policy.project_id(year),
        policy=policy.sha256,
        snapshot=report.snapshot,
    )
    return report


def produce(
    house: House, policy: Policy, year: int, account: str, *, purpose: str, say: Say, request_id: str | None = None
) -> Produced:
    """Make the tables of a year, protect and prove them, and hand them to the output checkers (stage 1)."""
    project, population = policy.project_id(year), policy.population_id(year)
    house.allow(account, "produce", lambda asking: permissions.check_request(asking, project, Stage.INSIDE))
    house.require_open(account, "produce", project)
    watch, look = Stopwatch(), house.look
    with watch.step("counting the tables", say):
        snapshot = data_snapshot(house.vault, project)
        tables = count_tables(house, policy, year, snapshot, say=say)
    with house.book.view() as view:
        history = look.history(population, view.history())
    with watch.step("protecting and attacking", say), workers(say) as run:
        protection = protect(tables, sdc_rules(policy), history, run=run)
    with watch.step("writing the release files", say):
        binding = look.seal(policy, year, protection, snapshot)
    request = house.gateway.create(
        account,
        project=project,
        stage=Stage.INSIDE,
        population=population,
        title=f"{policy.id} {year}",
        purpose=purpose,
        binding=binding,
        request_id=request_id,
    )
    report = protection_report(house, f"{policy.id} {year}", protection, tuple(watch.steps))
    return Produced(house.gateway.submit(request.id, account), report, keep_report(house, request.id, report))


def count_tables(house: House, policy: Policy, year: int, snapshot: str, *, say: Say) -> tuple[Table, ...]:
    """Count every table of the year in one pass over the coded data; on a local cluster where that pays."""
    specs = policy.table_specs(year, house.reference.codelists, snapshot)
    reader = house.vault.reader(policy.project_id(year), DATASET)

    def progress(done: int, of: int) -> None:
        say(f"  {done} of {of} quarters")

    if reader.rows(reader.partitions[0]) < CLUSTER_FROM_ROWS:
        return tabulate(reader, specs, client=None, progress=progress)
    with local_cluster(PROCESSES, WORKER_BYTES, house.settings.scratch) as client:
        return tabulate(reader, specs, client=client, progress=progress)


def derive_results(
    house: House,
    policy: Policy,
    year: int,
    account: str,
    derivations: Sequence[Derivation],
    *,
    purpose: str,
    say: Say,
    request_id: str | None = None,
) -> Request:
    """Work out declared results from the latest stage-1 release and hand them to the output checkers (stage 2)."""
    project, population = policy.project_id(year), policy.population_id(year)
    house.allow(account, "derive", lambda asking: permissions.check_request(asking, project, Stage.OUTSIDE))
    house.require_open(account, "derive", project)
    check_operations(policy, derivations)
    look = house.look
    with house.book.view() as view:
        history = view.history()
    release = look.release_inside(latest_inside(history, project))
    say("attacking both stages together ...")
    safe, attacked = look.attack_results(policy, population, release.manifest["release"], derivations, history)
    if not safe:
        raise EnclaveBug("RESULT_UNSAFE", "results that follow from shown figures open a hidden one; release nothing")
    content = stage_two_content(policy, release, derivations, attacked)
    package = package_of(content)
    tables = [entry.table for entry in content.tables]
    binding = Binding(
        house.packages.seal(package), pattern_digest(tables), policy.sha256, release.manifest["data_snapshot"]
    )
    request = house.gateway.create(
        account,
        project=project,
        stage=Stage.OUTSIDE,
        population=population,
        title=f"{policy.id} {year} results",
        purpose=purpose,
        binding=binding,
        request_id=request_id,
    )
    return house.gateway.submit(request.id, account)


def latest_inside(history: Sequence[HistoryEntry], project: str) -> str:
    """Return the id of a project's last stage-1 release; RequestError where there is none."""
    found = [entry.release for entry in history if entry.project == project and entry.stage is Stage.INSIDE]
    if not found:
        raise RequestError("NO_STAGE_ONE", f"nothing of {project} was released inside; produce and release it first")
    return found[-1]


def protection_report(
    house: House, title: str, protection: Protection, seconds: tuple[tuple[str, float], ...]
) -> ProtectionReport:
    """Count what was hidden, per table and over all tables with each shared cell once."""
    registry = Registry.of([table.spec for table in protection.tables])
    hidden = np.zeros(len(registry.keys), dtype=np.bool_)
    primary = hidden.copy()
    counts = []
    for number, (table, first) in enumerate(zip(protection.tables, protection.primary, strict=True)):
        ids = registry.ids(number)
        hidden[ids], primary[ids] = ~table.shown, first
        small = int(first.sum())
        counts.append(CellCounts(table.spec.id, first.size, small, int((~table.shown).sum()) - small))
    small = int(primary.sum())
    return ProtectionReport(
        title=title,
        synthetic=house.settings.synthetic,
        tables=tuple(counts),
        together=CellCounts("all tables", len(hidden), small, int(hidden.sum()) - small),
        seconds=seconds,
        cells_attacked=protection.attacked,
        attack_passed=protection.verdict.passed,
        deterministic=True,
    )


def keep_report(house: House, request_id: str, report: ProtectionReport) -> Path:
    """Write the report for stewards; return its folder, which never leaves the house."""
    folder = house.settings.reports / request_id
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in report_files(report).items():
        (folder / name).write_bytes(data)
    return folder
