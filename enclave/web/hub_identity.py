"""Identity by the hub: OAuth with a short-lived cookie for pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler
from tornado.httputil import url_concat
from tornado.web import HTTPError, RequestHandler

from enclave.errors import PermissionDenied, SetupError
from enclave.web.answers import AnswersErrors
from enclave.web.identity import Route
from enclave.web.settings import SERVICE, WebSettings

_HOURS_A_DAY = 24


class CallbackHandler(AnswersErrors, HubOAuthCallbackHandler):  # type: ignore[misc]  # the hub has no types
    """Where the hub sends a browser back to; errors are answered like everywhere else."""

    def initialize(self, auth: HubOAuth) -> None:
        """Take the service's identity at the hub."""
        self.hub_auth = auth


class HubIdentity:
    """See `enclave.web.identity.Identity`."""

    def __init__(self, settings: WebSettings, token: str) -> None:
        """Know the hub's socket and the service's token; nothing is asked yet."""
        self._session_days = settings.session_hours / _HOURS_A_DAY
        self._auth = HubOAuth(
            api_url=settings.hub_api,
            api_token=token,
            base_url=settings.prefix,
            oauth_client_id=f"service-{SERVICE}",
            access_scopes={f"access:services!service={SERVICE}"},
            cache_max_age=settings.rights_seconds,
            cookie_options={"samesite": "Lax", "secure": True, "expires_days": None},
            cookie_host_prefix_enabled=False,  # such a cookie would go to notebook servers too
            allow_token_in_url=False,
            hub_host="",
            hub_prefix="/hub/",
        )

    async def account_of_page(self, handler: RequestHandler) -> str | None:
        """Return the account of the browser's session, as the hub says now; PermissionDenied without access."""
        token = self.session(handler)
        if not token:
            return None
        model = await self._ask(token, self._auth.get_session_id(handler))
        if model is None:
            self._auth.clear_cookie(handler)
            return None
        return self._user(model)

    def session(self, handler: RequestHandler) -> str:
        """Return the token in the browser's cookie, unless the cookie is too old."""
        cookie = handler.get_signed_cookie(self._auth.cookie_name, max_age_days=self._session_days)
        return cookie.decode("ascii", "replace") if cookie else ""

    def log_in(self, handler: RequestHandler) -> None:
        """Begin OAuth with the hub, with proof of possession (PKCE) and a state that only this browser holds."""
        verifier, challenge, method = self._auth.generate_pkce_code_challenge()
        back = handler.request.uri if handler.request.method in ("GET", "HEAD") else self._auth.base_url
        state = self._auth.set_state_cookie(handler, next_url=back, code_verifier=verifier)
        given = {"code_challenge": challenge, "code_challenge_method": method, "state": state}
        handler.redirect(url_concat(self._auth.login_url, given))

    def log_out(self, handler: RequestHandler) -> None:
        """Drop the cookie and go on to the hub's log-out."""
        self._auth.clear_cookie(handler)
        handler.redirect("/hub/logout")

    def routes(self) -> Sequence[Route]:
        """Return the handler that the hub sends browsers back to."""
        return [("oauth_callback", CallbackHandler, {"auth": self._auth})]

    async def _ask(self, token: str, session_id: str) -> Mapping[str, Any] | None:
        try:
            model: Mapping[str, Any] | None = await self._auth.user_for_token(token, session_id=session_id, sync=False)
        except HTTPError as error:
            message = "the hub does not say who you are just now; try again in a minute, then tell the operator"
            raise SetupError("HUB_UNAVAILABLE", message) from error
        return model

    def _user(self, model: Mapping[str, Any]) -> str | None:
        """Return the name of an account with access to the gateway; services have none."""
        if model.get("kind") != "user":
            return None
        if not self._auth.check_scopes(self._auth.access_scopes, model):
            raise PermissionDenied("NO_ACCESS", "the hub gives this account no access to the gateway; ask an operator")
        return str(model["name"])
