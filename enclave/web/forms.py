"""What people do on pages: vote, return, hand in, withdraw, release, download. Each ends on a page that says so."""

from enclave.errors import RequestError
from enclave.gateway.review import Decision
from enclave.web.page import PageHandler
from enclave.web.services import aside


class Vote(PageHandler):
    """One vote of a checker."""

    async def post(self, request_id: str) -> None:
        """Cast it; not while the vault is locked, since nobody sees then what the vote is about."""
        await aside(self.services.house.require_unlocked, self.account, "vote")
        decision = self.get_body_argument("decision", "")
        if decision not in set(Decision):
            raise RequestError("NO_DECISION", "choose one of the three decisions")
        gateway = self.services.house.gateway
        await aside(gateway.vote, request_id, self.account, Decision(decision), self.comment())
        self.redirect(self.url("requests", request_id, said="voted"), status=303)


class Step(PageHandler):
    """What an author or a checker does with a request besides voting."""

    async def post(self, request_id: str, step: str) -> None:
        """Return, submit or withdraw it."""
        gateway = self.services.house.gateway
        if step == "return":
            await aside(gateway.return_, request_id, self.account, self.comment())
        elif step == "submit":
            await aside(gateway.submit, request_id, self.account)
        else:
            await aside(gateway.withdraw, request_id, self.account)
        self.redirect(self.url("requests", request_id, said=step), status=303)


class StartRelease(PageHandler):
    """The start of a release."""

    async def post(self, request_id: str) -> None:
        """Put it into the queue: the attack is repeated first, which takes its time."""
        await aside(self.services.jobs.release, self.account, request_id)
        self.redirect(self.url("requests", request_id, said="release"), status=303)


class Produce(PageHandler):
    """The start of stage 1."""

    async def post(self, name: str) -> None:
        """Put it into the queue. The form's own mark keeps a second click from asking twice."""
        purpose, once = self.comment("purpose"), self.get_body_argument("once", "")[:64]
        await aside(self.services.jobs.produce, self.account, name, purpose, key=f"page {once}")
        self.redirect(self.url(said="produce"), status=303)


class Download(PageHandler):
    """The way of a release to its recipient."""

    async def post(self, release_id: str) -> None:
        """Return the signed release in one archive; logged."""
        data = await aside(self.services.desk.download, self.account, release_id)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="{release_id}.zip"')
        self.finish(data)
