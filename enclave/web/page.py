"""What all pages share: who is there, in which language, the form's token, and errors as pages."""

import hashlib
import hmac
from typing import Any
from urllib.parse import quote, urlsplit

from tornado.web import HTTPError

from enclave.errors import EnclaveError, RequestError
from enclave.gateway import permissions
from enclave.gateway.permissions import Person, Role
from enclave.web import texts
from enclave.web.answers import AnswersErrors
from enclave.web.api import check_size, free_text
from enclave.web.language import Language, chosen
from enclave.web.rendering import render
from enclave.web.services import Services, aside

LANGUAGE_COOKIE = "enclave-language"
LANGUAGE_DAYS = 365
MOST_COMMENT = 2_000
_SAFE_METHODS = ("GET", "HEAD")


class PageHandler(AnswersErrors):
    """A page for an enrolled person. Forms carry a token that only the pages of this session know."""

    needs_person = True
    services: Services
    account = ""
    person: Person | None = None

    def initialize(self, services: Services) -> None:
        """Take the services."""
        self.services = services

    @property
    def language(self) -> Language:
        """The reader's language: of the cookie, else what the browser asks for."""
        return chosen(self.get_cookie(LANGUAGE_COOKIE), self.request.headers.get("Accept-Language", ""))

    @property
    def form_token(self) -> str:
        """What a form of this session must send back."""
        return form_token(self.services.secret, self.services.identity.session(self))

    async def prepare(self) -> None:
        """Find out who is there, send strangers to the log-in, and look the person up in the register."""
        check_size(self.request.body)
        account = await self.services.identity.account_of_page(self)
        if account is not None:
            self.account = account
            self.person = await aside(self.services.desk.person, account)
        elif self.needs_person:
            self.services.identity.log_in(self)

    def check_xsrf_cookie(self) -> None:
        """Take forms only from pages of this session: by the form's token, and by what the browser says of its site."""
        if self.request.method in _SAFE_METHODS:
            return
        given = self.get_body_argument("_xsrf", "")
        same = self.request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
        if not same or not hmac.compare_digest(given.encode(), self.form_token.encode()):
            raise HTTPError(403)

    def url(self, *parts: str, **query: str) -> str:
        """Return an address below the prefix."""
        path = self.services.prefix + "/".join(quote(part, safe="") for part in parts)
        given = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
        return f"{path}?{given}" if given else path

    def show(self, template: str, **values: Any) -> None:
        """Answer with a page."""
        person = self.person
        common = {
            "url": self.url,
            "person": person,
            "account": self.account,
            "form_token": self.form_token,
            "here": self.request.uri or "",
            "is_auditor": person is not None and Role.AUDITOR in person.roles,
            "keeps_house": person is not None and permissions.may_see_state(person),
            "locked": self.services.locked,
            "isolated": self.services.isolated,
        }
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Language", self.language.code)
        self.finish(render(self.language, template, common | values))

    def show_error(self, status: int, code: str, message: str) -> None:
        """Answer an error with a page in the reader's language."""
        del message
        sentence = texts.REFUSALS.get(code) or texts.OTHERWISE.get(status, texts.OTHERWISE[500])
        heading = texts.HEADINGS.get(status, texts.HEADINGS[500])
        self.show("error.html", status=status, code=code, sentence=sentence, heading=heading)

    def comment(self, name: str = "comment", most: int = MOST_COMMENT) -> str:
        """Return what a person wrote into a field."""
        text = free_text(self.get_body_argument(name, "", strip=True), name)
        if len(text) > most:
            raise RequestError("BAD_TEXT", f"the {name} is too long; write at most {most} characters")
        return text.replace("\r\n", "\n")


class NoPage(PageHandler):
    """Every address that nobody defined."""

    async def prepare(self) -> None:
        """Say that there is nothing, to who is logged in; others log in first."""
        await super().prepare()
        if not self._finished:
            raise HTTPError(404)

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here, so nothing is checked."""


class About(PageHandler):
    """What this is, and how accessible: for everybody."""

    needs_person = False

    async def prepare(self) -> None:
        """Show the page also to people without an account here."""
        try:
            await super().prepare()
        except EnclaveError:
            self.person = None

    def get(self) -> None:
        """Show it."""
        self.show("about.html")


class ChooseLanguage(PageHandler):
    """The switch between languages."""

    needs_person = False

    async def prepare(self) -> None:
        """Anybody may choose."""

    def get(self, code: str) -> None:
        """Remember the choice, and go back to a page of ours."""
        self.set_cookie(
            LANGUAGE_COOKIE,
            chosen(code, "").code,
            path="/",  # the hub's pages read it too
            expires_days=LANGUAGE_DAYS,
            httponly=True,
            secure=True,
            samesite="Lax",
        )
        back = urlsplit(self.get_query_argument("back", ""))
        ours = not back.scheme and not back.netloc and back.path.startswith(self.services.prefix)
        self.redirect(back.geturl() if ours and "\\" not in back.path else self.services.prefix)


class LogOut(PageHandler):
    """The end of a session."""

    def post(self) -> None:
        """End it here and at the hub."""
        self.services.identity.log_out(self)


def form_token(secret: bytes, session: str) -> str:
    """Return the token of a session's forms: nobody can make it without the secret."""
    return hmac.new(secret, b"form " + session.encode(), hashlib.sha256).hexdigest()
