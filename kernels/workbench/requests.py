"""Requests for a release, followed from the notebook."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from . import html
from .errors import InputError, WorkbenchError
from .gateway import Gateway

MEANING: Final[Mapping[str, str]] = {
    "pending": "made, not yet submitted; it is your turn: .submit() or .withdraw()",
    "submitted": "with the output checkers; nobody has voted yet",
    "partially_reviewed": "with the output checkers; one of two has voted",
    "reviewed": "both output checkers voted, not alike; they discuss it",
    "returned": "back with you: read the remarks, then .submit() again or .withdraw()",
    "approved": "approved by two output checkers; the operator releases it after one more attack",
    "released": "released",
    "partly_released": "partly released",
    "rejected": "rejected by the output checkers",
    "withdrawn": "withdrawn by you",
    "expired": "expired",
    "revoked": "released, and revoked since by the steward",
}
"""What each state means to its author."""

FINISHED: Final = frozenset({"released", "rejected", "withdrawn", "expired", "revoked"})
AUTHORS_TURN: Final = frozenset({"pending", "returned", "partly_released"})
MADE: Final = "made"
DECIDED: Final = "decided"

_POLL_S: Final = 1.0


class Request:
    """One request: `.status()`, `.wait()`, `.submit()`, `.withdraw()`.

    A request is made by a job of the gateway, which counts, protects and attacks; until that is done it has no id.
    Everything is asked anew from the gateway by these four; looking at the request shows what was heard last.
    """

    def __init__(self, gateway: Gateway, *, job: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self._gateway = gateway
        self._job_id = job
        self._job: Mapping[str, Any] = {}
        self._facts: Mapping[str, Any] = facts or {}

    @property
    def id(self) -> str:
        """The id of the request, "" while the gateway is still making it."""
        return str(self._facts.get("id") or "")

    @property
    def state(self) -> str:
        """Where it stood when last asked: "waiting" or "running" while it is made, then the state of the request."""
        return str(self._facts.get("state") or self._job.get("state") or "waiting")

    @property
    def stage(self) -> str:
        """Where the release may be read: "inside" (stage 1) or "outside" (stage 2)."""
        return str(self._facts.get("stage") or "")

    @property
    def votes(self) -> Sequence[Mapping[str, Any]]:
        """The votes that you may see; until both are cast, checkers' votes are hidden from everybody else."""
        return tuple(self._facts.get("votes") or ())

    @property
    def remarks(self) -> Sequence[Mapping[str, Any]]:
        """What checkers wrote when they returned it."""
        return tuple(self._facts.get("remarks") or ())

    @property
    def release(self) -> str:
        """The id of the release, "" while there is none."""
        return str(self._facts.get("release") or "")

    def status(self) -> "Request":
        """Ask the gateway where it stands, and return the request."""
        if not self.id and self._job_id:
            self._job = self._gateway.get("jobs", self._job_id)
            if self._job.get("state") == "failed":
                error = self._job.get("error") or {}
                raise InputError(
                    str(error.get("code") or "JOB_FAILED"),
                    str(error.get("message") or "the gateway could not make this request; tell the operator"),
                )
        made = self.id or self._job.get("request")
        if made:
            self._facts = self._gateway.get("requests", str(made))
        return self

    def wait(self, until: str = MADE, *, timeout: float | None = None, say: Callable[[str], None] = print) -> "Request":
        """Wait and tell what the gateway does meanwhile; the work goes on if you interrupt.

        * `until="made"`: until the gateway has made the request and handed it to the output checkers;
        * `until="decided"`: until it is released, rejected, withdrawn or back with you; people decide, it takes days.

        InputError where the work failed; WorkbenchError TIMEOUT after `timeout` seconds.
        """
        if until not in (MADE, DECIDED):
            raise InputError("WAIT_UNTIL", f"wait until '{MADE}' or '{DECIDED}'")
        start, told, state = time.monotonic(), 0, ""
        while True:
            self.status()
            progress = [str(line) for line in self._job.get("progress") or ()]
            for line in progress[told:]:
                say(line)
            told = len(progress)
            if self.id and self.state != state:
                state = self.state
                say(f"{self.id}: {MEANING.get(state, state)}")
            if self.id and (until == MADE or state in FINISHED | AUTHORS_TURN):
                return self
            if timeout is not None and time.monotonic() - start > timeout:
                raise WorkbenchError("TIMEOUT", "it is not there yet; the gateway goes on, ask .status() later")
            time.sleep(_POLL_S)

    def submit(self) -> "Request":
        """Hand it to the output checkers again after it was returned."""
        return self._act("submit")

    def withdraw(self) -> "Request":
        """Take it back; only before it is submitted, or after it was returned."""
        return self._act("withdraw")

    def _act(self, action: str) -> "Request":
        if not self.status().id:
            raise InputError("NOT_MADE_YET", "the gateway is still making this request; .wait() for it")
        self._gateway.post("requests", self.id, action)
        return self.status()

    def _sentence(self) -> str:
        made = self.id or "request (being made)"
        return f"{made}: {MEANING.get(self.state, f'the gateway is making it ({self.state})')}"

    def _lines(self) -> Iterable[str]:
        facts = self._facts
        if facts:
            yield f"stage: {self.stage}; turn: {facts.get('turn')}; author: {facts.get('author')}"
            yield f"purpose: {facts.get('purpose')}"
        if self.release:
            yield f"release: {self.release}, {'published' if facts.get('published') else 'decided, not yet published'}"
        for vote in self.votes:
            yield f"vote in turn {vote.get('turn')}: {vote.get('decision')} {vote.get('comment') or ''}".rstrip()
        for remark in self.remarks:
            yield f"remark in turn {remark.get('turn')}: {remark.get('text')}"
        if not self.id:
            yield from (str(line) for line in self._job.get("progress") or ())

    def __repr__(self) -> str:
        return "\n".join((self._sentence(), *(f"  {line}" for line in self._lines())))

    def _repr_html_(self) -> str:
        title = str(self._facts.get("title") or "Request")
        return html.block(html.heading(title), html.paragraph(self._sentence()), html.listing(self._lines()))


class Requests:
    """The requests of this project, as the gateway lists them: `requests[0]`, `for request in requests`."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._requests = tuple(requests)

    def __len__(self) -> int:
        return len(self._requests)

    def __getitem__(self, place: int) -> Request:
        return self._requests[place]

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    def __repr__(self) -> str:
        return "\n".join(request._sentence() for request in self._requests) or "no requests yet"  # noqa: SLF001  ours

    def _repr_html_(self) -> str:
        head = ("request", "stage", "state", "what it means", "release")
        rows = [(r.id, r.stage, r.state, MEANING.get(r.state, ""), r.release) for r in self._requests]
        return html.block(html.heading("Requests"), html.grid(head, rows) if rows else html.note("none yet"))
