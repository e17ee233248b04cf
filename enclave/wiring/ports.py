"""The gateway's ports, filled with real parts: clock, ids, signer, outboxes, attack and new patterns."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from enclave.gateway.binding import Package
from enclave.gateway.records import HistoryEntry, Proposal, PublicFiles, ReleaseDraft, SignedManifest, Verdict
from enclave.gateway.request import Request, Stage
from enclave.ledger.manifest import Approval, canonical_json
from enclave.ledger.outbox import publish
from enclave.ledger.signing import SigningKey

CHECKER = "output checker"
_LATER = frozenset({"release", "created", "approvals", "previous_log_head"})
"""Fields of a manifest that are known at release only."""


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class RandomIds:
    """Ids that nobody can guess and that never come twice."""

    def request_id(self, project: str) -> str:
        """Return an id for a new request."""
        return f"{project}-r{secrets.token_hex(4)}"

    def release_id(self, request: Request) -> str:
        """Return an id for a new release."""
        return f"{request.project}-{request.stage.value}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Outboxes:
    """Publishes into one folder per stage."""

    folders: dict[Stage, Path]

    def publish(self, stage: Stage, release_id: str, files: PublicFiles) -> None:
        """Make the folder of the release, whole and durable."""
        publish(self.folders[stage], release_id, files)


def manifest_body(manifest: bytes) -> bytes:
    """Return what of a manifest is known when its package is sealed."""
    return canonical_json({name: value for name, value in json.loads(manifest).items() if name not in _LATER})


@dataclass(frozen=True, slots=True)
class ManifestSigner:
    """Completes the body of a package with what only the release knows, and signs it."""

    key: SigningKey

    def sign(self, draft: ReleaseDraft) -> SignedManifest:
        """Return manifest and signature."""
        approvals = [Approval(CHECKER, self._pseudonym(vote.person)) for vote in draft.approvals]
        manifest = canonical_json(
            json.loads(draft.package.body)
            | {
                "release": draft.release,
                "created": draft.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "approvals": [{"role": approval.role, "key_id": approval.key_id} for approval in approvals],
                "previous_log_head": draft.log_head,
            }
        )
        return SignedManifest(manifest, self.key.sign(manifest))

    def _pseudonym(self, person: str) -> str:
        """Return an id that tells two checkers apart and that nobody can turn back into a name without the key."""
        return hashlib.sha256(self.key.sign(b"approval by " + person.encode())).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class JointAttack:
    """The attacker on everything that would be public together; `judge` knows the two stages."""

    judge: Callable[[Request, Package, tuple[HistoryEntry, ...]], bool]

    def attack(self, request: Request, package: Package, history: tuple[HistoryEntry, ...]) -> Verdict:
        """Say whether the package is safe together with all earlier releases."""
        return Verdict(self.judge(request, package, history))


@dataclass(frozen=True, slots=True)
class NewPattern:
    """Finds a new pattern when the old one is no longer safe."""

    protect_again: Callable[[Request, tuple[HistoryEntry, ...]], Proposal]

    def reprotect(self, request: Request, history: tuple[HistoryEntry, ...]) -> Proposal:
        """Protect the request's tables against the history as it is now."""
        return self.protect_again(request, history)
