"""Whether a project may still be opened: by the terms in the audit log, the policies, and a clock never set back.

The first look at a project writes the day of its policy to the log. From then on a policy can only shorten the term;
what lengthens it is a decision (`extend`). The day is the later of the house's clock and the newest entry of the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from enclave.errors import EnclaveError, RequestError
from enclave.gateway.canonical import is_name
from enclave.gateway.destruction import Destruction
from enclave.gateway.log_entry import SYSTEM, LogAction, LogDraft
from enclave.gateway.ports import Clock
from enclave.gateway.retention import Extension, Term, day_of, latest
from enclave.ledger.book import Book
from enclave.ledger.retention_log import RetentionLog
from enclave.policy.deliberation.model import Deliberation
from enclave.policy.load import AnyPolicy
from enclave.wiring.reference import Reference

OF_THE_HOUSE = frozenset({"gateway", "intake"})
"""The vault's projects that are no research projects: packages, and what was delivered."""


@dataclass(frozen=True, slots=True)
class TermState:
    """How the term of a project stands today; `warning`: days of the warning that is due, 0 where it is closed."""

    term: Term
    today: date
    warning: int | None
    destruction: Destruction

    @property
    def days_left(self) -> int:
        """How many days of use are left, never less than 0."""
        return max(0, self.term.days_left(self.today))

    @property
    def is_closed(self) -> bool:
        """Whether nothing of the project is opened any more."""
        return self.warning == 0 or self.destruction.begun is not None

    @property
    def line(self) -> str:
        """Say it in one line."""
        if self.destruction.certificate:
            return f"project {self.term.project}: destroyed; certificate {self.destruction.certificate}"
        if self.destruction.begun is not None:
            return f"project {self.term.project}: its destruction has BEGUN; finish it with `enclave destroy`"
        if self.warning == 0:
            return f"project {self.term.project}: CLOSED since {self.term.until}; destroy it with `enclave destroy`"
        urgent = "" if self.warning is None else f"WARNING ({self.warning} days): "
        days = f"{self.days_left} day{'s' if self.days_left != 1 else ''} of use left"
        return f"project {self.term.project}: {urgent}closes on {self.term.until}, {days}"


class Retention:
    """The terms of one open house."""

    def __init__(self, book: Book, reference: Reference, clock: Clock) -> None:
        """Know where terms stand, and what time it is."""
        self._book, self._reference, self._clock = book, reference, clock
        self._log = RetentionLog(book)
        self._policies: dict[str, tuple[tuple[int, int, int], AnyPolicy]] = {}

    def moment(self) -> datetime:
        """Return what time it is, not before what the log has seen."""
        return latest(self._clock(), self._log.newest())

    def today(self) -> date:
        """Return the day in Brussels, not before what the log has seen."""
        return day_of(self.moment())

    def destruction(self, project: str) -> Destruction:
        """Return how far the destruction of a project is."""
        return self._log.destruction(project)

    def destroyed(self) -> frozenset[str]:
        """Return the projects whose destruction is certified."""
        return frozenset(project for project in self._log.projects() if self.destruction(project).certificate)

    def begun(self) -> tuple[Destruction, ...]:
        """Return the destructions that have begun and are not certified."""
        found = (self._log.destruction(project) for project in sorted(self._log.projects()))
        return tuple(one for one in found if one.begun is not None and not one.certificate)

    def term(self, project: str) -> Term:
        """Return the term of a project, after its policy's day was recorded where that is new or earlier.

        RequestError or PolicyError where there is no policy for it: what nobody can date is not opened.
        """
        policy = self.policy_of(project)
        until, last = last_day(policy), self._log.set_last(project)
        if last is None or until < last:
            details = {"until": until.isoformat(), "policy": policy.sha256}
            self._book.record(LogDraft(SYSTEM, LogAction.RETENTION_SET, project, details))
        found = self._log.term(project)
        assert found is not None
        return found

    def require_open(self, project: str) -> None:
        """Raise PolicyError RETENTION_PASSED or PROJECT_DESTROYED where a project's data may not be used any more."""
        if project not in OF_THE_HOUSE:
            self.destruction(project).require_none()
            self.term(project).require_open(self.today())

    def is_open(self, project: str) -> bool:
        """Say whether a project's data may be used; not where its term cannot be told."""
        try:
            self.require_open(project)
        except EnclaveError:
            return False
        return True

    def extend(self, project: str, extension: Extension, person: str, account: str) -> Term:
        """Record a decision by which a project's data may be kept longer; RequestError where it does not count."""
        self.destruction(project).require_none()
        term = self.term(project).extended(extension, self.today())
        details = {
            "account": account,
            "ruling": extension.ruling,
            "dated": extension.dated.isoformat(),
            "authority": extension.authority,
            "until": extension.until.isoformat(),
        }
        self._book.record(LogDraft(person, LogAction.RETENTION_EXTENDED, project, details))
        return term

    def states(self) -> Iterator[TermState]:
        """Yield how the term of each project stands that was ever looked at, by name."""
        today, days = self.today(), self._reference.house.floors.retention_warning_days
        for project in sorted(self._log.projects()):
            term = self._log.term(project) or self.term(project)
            yield TermState(term, today, term.warning(today, days), self.destruction(project))

    def lines(self) -> list[str]:
        """Tell the same, one line each."""
        return [state.line for state in self.states()]

    def policy_of(self, project: str) -> AnyPolicy:
        """Return the policy that a project stands on, read anew when its file changes."""
        policy_id, _, year = project.rpartition("-")
        if not is_name(project) or not policy_id or not year.isdigit():
            raise RequestError("PROJECT", f"'{project}' is not a policy and a year, such as advice-17-17-2016")
        path = self._reference.folder / f"{policy_id}.yaml"
        seen = (0, 0, 0)
        if path.exists():
            found = path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._policies.get(policy_id)
        if known is None or known[0] != seen:
            known = self._policies[policy_id] = (seen, self._reference.any_policy_file(path))
        return known[1]


def last_day(policy: AnyPolicy) -> date:
    """Return the day on which the use of a policy's data ends: of its retention or its review, whichever is first."""
    if isinstance(policy, Deliberation):
        return policy.retention.end
    return min(day for day in (policy.retention.until, policy.retention.review) if day is not None)
