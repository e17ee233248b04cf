"""The interface for kernels: JSON and Arrow streams, one shape of errors. Who calls is known by the socket."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from enclave.errors import PermissionDenied, RequestError
from enclave.gateway.records import Status
from enclave.gateway.request import Request, Stage
from enclave.policy.base import Label
from enclave.policy.codelist import Code
from enclave.sandbox.callers import Caller
from enclave.sandbox.peers import peer_uid
from enclave.web.answers import AnswersErrors
from enclave.web.language import chosen
from enclave.web.services import Services, aside
from enclave.wiring.desk.catalogue import Project
from enclave.wiring.desk.jobs import Job

MOST_BYTES = 64 * 1024
"""Longest body that is read."""

MOST_RESULTS = 100
MOST_KEY = 100
ARROW = "application/vnd.apache.arrow.stream"

_KEPT_CONTROLS = frozenset("\n\r\t")


class ApiHandler(AnswersErrors):
    """A call by a kernel: its account and project are those of the socket; nothing that it sends says who it is."""

    services: Services
    caller: Caller

    def initialize(self, services: Services, caller: Caller) -> None:
        """Take the services, and who stands behind the socket."""
        self.services, self.caller = services, caller

    @property
    def account(self) -> str:
        """Whose kernel this is."""
        return self.caller.account

    async def prepare(self) -> None:
        """Refuse whoever is not the user that the socket is for, and accounts that belong to nobody (any more)."""
        check_size(self.request.body)
        connection: Any = self.request.connection  # tornado's type for it has no stream
        if peer_uid(connection.stream.socket) != self.caller.uid:
            raise PermissionDenied("NOT_THIS_KERNEL", "this socket is another kernel's; use the one of your own")
        await aside(self.services.desk.person, self.account)

    def own(self, project: str) -> str:
        """Return the name of a project; PermissionDenied where it is not the one that this kernel was started for."""
        if project != self.caller.project:
            raise PermissionDenied("OTHER_PROJECT", "this notebook belongs to another project; open that project's own")
        return project

    async def own_status(self, request_id: str) -> Status:
        """Return a request as the caller may see it; one of another project is refused like an unknown one."""
        status = await aside(self.services.desk.status, self.account, request_id)
        self.own(status.request.project)
        return status

    def body(self, *known: str) -> Mapping[str, Any]:
        """Return the JSON object that was sent, with no other keys than these."""
        try:
            found = json.loads(self.request.body, object_pairs_hook=_each_key_once)
        except (ValueError, RecursionError) as error:
            raise RequestError("BAD_JSON", "the body is not JSON; send one object in UTF-8, each key once") from error
        if not isinstance(found, Mapping) or set(found) - set(known):
            raise RequestError("BAD_JSON", f"send one object with no other keys than {', '.join(known)}")
        return found


class Me(ApiHandler):
    """Who the caller is."""

    async def get(self) -> None:
        """Return account, person, roles, projects, last day of training, language."""
        person = await aside(self.services.desk.person, self.account)
        trained = person.trained_until
        self.write_json(
            {
                "account": self.account,
                "person": person.id,
                "roles": sorted(role.value for role in person.roles),
                "projects": sorted(person.projects),
                "trained_until": trained.isoformat() if trained else None,
                "language": chosen(None, self.request.headers.get("Accept-Language", "")).code,
            }
        )


class OneProject(ApiHandler):
    """What a project is."""

    async def get(self, name: str) -> None:
        """Return the project's policy in words that a program can use."""
        project = await aside(self.services.catalogue.project, self.account, self.own(name))
        self.write_json(await aside(self._described, project))

    def _described(self, project: Project) -> dict[str, Any]:
        policy, catalogue = project.policy, self.services.catalogue
        return {
            "id": project.id,
            "policy": policy.id,
            "year": project.year,
            "title": catalogue.title(project).as_dict(),
            "numbers": {"decision": policy.numbers.decision, "dossier": policy.numbers.dossier},
            "synthetic": self.services.house.settings.synthetic,
            "purpose": _words(policy.purpose.text),
            "may": list(project.may),
            "state": project.state,
            "variables": [
                {
                    "id": variable.id,
                    "label": _words(variable.label),
                    "unit": variable.unit,
                    "source": variable.source,
                    "reference": variable.reference,
                    "paragraph": variable.paragraph,
                    "codes": [_code(code) for code in catalogue.codes(project, variable.id)],
                }
                for variable in policy.variables
            ],
            "tables": [
                {
                    "id": table.id,
                    "title": _words(table.title),
                    "dimensions": list(table.dimensions),
                    "paragraph": table.paragraph,
                }
                for table in policy.tables
            ],
            "operations": list(policy.stages.outside.operations),
            "threshold": policy.rules.minimum_frequency.value,
            "marks": [{"code": code, "meaning": _words(words)} for code, words in catalogue.marks(project).items()],
            "periods": list(project.periods),
        }


class Microdata(ApiHandler):
    """A quarter's coded data, for CBSS staff of the project."""

    async def get(self, name: str, period: str) -> None:
        """Return an Arrow stream."""
        self.set_header("Content-Type", ARROW)
        self.finish(await aside(self.services.catalogue.microdata, self.account, self.own(name), period))


