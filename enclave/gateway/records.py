"""What passes between the gateway and the rooms around it: history, verdicts, proposals, manifests and intents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enclave.gateway.binding import Binding, Package
from enclave.gateway.canonical import canonical, sha256, utc_text
from enclave.gateway.request import Request, RequestState, Stage
from enclave.gateway.review import Remark, Vote


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One release that an attacker may hold. Entries are numbered from 1 and form a chain; `head` is its end."""

    seq: int
    release: str
    request: str
    project: str
    stage: Stage
    population: str
    binding: str
    package: str
    at: datetime
    previous: str

    @property
    def head(self) -> str:
        """SHA-256 over this entry and, through `previous`, over all before it."""
        return sha256(
            canonical(
                {
                    "seq": self.seq,
                    "release": self.release,
                    "request": self.request,
                    "project": self.project,
                    "stage": self.stage.value,
                    "population": self.population,
                    "binding": self.binding,
                    "package": self.package,
                    "at": utc_text(self.at),
                    "previous": self.previous,
                }
            )
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the attacker found. `safe` is False when one hidden cell can be shown to be below the threshold."""

    safe: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """The same request with a pattern that is safe now; its package is already sealed under `binding.tables`."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class ReleaseDraft:
    """What the signer needs to write a manifest: nothing is looked up, so the same draft gives the same bytes."""

    release: str
    created: datetime
    request: Request
    package: Package
    approvals: tuple[Vote, ...]
    log_head: str
    """The audit log's head before this release: published, it anchors the log."""


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """The exact bytes of manifest.json and of its signature."""

    manifest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Intent:
    """A decided release: everything needed to publish it, byte for byte, after any crash. Open until published."""

    release: str
    request: str
    turn: int
    stage: Stage
    package: str
    created: datetime
    signed: SignedManifest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a release came to: the request as it stands now, and the release's id; None when it was sent back."""

    request: Request
    release: str | None

    @property
    def released(self) -> bool:
        """True when the release is published."""
        return self.release is not None


@dataclass(frozen=True, slots=True)
class Status:
    """A request as one person may see it. `release` is its latest release; `published` says whether it is out."""

    request: Request
    votes: tuple[Vote, ...]
    remarks: tuple[Remark, ...]
    release: str | None
    published: bool

    @property
    def state(self) -> RequestState:
        """Where the request stands."""
        return self.request.state


PublicFiles = Mapping[str, bytes]
"""Relative path -> bytes."""
