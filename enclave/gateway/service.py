"""The gateway's front door: what people and programs may ask of it. Every refusal is written to the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager

from enclave.errors import UserError
from enclave.gateway import permissions
from enclave.gateway.binding import Binding
from enclave.gateway.canonical import is_name
from enclave.gateway.log_entry import SYSTEM, LogAction, LogDraft
from enclave.gateway.permissions import Person
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
from enclave.gateway.records import Outcome, Status
from enclave.gateway.release import ReleasePath
from enclave.gateway.request import Action, Request, RequestState, Stage
from enclave.gateway.review import Decision, Remark, Vote, outcome, visible_votes
from enclave.gateway.standing import standing_votes

_OUTCOMES = {Action.APPROVE: LogAction.APPROVED, Action.REJECT: LogAction.REJECTED}


class Gateway:
    """Requests, reviews and releases. Callers are accounts; the gateway looks up whose they are.

    Every method raises PermissionDenied with the reason, or RequestError (UNKNOWN_REQUEST, BAD_TRANSITION, ...);
    nothing has happened then, but for the entry in the log.
    """

    def __init__(
        self,
        *,
        book: Book,
        people: People,
        clock: Clock,
        ids: Ids,
        attack: Attack,
        reprotect: Reprotect,
        publisher: Publisher,
        packages: Packages,
        signer: Signer,
    ) -> None:
        self._book, self._people, self._clock, self._ids = book, people, clock, ids
        self._path = ReleasePath(
            book=book,
            people=people,
            clock=clock,
            ids=ids,
            attack=attack,
            reprotect=reprotect,
            publisher=publisher,
            packages=packages,
            signer=signer,
        )

    def create(
        self,
        account: str,
        *,
        project: str,
        stage: Stage,
        population: str,
        title: str,
        purpose: str,
        binding: Binding,
        request_id: str | None = None,
    ) -> Request:
        """Make a request, PENDING, with the caller as its author. Its package must be sealed already.

        `request_id`: for who must be able to find the request again after a crash; a new one if left out.
        """
        with self._caller("create", account, project) as person:
            permissions.check_request(person, project, stage)
            request = Request(
                id=request_id or self._ids.request_id(project),
                project=project,
                stage=stage,
                author=person.id,
                population=population,
                title=title,
                purpose=purpose,
                binding=binding,
            )
            details = _step(request, account) | {
                "project": project,
                "stage": stage.value,
                "author": person.id,
                "binding": binding.digest,
            }
            with self._book.transaction() as tx:
                tx.create(request, LogDraft(person.id, LogAction.CREATED, request.id, details))
        return request

    def submit(self, request_id: str, account: str, binding: Binding | None = None) -> Request:
        """Hand the request to the checkers, perhaps with something new in it; a new turn begins."""
        with self._caller("submit", account, request_id) as person, self._book.transaction() as tx:
            request = tx.request(request_id)
            permissions.check_submit(person, request)
            moved = request.step(Action.SUBMIT, binding)
            details = _step(moved, account) | {"binding": moved.binding.digest}
            tx.move(moved, LogDraft(person.id, LogAction.SUBMITTED, moved.id, details))
        return moved

    def withdraw(self, request_id: str, account: str) -> Request:
        """Take the request back for good."""
        with self._caller("withdraw", account, request_id) as person, self._book.transaction() as tx:
            request = tx.request(request_id)
            permissions.check_withdraw(person, request)
            moved = request.step(Action.WITHDRAW)
            tx.move(moved, LogDraft(person.id, LogAction.WITHDRAWN, moved.id, _step(moved, account)))
        return moved

    def vote(self, request_id: str, account: str, decision: Decision, comment: str = "") -> Request:
        """Cast one of the two votes. The second decides: both approve, both reject, or the checkers must talk.

        A vote for changes or rejection needs a comment (COMMENT_NEEDED).
        """
        with self._caller("vote", account, request_id) as person, self._book.transaction() as tx:
            now, request, votes = self._clock(), tx.request(request_id), tx.votes(request_id)
            permissions.check_vote(person, request, votes, now.date())
            moved = request.step(Action.VOTE)
            binding, head = request.binding.digest, tx.history_head()
            vote = Vote(request.id, request.turn, person.id, decision, comment, binding, head, now)
            details = _step(moved, account) | {"decision": decision.value, "binding": binding, "history_seen": head}
            draft = LogDraft(person.id, LogAction.VOTED, request.id, details)
            tx.add_vote(vote, moved, draft)
            return self._decide(tx, moved, (*votes, vote))

    def return_(self, request_id: str, account: str, comment: str) -> Request:
        """Give the request back to its author, with a comment that says what has to change."""
        with self._caller("return", account, request_id) as person, self._book.transaction() as tx:
            request, now = tx.request(request_id), self._clock()
            permissions.check_return(person, request, now.date())
            remark = Remark(request.id, request.turn, person.id, comment, now)
            moved = request.step(Action.RETURN)
            tx.move(moved, LogDraft(person.id, LogAction.RETURNED, moved.id, _step(moved, account)))
            tx.add_remark(remark)
        return moved

    def release(self, request_id: str, account: str) -> Outcome:
        """Take an approved request out of the house, or send it back when it is no longer safe or approved."""
        with self._caller("release", account, request_id) as person:
            permissions.check_release(person)
            return self._path.release(request_id, person.id)

    def recover(self) -> tuple[str, ...]:
        """Publish what was decided before a crash; call it at every start. Return the ids of what was open."""
        return self._path.recover()

    def revoke(self, request_id: str, account: str, comment: str) -> Request:
        """Declare a release withdrawn. What is public stays in the history: an attacker has it."""
        with self._caller("revoke", account, request_id) as person, self._book.transaction() as tx:
            request = tx.request(request_id)
            permissions.check_revoke(person)
            remark = Remark(request.id, request.turn, person.id, comment, self._clock())
            moved = request.step(Action.REVOKE)
            tx.move(moved, LogDraft(person.id, LogAction.REVOKED, moved.id, _step(moved, account)))
            tx.add_remark(remark)
        return moved

    def expire(self, request_id: str) -> Request:
        """Close a returned request that its author left lying. When, is for the caller to say."""
        with self._book.transaction() as tx:
            moved = tx.request(request_id).step(Action.EXPIRE)
            details = {"turn": moved.turn, "state": moved.state.value}
            tx.move(moved, LogDraft(SYSTEM, LogAction.EXPIRED, moved.id, details))
        return moved

    def status(self, request_id: str, account: str) -> Status:
        """Return the request as the caller may see it: of first votes only one's own until both are cast."""
        with self._caller("status", account, request_id) as person, self._book.view() as tx:
            request = tx.request(request_id)
            permissions.check_view(person, request)
            votes = visible_votes(request, tx.votes(request_id), person.id)
            intents, still_open = tx.intents(request_id), tx.open_intents()
            last = intents[-1] if intents else None
            release = last.release if last else None
            return Status(request, votes, tx.remarks(request_id), release, last is not None and last not in still_open)

    def requests(self, account: str, state: RequestState | None = None) -> tuple[Request, ...]:
        """Return the requests that the caller may see, all or those in one state, oldest first."""
        with self._caller("list", account, "requests") as person, self._book.view() as tx:
            return tuple(found for found in tx.requests(state) if permissions.may_view(person, found))

    def history_head(self) -> str:
        """Return the head of the release history, or NO_HEAD."""
        with self._book.view() as tx:
            return tx.history_head()

    def _decide(self, tx: Transaction, request: Request, votes: tuple[Vote, ...]) -> Request:
        """Take the step that two votes decide. Where they differ or one fell away, a checker returns the request."""
        standing = standing_votes(self._people, request, votes)
        action = outcome(request, standing) if request.state is RequestState.REVIEWED else None
        if action is None:
            return request
        decided = request.step(action)
        details: dict[str, str | int] = {"turn": decided.turn, "state": decided.state.value}
        if action is Action.APPROVE:
            details["binding"] = decided.binding.digest
        tx.move(decided, LogDraft(SYSTEM, _OUTCOMES[action], decided.id, details))
        return decided

    @contextmanager
    def _caller(self, operation: str, account: str, subject: str) -> Iterator[Person]:
        """Give the person behind the account; write a refusal of what follows to the log, then let it go on."""
        actor = SYSTEM
        try:
            person = self._people.by_account(account)
            actor = person.id
            yield person
        except UserError as refusal:
            details = {"operation": operation, "code": refusal.code}
            if is_name(account):
                details["account"] = account
            about = subject if is_name(subject) else "unknown"
            self._book.record(LogDraft(actor, LogAction.REFUSED, about, details))
            raise


def _step(request: Request, account: str) -> dict[str, str | int]:
    return {"account": account, "turn": request.turn, "state": request.state.value}
