"""OpenID Connect: people log in at a provider, which also asks for their second factor.

Authorisation code with PKCE. The ban is ticked on our page before anybody is sent away, and comes back with the state:
what stands in the address of the return is worth nothing without a flow of this very browser.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlencode

from jupyterhub.handlers.base import BaseHandler
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import url_concat
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from traitlets import Instance

from enclave.errors import PermissionDenied, SetupError, UserError
from enclave.wiring.workbench.log_in_settings import OidcSettings
from enclave.wiring.workbench.secret_file import read_secret
from hub_config import pages
from hub_config.authenticator import HouseLogIn, require_accepted
from hub_config.vouching.flows import Flow, Flows
from hub_config.vouching.id_token import account_of

MOST_BYTES = 1024 * 1024
BROWSER_COOKIE = "enclave-log-in"


class OidcLogIn(HouseLogIn):
    """An account as a provider vouches for it; whatever else the provider says of somebody is dropped."""

    asks_password: ClassVar[bool] = False
    told = Instance(OidcSettings, help="Which provider, and what is asked of it.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flows = Flows()

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Put the way to the provider and back before the other pages."""
        return [(r"/login", ToProvider), (r"/oauth_callback", FromProvider), *super().get_handlers(app)]

    async def begin(self, handler: Any, form: Mapping[str, str], next_url: str) -> Flow:
        """Remember who is sent to the provider; Refusal without the tick, and where the door is closed."""
        address = handler.request.remote_ip
        try:
            self.doors.require_open("", address)
            require_accepted(form)
        except UserError as error:
            raise await self.refusal(error, "", address) from error
        return self.flows.begin(form["ban"], next_url)

    def address_for(self, flow: Flow) -> str:
        """Return where somebody is sent."""
        told = self.told
        asked = {
            "response_type": "code",
            "client_id": told.client,
            "redirect_uri": told.return_url,
            "scope": " ".join(told.scopes),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        return url_concat(
            told.authorize_url, asked | ({"acr_values": " ".join(told.acr_values)} if told.acr_values else {})
        )

    def brought(self, handler: Any, data: Mapping[str, str]) -> Mapping[str, str]:
        """Return what is remembered of the log-in that comes back, with the provider's code."""
        try:
            flow = self.flows.take(data.get("state", ""), data.get("browser", ""))
        except PermissionDenied:
            self.doors.note_wrong("", handler.request.remote_ip)
            raise
        if not data.get("code"):
            raise PermissionDenied(
                "PROVIDER_REFUSED", "the log-in service did not let you in; begin anew, or ask there"
            )
        handler.next_url = flow.next_url
        return {"ban": flow.ban, "nonce": flow.nonce, "verifier": flow.verifier, "code": data["code"]}

    async def vouched(self, brought: Mapping[str, str]) -> str | None:
        """Exchange the code for a token, and return the account it names."""
        answer = await self._ask(self.told.token_url, self._exchange(brought))
        keys = await self._ask(self.told.keys_url, {})
        return account_of(str(answer.get("id_token", "")), keys, self.told, brought["nonce"])

    def _exchange(self, brought: Mapping[str, str]) -> dict[str, Any]:
        told = self.told
        body = {
            "grant_type": "authorization_code",
            "code": brought["code"],
            "redirect_uri": told.return_url,
            "code_verifier": brought["verifier"],
        }
        secret = read_secret(Path(told.secret_file), os.geteuid())
        return {
            "method": "POST",
            "body": urlencode(body),
            "headers": {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            "auth_username": quote_plus(told.client),  # RFC 6749, 2.3.1: both are encoded before they are joined
            "auth_password": quote_plus(secret),
        }

    async def _ask(self, url: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the provider's answer, over TLS from whom we trust; what goes wrong is told without its content."""
        seconds = self.told.seconds
        client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=MOST_BYTES)
        asked = HTTPRequest(
            url,
            **request,
            ca_certs=self.told.trusted,
            follow_redirects=False,
            connect_timeout=seconds,
            request_timeout=seconds,
        )
        try:
            found = json.loads((await client.fetch(asked)).body)
        except HTTPClientError as error:
            if error.code == 400:  # noqa: PLR2004  OAuth's answer to a code that does not hold
                raise PermissionDenied(
                    "PROVIDER_REFUSED", "the log-in service takes this log-in back; begin anew"
                ) from error
            raise _away() from error
        except (OSError, ValueError) as error:
            raise _away() from error
        finally:
            client.close()
        if not isinstance(found, dict):
            raise _away()
        return found


class ToProvider(pages.WorkbenchLogin):
    """The log-in page without name and password: the tick, and the way to the provider."""

    async def post(self) -> None:
        """Send somebody to the provider."""
        form = {"ban": self.get_body_argument("ban", "")}
        flow = await self.authenticator.begin(self, form, self.get_next_url())
        self.set_cookie(
            BROWSER_COOKIE, flow.browser, path=self.hub.base_url, secure=True, httponly=True, samesite="Lax"
        )
        self.redirect(self.authenticator.address_for(flow))


class FromProvider(BaseHandler):
    """Where the provider sends people back."""

    next_url = ""

    async def get(self) -> None:
        """Log in, and lead on to where somebody wanted to go."""
        data = {name: self.get_query_argument(name, "") for name in ("state", "code")}
        data["browser"] = self.get_cookie(BROWSER_COOKIE, "")
        self.clear_cookie(BROWSER_COOKIE, path=self.hub.base_url)
        if await self.login_user(data):
            self.redirect(self.next_url)


def _away() -> SetupError:
    return SetupError("NOBODY_TO_ASK", "the log-in service cannot be asked now; wait a little, then begin anew")
