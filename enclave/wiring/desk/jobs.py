"""Long work that people ask for: on disk before it is accepted, done one at a time, taken up again after a crash.

A job knows beforehand which request it will make, so work that was interrupted never makes a second one: where the
request is there already, only what is missing is done.
"""

import json
import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from enclave.errors import EnclaveBug, EnclaveError, RequestError, SetupError
from enclave.gateway import permissions
from enclave.gateway.canonical import canonical, sha256
from enclave.gateway.request import RequestState, Stage
from enclave.sdc.derivation import Derivation
from enclave.vault import files
from enclave.wiring import production
from enclave.wiring.content import policy_year
from enclave.wiring.house import House
from enclave.wiring.results import check_operations

VAULT_LOCKED = "VAULT_LOCKED"
LOCKED_PAUSE_S = 2.0
"""How often a job that met a locked vault looks whether it was unlocked."""

MOST_PURPOSE = 2_000
"""Most characters of a purpose."""


class JobKind(StrEnum):
    """What is asked for."""

    PRODUCE = "produce"
    DERIVE = "derive"
    RELEASE = "release"


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for. `request` is the request to release, or the one that will be made."""

    kind: JobKind
    account: str
    person: str
    project: str
    request: str
    purpose: str = ""
    results: str = ""
    """Declared expressions as JSON, for DERIVE."""
    key: str = ""
    """What makes two orders of one person the same one, as the person says; "" for nothing."""

    @property
    def digest(self) -> str:
        """What two orders under one key must have in common."""
        return sha256(canonical([self.kind.value, self.project, self.purpose, self.results]))


@dataclass(frozen=True, slots=True)
class Job:
    """An order that was accepted, and what became of it."""

    id: str
    order: Order
    state: JobState = JobState.WAITING
    made: bool = False
    """Whether the request that was ordered exists."""
    release: str | None = None
    sent_back: bool = False
    error: tuple[str, str] | None = None
    progress: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """Return the job as it is kept on disk."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Job":
        """Read what `to_json` wrote."""
        raw = json.loads(data)
        order = Order(**{**raw.pop("order"), "kind": JobKind(json.loads(data)["order"]["kind"])})
        error, state = raw.pop("error"), JobState(raw.pop("state"))
        progress = tuple(raw.pop("progress"))
        return cls(**raw, order=order, state=state, error=tuple(error) if error else None, progress=progress)


