"""The one path out: attack again, commit shortly, publish, and finish after any crash what was decided.

Under the release lock:

1. load the request and its two approvals, and check them again: persons, permissions, binding, turn;
2. outside any transaction, attack the package together with the history as it is now;
3. in a short transaction compare the history head and write intent, history, state and log entry together;
4. publish by the intent alone, so that doing it twice gives the same bytes; then note that it is done.

What is no longer safe, or no longer approved, goes back to SUBMITTED; all its approvals are void.
"""

from dataclasses import dataclass

from enclave.errors import EnclaveBug, IntegrityError, RequestError
from enclave.gateway.binding import MANIFEST, SIGNATURE, Binding, Package
from enclave.gateway.canonical import sha256
from enclave.gateway.log_entry import SYSTEM, LogAction, LogDraft
from enclave.gateway.ports import (
    Attack,
    Book,
    Clock,
    Ids,
    Packages,
    People,
    Publisher,
    Reprotect,
    Signer,
    Transaction,
)
from enclave.gateway.records import HistoryEntry, Intent, Outcome, ReleaseDraft
from enclave.gateway.request import Action, Request, RequestState
from enclave.gateway.review import VOTES_NEEDED, Vote, approvals
from enclave.gateway.standing import standing_votes

ATTEMPTS = 5
"""How often the attack is repeated when, against the lock, another release lands in between."""


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that one attempt looks at, read in one transaction."""

    request: Request
    votes: tuple[Vote, ...]
    history: tuple[HistoryEntry, ...]
    history_head: str


@dataclass(frozen=True, slots=True)
class ReleasePath:
    """Takes approved requests out of the house, through its ports. See the module's docstring for the order."""

    book: Book
    people: People
    clock: Clock
    ids: Ids
    attack: Attack
    reprotect: Reprotect
    publisher: Publisher
    packages: Packages
    signer: Signer

    def release(self, request_id: str, actor: str) -> Outcome:
        """Release an approved request, or send it back. Asking again for a released one finishes and returns it.

        `actor` is the id of a person whose right to release was checked. Raises RequestError BAD_TRANSITION when the
        request is not approved.
        """
        with self.book.release_lock():
            for _ in range(ATTEMPTS):
                case = self._load(request_id)
                if case.request.state is RequestState.RELEASED:
                    return self._finish(case.request)
                outcome = self._attempt(case, actor)
                if outcome is not None:
                    return outcome
        raise RequestError("HISTORY_MOVING", "other releases keep landing in between; release this request again later")

    def recover(self) -> tuple[str, ...]:
        """Publish every release that was decided but is not known to be out; return their ids. Harmless to repeat."""
        with self.book.release_lock():
            with self.book.view() as tx:
                intents = tx.open_intents()
            for intent in intents:
                self._publish(intent)
        return tuple(intent.release for intent in intents)

    def _load(self, request_id: str) -> _Case:
        with self.book.view() as tx:
            return _Case(tx.request(request_id), tx.votes(request_id), tx.history(), tx.history_head())

    def _attempt(self, case: _Case, actor: str) -> Outcome | None:
        """Try once; None when the request, its votes or the history changed meanwhile."""
        released = case.request.step(Action.RELEASE)
        if not self._approved(case.request, case.votes):
            return self._send_back(case, case.request.binding, "approvals void")
        package = self._package(case.request.binding.tables)
        if not self.attack.attack(case.request, package, case.history).safe:
            proposal = self.reprotect.reprotect(case.request, case.history)
            return self._send_back(case, proposal.binding, "no longer safe")
        with self.book.transaction() as tx:
            if not self._unchanged(case, tx):
                return None
            intent = self._commit(tx, case, released, package, actor)
        self._publish(intent)
        return Outcome(released, intent.release)

    def _unchanged(self, case: _Case, tx: Transaction) -> bool:
        same = tx.request(case.request.id) == case.request and tx.votes(case.request.id) == case.votes
        return same and tx.history_head() == case.history_head and self._approved(case.request, case.votes)

    def _approved(self, request: Request, votes: tuple[Vote, ...]) -> bool:
        """Tell whether nobody objects and two distinct persons, who still may, approve what is requested now."""
        standing = standing_votes(self.people, request, approvals(request, votes))
        return len(standing) >= VOTES_NEEDED

    def _send_back(self, case: _Case, binding: Binding, reason: str) -> Outcome | None:
        moved = case.request.step(Action.SEND_BACK, binding)
        details = {
            "turn": moved.turn,
            "state": moved.state.value,
            "reason": reason,
            "binding": binding.digest,
            "history_attacked": case.history_head,
        }
        with self.book.transaction() as tx:
            if tx.request(case.request.id) != case.request:
                return None
            tx.move(moved, LogDraft(SYSTEM, LogAction.SENT_BACK, moved.id, details))
        return Outcome(moved, None)

    def _commit(self, tx: Transaction, case: _Case, released: Request, package: Package, actor: str) -> Intent:
        """Write intent, history, state and log entry; from here on the release will be published, whatever happens."""
        request, votes = case.request, approvals(case.request, case.votes)
        created, release_id = self.clock(), self.ids.release_id(request)
        signed = self.signer.sign(ReleaseDraft(release_id, created, request, package, votes, tx.log_head()))
        intent = Intent(release_id, request.id, request.turn, request.stage, package.digest, created, signed)
        entry = HistoryEntry(
            seq=len(case.history) + 1,
            release=release_id,
            request=request.id,
            project=request.project,
            stage=request.stage,
            population=request.population,
            binding=request.binding.digest,
            package=package.digest,
            at=created,
            previous=case.history_head,
        )
        details = {
            "turn": released.turn,
            "state": released.state.value,
            "release": release_id,
            "binding": request.binding.digest,
            "approved_by": tuple(vote.person for vote in votes),
            "history_seen": tuple(vote.head_seen for vote in votes),
            "history_attacked": case.history_head,
            "history_head": entry.head,
            "manifest": sha256(signed.manifest),
        }
        tx.add_release(intent, entry)
        tx.move(released, LogDraft(actor, LogAction.RELEASED, request.id, details))
        return intent

    def _finish(self, request: Request) -> Outcome:
        with self.book.view() as tx:
            intents, still_open = tx.intents(request.id), tx.open_intents()
        if not intents:
            raise EnclaveBug("RELEASED_WITHOUT_INTENT", f"request {request.id} is released but no release is on record")
        if intents[-1] in still_open:
            self._publish(intents[-1])
        return Outcome(request, intents[-1].release)

    def _publish(self, intent: Intent) -> None:
        package = self._package(intent.package)
        files = {**package.files, MANIFEST: intent.signed.manifest, SIGNATURE: intent.signed.signature}
        self.publisher.publish(intent.stage, intent.release, files)
        details = {"request": intent.request, "manifest": sha256(intent.signed.manifest)}
        with self.book.transaction() as tx:
            tx.finish_intent(intent.release, LogDraft(SYSTEM, LogAction.PUBLISHED, intent.release, details))

    def _package(self, digest: str) -> Package:
        package = self.packages.read(digest)
        if package.digest != digest:
            raise IntegrityError(
                "PACKAGE_CHANGED", "the sealed package is not the one that was approved; release nothing"
            )
        return package