class InsideTable(ApiHandler):
    """A table of the latest release inside."""

    async def get(self, name: str, table: str) -> None:
        """Return an Arrow stream."""
        self.set_header("Content-Type", ARROW)
        self.finish(await aside(self.services.catalogue.table, self.account, self.own(name), table))


class ProjectRequests(ApiHandler):
    """Where requests for a release are handed in."""

    async def post(self, name: str) -> None:
        """Accept a request: 202 and the id of a job."""
        self.own(name)
        key = self.request.headers.get("Idempotency-Key", "")
        if len(key) > MOST_KEY or not (key.isascii() and key.isprintable()):
            raise RequestError("BAD_KEY", f"an Idempotency-Key has at most {MOST_KEY} printable characters")
        body = self.body("stage", "purpose", "results")
        purpose, stage = free_text(body.get("purpose"), "purpose"), body.get("stage")
        if stage == Stage.INSIDE and "results" not in body:
            job = await aside(self.services.jobs.produce, self.account, name, purpose, key=key)
        elif stage == Stage.OUTSIDE and _are_results(body.get("results")):
            job = await aside(self.services.jobs.derive, self.account, name, purpose, body["results"], key=key)
        else:
            message = "ask for the stage 'inside', or for 'outside' with a list of results and their expressions"
            raise RequestError("BAD_STAGE", message)
        self.set_status(202)
        self.write_json({"job": job.id})


class OneJob(ApiHandler):
    """How far a job is."""

    async def get(self, job_id: str) -> None:
        """Return the job, for who asked for it."""
        person = await aside(self.services.desk.person, self.account)
        job = self.services.jobs.job(person.id, job_id)
        self.own(job.order.project)
        self.write_json(job_json(job))


class Requests(ApiHandler):
    """The requests of the project that the caller may see."""

    async def get(self) -> None:
        """Return them, first what awaits the caller."""
        lines = await aside(self.services.desk.requests, self.account)
        self.write_json([_summary(line.request) for line in lines if line.request.project == self.caller.project])


class OneRequest(ApiHandler):
    """One request."""

    async def get(self, request_id: str) -> None:
        """Return it with what the caller may see of votes."""
        self.write_json(_status(await self.own_status(request_id)))


class RequestStep(ApiHandler):
    """What an author does with a request."""

    async def post(self, request_id: str, step: str) -> None:
        """Submit or withdraw."""
        await self.own_status(request_id)
        gateway = self.services.house.gateway
        await aside(gateway.submit if step == "submit" else gateway.withdraw, request_id, self.account)
        self.write_json(_status(await aside(self.services.desk.status, self.account, request_id)))


def check_size(body: bytes) -> None:
    """Raise RequestError BODY_TOO_LARGE for what nobody needs to send."""
    if len(body) > MOST_BYTES:
        raise RequestError("BODY_TOO_LARGE", "this is more than anybody needs to send here; send less")


def free_text(value: object, what: str) -> str:
    """Return a text that a person wrote; RequestError for anything else, and for characters that nobody types."""
    if not isinstance(value, str):
        raise RequestError("BAD_TEXT", f"the {what} must be a text")
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in _KEPT_CONTROLS for one in value):
        raise RequestError("BAD_TEXT", f"the {what} holds a character that cannot be written; take it out")
    return value


def job_json(job: Job) -> dict[str, Any]:
    """Return a job as programs see it."""
    return {
        "id": job.id,
        "state": job.state.value,
        "request": job.order.request if job.made else None,
        "release": job.release,
        "sent_back": job.sent_back,
        "error": {"code": job.error[0], "message": job.error[1]} if job.error else None,
        "progress": list(job.progress),
    }


def _are_results(value: object) -> bool:
    return isinstance(value, list) and 0 < len(value) <= MOST_RESULTS and all(isinstance(one, dict) for one in value)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _words(label: Label) -> dict[str, str]:
    return {"nl": label.nl, "fr": label.fr, "en": label.en}


def _code(code: Code) -> dict[str, Any]:
    return {
        "code": code.code,
        "parent": code.parent,
        "label": {"nl": code.label_nl, "fr": code.label_fr, "en": code.label_en},
        "valid_from": code.valid_from.isoformat() if code.valid_from else None,
        "valid_to": code.valid_to.isoformat() if code.valid_to else None,
    }


def _summary(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "project": request.project,
        "stage": request.stage.value,
        "state": request.state.value,
        "title": request.title,
        "purpose": request.purpose,
        "turn": request.turn,
        "author": request.author,
    }


def _status(status: Status) -> dict[str, Any]:
    votes = [
        {"turn": v.turn, "person": v.person, "decision": v.decision.value, "comment": v.comment, "at": v.at.isoformat()}
        for v in status.votes
    ]
    remarks = [{"turn": r.turn, "person": r.person, "text": r.text, "at": r.at.isoformat()} for r in status.remarks]
    return _summary(status.request) | {
        "votes": votes,
        "remarks": remarks,
        "release": status.release,
        "published": status.published,
    }