class Jobs:
    """The queue of one house. `start` takes up what is open and works in a thread of its own."""

    def __init__(self, house: House) -> None:
        """Read the jobs that are on disk."""
        self._house = house
        self._folder = house.settings.root / "jobs"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        files.remove_half_written(self._folder)
        self._jobs = {job.id: job for job in map(_read, sorted(self._folder.glob("j*.json")))}
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[str] = SimpleQueue()

    def start(self) -> None:
        """Take up every open job, oldest first, and then whatever is asked for."""
        for job in self._jobs.values():
            if job.state.is_open:
                self._keep(replace(job, state=JobState.WAITING))
                self._waiting.put(job.id)
        threading.Thread(target=self._work, name="jobs", daemon=True).start()

    def produce(self, account: str, project: str, purpose: str, *, key: str = "") -> Job:
        """Ask for the tables of a project's year (stage 1). PermissionDenied or RequestError if it cannot be."""
        return self._ask(JobKind.PRODUCE, account, project, purpose, key=key)

    def derive(
        self, account: str, project: str, purpose: str, results: Sequence[Mapping[str, Any]], *, key: str = ""
    ) -> Job:
        """Ask for results by declared expressions (stage 2). PermissionDenied or RequestError if it cannot be."""
        self._house.allow(account, "derive", lambda asking: permissions.check_request(asking, project, Stage.OUTSIDE))
        self._house.require_open(account, "derive", project)
        policy, _ = policy_year(self._house.reference, project)
        check_operations(policy, derivations(results))
        with self._house.book.view() as view:
            production.latest_inside(view.history(), project)
        text = json.dumps(results, sort_keys=True)
        return self._ask(JobKind.DERIVE, account, project, purpose, results=text, key=key)

    def release(self, account: str, request_id: str) -> Job:
        """Ask for the release of an approved request; the job that is at it already, where there is one."""
        person = self._house.allow(account, "release", permissions.check_release)
        self._house.require_unlocked(account, JobKind.RELEASE)
        request = self._house.gateway.status(request_id, account).request
        if request.state not in (RequestState.APPROVED, RequestState.RELEASED):
            raise RequestError(
                "BAD_TRANSITION", f"request {request_id} is not approved; two checkers must approve first"
            )
        order = Order(JobKind.RELEASE, account, person.id, request.project, request_id)
        with self._lock:
            for job in self._jobs.values():
                if job.order.kind is JobKind.RELEASE and job.order.request == request_id and job.state.is_open:
                    return job
            return self._accept(order)

    def job(self, person_id: str, job_id: str) -> Job:
        """Return a job of this person; RequestError UNKNOWN_JOB."""
        found = self._jobs.get(job_id)
        if found is None or found.order.person != person_id:
            raise RequestError("UNKNOWN_JOB", "there is no job of yours with this id; look at the list of requests")
        return found

    def of_person(self, person_id: str) -> tuple[Job, ...]:
        """Return the jobs of a person, newest first."""
        return tuple(job for job in reversed(tuple(self._jobs.values())) if job.order.person == person_id)

    def at(self, request_id: str) -> Job | None:
        """Return the last job that is or was at a request."""
        found = [job for job in tuple(self._jobs.values()) if job.order.request == request_id]
        return found[-1] if found else None

    def _ask(self, kind: JobKind, account: str, project: str, purpose: str, *, key: str, results: str = "") -> Job:
        stage = Stage.INSIDE if kind is JobKind.PRODUCE else Stage.OUTSIDE
        person = self._house.allow(account, kind, lambda asking: permissions.check_request(asking, project, stage))
        self._house.require_open(account, kind, project)
        policy_year(self._house.reference, project)
        if not purpose.strip() or len(purpose) > MOST_PURPOSE:
            raise RequestError(
                "PURPOSE", f"say what it is for, in 1 to {MOST_PURPOSE} characters; the checkers read it"
            )
        request_id = f"{project}-r{secrets.token_hex(4)}"
        order = Order(kind, account, person.id, project, request_id, purpose.strip(), results, key)
        with self._lock:
            known = self._same(order)  # told again also while the vault is locked, as it is after a restart
            if known is None:
                self._house.require_unlocked(account, kind)
            return known or self._accept(order)

    def _same(self, order: Order) -> Job | None:
        """Return the job that was accepted under the same key."""
        for job in self._jobs.values() if order.key else ():
            if (job.order.person, job.order.key) == (order.person, order.key):
                if job.order.digest != order.digest:
                    raise RequestError("KEY_REUSED", "this Idempotency-Key belongs to another request; draw a new one")
                return job
        return None

    def _accept(self, order: Order) -> Job:
        """Keep the job on disk, then put it in the queue; the caller holds the lock."""
        job = Job(f"j{len(self._jobs) + 1:06d}-{secrets.token_hex(4)}", order)
        self._keep(job)
        self._waiting.put(job.id)
        return job

    def _keep(self, job: Job) -> Job:
        files.write_atomically(self._folder / f"{job.id}.json", [job.to_json()])
        self._jobs[job.id] = job
        return job

    def _work(self) -> None:
        while True:
            job_id = self._waiting.get()
            if self._jobs[job_id].state.is_open:  # one that was accepted before the start stands in the queue twice
                self._do(job_id)

    def _do(self, job_id: str) -> None:
        """Do one job to its end, whatever happens; a locked vault only makes it wait."""
        pause = threading.Event()
        while True:
            job = self._keep(replace(self._jobs[job_id], state=JobState.RUNNING, progress=()))
            try:
                self._house.vault.require_unlocked()
                self._keep(self._done(job))
            except SetupError as error:
                if error.code != VAULT_LOCKED:
                    self._fail(job_id, error)
                    return
                self._keep(replace(job, state=JobState.WAITING))
                pause.wait(LOCKED_PAUSE_S)
                continue
            except EnclaveError as error:
                self._fail(job_id, error)
            except Exception as error:  # noqa: BLE001  the queue must go on; what it says may hold data
                sys.stderr.write(f"job {job_id}: {type(error).__name__}\n")
                self._fail(job_id, EnclaveBug("INTERNAL", "this work broke off; tell the operator of the house"))
            return

    def _fail(self, job_id: str, error: EnclaveError) -> None:
        job = self._jobs[job_id]
        self._keep(replace(job, state=JobState.FAILED, error=(error.code, error.message)))

    def _done(self, job: Job) -> Job:
        if job.order.kind is JobKind.RELEASE:
            outcome = self._house.gateway.release(job.order.request, job.order.account)
            self._house.anchor()
            ended = replace(job, made=True, release=outcome.release, sent_back=outcome.release is None)
        else:
            if not self._continued(job.order):
                self._make(job.order, self._say(job.id))
            ended = replace(self._jobs[job.id], made=True)
        return replace(ended, state=JobState.DONE)

    def _continued(self, order: Order) -> bool:
        """Say whether the request was made before a crash; hand it to the checkers if that was still to be done."""
        with self._house.book.view() as view:
            found = [request for request in view.requests() if request.id == order.request]
        if found and found[0].state is RequestState.PENDING:
            self._house.gateway.submit(order.request, order.account)
        return bool(found)

    def _make(self, order: Order, say: Callable[[str], None]) -> None:
        house, (policy, year) = self._house, policy_year(self._house.reference, order.project)
        if order.kind is JobKind.PRODUCE:
            production.produce(
                house, policy, year, order.account, purpose=order.purpose, say=say, request_id=order.request
            )
        else:
            production.derive_results(
                house,
                policy,
                year,
                order.account,
                derivations(json.loads(order.results)),
                purpose=order.purpose,
                say=say,
                request_id=order.request,
            )

    def _say(self, job_id: str) -> Callable[[str], None]:
        """Return what hears of steps: their names only, since how long they take depends on the data."""

        def say(line: str) -> None:
            if line.endswith("...") and not line.startswith(" "):
                job = self._jobs[job_id]
                self._jobs[job_id] = replace(job, progress=(*job.progress, line.removesuffix("...").strip()))

        return say


def derivations(results: Sequence[Mapping[str, Any]]) -> tuple[Derivation, ...]:
    """Read declared expressions as they come by the API; RequestError for what is wrong."""
    return tuple(Derivation.from_mapping(entry, f"results, entry {n}") for n, entry in enumerate(results, start=1))


def _read(path: Path) -> Job:
    try:
        return Job.from_json(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError("JOB_UNREADABLE", f"{path.name} cannot be read; restore it, or take it out") from error
