"""The pages that people read: list of requests, request, release, project, audit log."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enclave.gateway.log_entry import LogAction
from enclave.gateway.records import Status
from enclave.gateway.request import Action
from enclave.gateway.review import Remark, Vote
from enclave.ledger.log_reading import LogEntry, LogFilter
from enclave.ledger.read_release import Release
from enclave.sdc.table import ProtectedTable
from enclave.web.cross_table import cross_table
from enclave.web.page import PageHandler
from enclave.web.services import aside
from enclave.web.texts import SAID
from enclave.wiring.desk.evidence import TableEvidence, hidden_by_kind
from enclave.wiring.desk.jobs import Job
from enclave.wiring.desk.shown import described, table_of

MOST_JOBS = 5
"""How many finished jobs the list of requests still shows."""


class Home(PageHandler):
    """The requests that one may see: what awaits the reader stands first, the oldest on top."""

    async def get(self) -> None:
        """Show the list."""
        desk = self.services.desk
        lines = await aside(desk.requests, self.account)
        self.show(
            "home.html",
            mine=[line for line in lines if line.mine],
            others=[line for line in lines if not line.mine],
            projects=await aside(self.services.catalogue.projects, self.account),
            said=self.get_query_argument("said", ""),
            files_refused=any(file.code for file in self.services.projects.states()),
            jobs=_recent(self.services.jobs.of_person(self.person.id if self.person else "")),
        )


class RequestPage(PageHandler):
    """A request: its tables as they will be published, and whatever its reader may see and do."""

    async def get(self, request_id: str) -> None:
        """Show it."""
        desk = self.services.desk
        status = await aside(desk.status, self.account, request_id)
        request = status.request
        may_check = await aside(desk.may_check, self.account, request)
        values: dict[str, Any] = {
            "status": status,
            "request": request,
            "actions": await aside(desk.actions, self.account, status),
            "Action": Action,
            "may_check": may_check,
            "events": history(await aside(desk.steps, self.account, request_id), status),
            "job": self.services.jobs.at(request_id),
            "shown": None,
            "said": self.get_query_argument("said", ""),
            "SAID": SAID,
        }
        if not self.services.locked and await aside(desk.may_see_tables, self.account, status):
            values |= await self._tables(status, may_check=may_check)
        self.show("request.html", **values)

    async def _tables(self, status: Status, *, may_check: bool) -> dict[str, Any]:
        """Return what the part with the tables needs: one table in one quarter, as chosen in the address."""
        desk = self.services.desk
        release = await aside(desk.tables, self.account, status)
        before = await aside(desk.differences, self.account, status)
        table, period = self._chosen(release)
        with_reasons = may_check and self.get_query_argument("reasons", "") == "1"
        evidence: Mapping[str, TableEvidence] = {}
        if with_reasons:
            evidence = await aside(desk.evidence, self.account, status)
        differing = {difference.table: difference for difference in before[1]} if before else {}
        names = self.services.catalogue.names(status.request.project)
        cross = await aside(
            cross_table,
            table,
            release.labels,
            period,
            self._fixed(),
            differing=differing[table.spec.id].places if differing else None,
            evidence=evidence.get(table.spec.id),
        )
        place = table.spec.periods.index(period)
        return {
            "shown": release,
            "manifest": release.manifest,
            "table_id": table.spec.id,
            "described": described(release, table.spec.id),
            "period": period,
            "earlier": self._at(status, table.spec.periods[place - 1]) if place else None,
            "later": self._at(status, table.spec.periods[place + 1]) if place + 1 < len(table.spec.periods) else None,
            "cross_table": cross,
            "name_of": lambda variable: getattr(names[variable], self.language.code),
            "with_reasons": with_reasons,
            "has_reasons": bool(evidence),
            "kinds": _kinds(release, evidence),
            "before": before[0] if before else None,
            "differences_by_table": differing,
        }

    def _chosen(self, release: Release) -> tuple[ProtectedTable, str]:
        """Return table and quarter of the address; the first ones where it names none of this request."""
        table = table_of(release, self.get_query_argument("table", "")) or release.tables[0]
        period = self.get_query_argument("period", "")
        return table, period if period in table.spec.periods else table.spec.periods[0]

    def _fixed(self) -> dict[str, str]:
        given = self.request.query_arguments
        return {name[2:]: self.get_query_argument(name) for name in given if name.startswith("f.")}

    def _at(self, status: Status, period: str) -> str:
        """Return the address of the same table in another quarter."""
        kept = {
            name: self.get_query_argument(name) for name in ("table", "reasons") if self.get_query_argument(name, "")
        }
        kept |= {f"f.{name}": code for name, code in self._fixed().items()}
        return self.url("requests", status.request.id, **kept, period=period) + "#tables"


@dataclass(frozen=True, slots=True)
class Event:
    """Something in the history of a request: a step, a vote, or what somebody wrote."""

    kind: str
    at: datetime
    step: LogEntry | None = None
    vote: Vote | None = None
    remark: Remark | None = None


def history(steps: Sequence[LogEntry], status: Status) -> list[Event]:
    """Return steps, visible votes and remarks in the order in which they happened."""
    events = [Event("step", step.at, step=step) for step in steps]
    events += [Event("vote", vote.at, vote=vote) for vote in status.votes]
    events += [Event("remark", remark.at, remark=remark) for remark in status.remarks]
    return sorted(events, key=lambda event: event.at)


def _kinds(release: Release, evidence: Mapping[str, TableEvidence]) -> dict[str, tuple[int, int]]:
    shown = {table.spec.id: table.shown for table in release.tables}
    return {table_id: hidden_by_kind(found, shown[table_id]) for table_id, found in evidence.items()}


class ReleasePage(PageHandler):
    """A release: what it holds and who may carry it out."""

    async def get(self, release_id: str) -> None:
        """Show it."""
        desk = self.services.desk
        entry, status = await aside(desk.release, self.account, release_id)
        may = await aside(desk.may_see_tables, self.account, status)
        release = (
            await aside(desk.released, self.account, release_id, entry.stage) if status.published and may else None
        )
        self.show(
            "release.html",
            entry=entry,
            status=status,
            release=release,
            may_download=await aside(desk.may_download, self.account, entry),
        )


class ProjectPage(PageHandler):
    """A project: its policy in words, its requests, and for CBSS staff the start of stage 1."""

    async def get(self, name: str) -> None:
        """Show it."""
        catalogue = self.services.catalogue
        project = await aside(catalogue.project, self.account, name)
        lines = await aside(self.services.desk.requests, self.account)
        self.show(
            "project.html",
            project=project,
            title=catalogue.title(project).as_dict(),
            pick=lambda label: getattr(label, self.language.code),
            once=secrets.token_hex(16),
            marks=catalogue.marks(project),
            lines=[line for line in lines if line.request.project == name],
        )


class AuditPage(PageHandler):
    """The audit log, for auditors; each look at it is logged."""

    async def get(self) -> None:
        """Show a page of it."""
        wanted = LogFilter(*(self.get_query_argument(name, "").strip() for name in ("action", "subject", "person")))
        before = self.get_query_argument("before", "")
        number = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None  # noqa: PLR2004
        page = await aside(self.services.desk.log, self.account, wanted, number)
        newest = self.url("audit", **_as_query(wanted)) if number is not None else None
        self.show("audit.html", page=page, wanted=wanted, known_actions=list(LogAction), problems=None, newest=newest)

    async def post(self) -> None:
        """Verify the whole log and show what was found."""
        problems = await aside(self.services.desk.verify_log, self.account)
        page = await aside(self.services.desk.log, self.account, LogFilter(), None)
        values = {"page": page, "wanted": LogFilter(), "known_actions": list(LogAction), "newest": None}
        self.show("audit.html", **values, problems=problems)


def _as_query(wanted: LogFilter) -> dict[str, str]:
    return {"action": wanted.action, "subject": wanted.subject, "person": wanted.person}


def _recent(jobs: tuple[Job, ...]) -> list[Job]:
    """Return the open jobs, and the last few others."""
    return [job for place, job in enumerate(jobs) if job.state.is_open or place < MOST_JOBS]
