"""A real OpenID provider for tests: `oidc-provider-mock` behind TLS on loopback, with PKCE checked in front of it.

What the provider's own code does not do is done by `_Front`: it remembers what a log-in asked for, refuses an exchange
whose verifier does not fit the challenge (RFC 7636), and may change the token on its way out, as an attacker would.
"""

import json
import threading
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPSConnection
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import flask
from werkzeug.serving import make_server

from enclave.wiring.workbench import certificate
from tests.lib.session import trusting

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies, at import
    import oidc_provider_mock

FACTOR = "urn:example:two-factors"
PEOPLE: dict[str, dict[str, object]] = {
    "1001": {"account": "analyst.one", "acr": FACTOR, "amr": ["pwd", "otp"]},
    "1002": {"account": "visitor.one", "acr": FACTOR, "amr": ["pwd", "otp"]},
    "1003": {"account": "analyst.one", "acr": "urn:example:password", "amr": ["pwd"]},
    "1004": {"account": "analyst.one"},
    "1005": {"acr": FACTOR},
    "1006": {"account": ["analyst.one"], "acr": FACTOR},
    "1007": {"account": "Analyst.One", "acr": FACTOR},
}
"""Subjects, with what the provider says of them in its tokens."""


@dataclass
class Provider:
    """A running provider."""

    app: flask.Flask
    url: str
    certificate: Path
    asked: list[dict[str, str]] = field(default_factory=list)
    """What each log-in asked for, oldest first."""
    change: Callable[[str], str] = str
    """What happens to an ID token on its way out."""

    def settings(self, folder: Path, return_url: str) -> dict[str, Any]:
        """Register a client that comes back there, and return its settings; its secret is written into the folder."""
        answer = self.app.test_client().post("/oauth2/clients", json={"redirect_uris": [return_url]})
        registered = answer.get_json()
        secret = folder / "oidc-secret"
        secret.write_text(f"{registered['client_secret']}\n", encoding="utf-8")
        secret.chmod(0o600)
        return {
            "issuer": self.url,
            "authorize_url": f"{self.url}/oauth2/authorize",
            "token_url": f"{self.url}/oauth2/token",
            "keys_url": f"{self.url}/jwks",
            "return_url": return_url,
            "client": registered["client_id"],
            "secret_file": str(secret),
            "certificates": str(self.certificate),
            "scopes": ("openid",),
            "account_claim": "account",
            "acr_values": (FACTOR,),
            "second_factor": {"claim": "acr", "any_of": (FACTOR,)},
            "seconds": 10,
        }

    def log_in(self, address: str, subject: str) -> dict[str, str]:
        """Log in there as this subject, or deny with an empty one; return what the address of the return holds."""
        body = {"sub": subject} if subject else {"action": "deny"}
        asked = HTTPSConnection(urlsplit(self.url).netloc, context=trusting(), timeout=30)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        asked.request("POST", address.removeprefix(self.url), urlencode(body), headers)
        back = asked.getresponse().getheader("Location") or ""
        asked.close()
        return _first_of(urlsplit(back).query)


@contextmanager
def provider(folder: Path, max_age: timedelta = timedelta(minutes=5)) -> Iterator[Provider]:
    """Start one."""
    made, key = certificate.make("127.0.0.1", datetime.now(UTC))
    (folder / "provider.crt").write_bytes(made)
    (folder / "provider.key").write_bytes(key)
    users = [oidc_provider_mock.User(sub=subject, claims=dict(claims)) for subject, claims in PEOPLE.items()]
    app = oidc_provider_mock.app(
        require_client_registration=True, require_nonce=True, access_token_max_age=max_age, user_claims=users
    )
    running = Provider(app, "", folder / "provider.crt")
    trust = (str(folder / "provider.crt"), str(folder / "provider.key"))
    server = make_server("127.0.0.1", 0, _Front(app, running), threaded=True, ssl_context=trust)
    running.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _first_of(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


class _Front:
    """Stands before the provider's program."""

    def __init__(self, app: flask.Flask, running: Provider) -> None:
        self._app, self._running = app, running
        self._challenges: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        if environ["PATH_INFO"] == "/oauth2/token":
            return self._exchange(environ, start, _first_of(body.decode()))
        if environ["PATH_INFO"] == "/oauth2/authorize" and environ["REQUEST_METHOD"] == "POST":
            return self._authorize(environ, start, _first_of(environ["QUERY_STRING"]))
        return self._app(environ, start)

    def _authorize(self, environ: dict[str, Any], start: Callable[..., Any], asked: dict[str, str]) -> Iterable[bytes]:
        assert asked["code_challenge_method"] == "S256"
        self._running.asked.append(asked)

        def note(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            code = _first_of(urlsplit(dict(headers).get("Location", "")).query).get("code", "")
            self._challenges[code] = asked["code_challenge"]
            return start(status, headers, *more)

        return self._app(environ, note)

    def _exchange(self, environ: dict[str, Any], start: Callable[..., Any], form: dict[str, str]) -> Iterable[bytes]:
        digest = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if self._challenges.pop(form.get("code", ""), None) != digest:
            start("400 BAD REQUEST", [("Content-Type", "application/json")])
            return [b'{"error": "invalid_grant"}']
        answer = self._app.test_client().post(
            "/oauth2/token",
            data=urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": environ.get("HTTP_AUTHORIZATION", "")},
            base_url=self._running.url,
        )
        said = answer.get_json()
        if "id_token" in said:
            said["id_token"] = self._running.change(said["id_token"])
        start(answer.status, [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]
