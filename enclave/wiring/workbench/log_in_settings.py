"""The block `log_in` of a workbench's settings: who vouches for people who log in, and how they are asked.

What the workbench itself asks of everybody (enrolled, the ban accepted, noted) is no setting and holds for each kind.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from enclave.policy.base import Fault, Model, Text, refuse_faults

SYSTEM = "system"
RETURN_PATH = "/hub/oauth_callback"
Seconds = Annotated[int, Field(ge=1, le=60)]
"""How long an answer is waited for."""


class _Remote(Model):
    """Somebody who is asked over TLS; `certificates` is a PEM file of whom to trust, or the word `system`."""

    certificates: Text
    seconds: Seconds

    @property
    def trusted(self) -> str | None:
        """The file of certificates; None where the system's count."""
        return None if self.certificates == SYSTEM else self.certificates

    @property
    def secret(self) -> str:
        """The file with what we prove ourselves by."""
        raise NotImplementedError

    def _common_faults(self, secret_key: str) -> list[Fault]:
        files = {"certificates": self.trusted or "/", secret_key: self.secret}
        return [
            Fault("SETTINGS_FILE", (key,), "is not the whole path of a file; begin it with /")
            for key, path in files.items()
            if not Path(path).is_absolute()
        ]


class PamSettings(Model):
    """A service of the machine's PAM, that is a file in `/etc/pam.d`."""

    service: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]


class LdapSettings(_Remote):
    """A directory server: an account is looked up, then its own password is tried."""

    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")]
    port: Annotated[int, Field(ge=1, le=65535)]
    encryption: Literal["tls", "start_tls"]
    search_below: Text
    account_attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")]
    search_as: Text
    password_file: Text

    @property
    def secret(self) -> str:
        """The file with the password of `search_as`."""
        return self.password_file

    @model_validator(mode="after")
    def _files(self) -> "LdapSettings":
        refuse_faults(self._common_faults("password_file"))
        return self


class SecondFactor(Model):
    """Which claim of the provider's token must show a second factor, and by which of these values; or `unchecked`."""

    claim: Literal["acr", "amr", "unchecked"]
    any_of: tuple[Text, ...]

    @model_validator(mode="after")
    def _values(self) -> "SecondFactor":
        if (self.claim == "unchecked") == bool(self.any_of):
            refuse_faults([Fault("SETTINGS_FACTOR", ("any_of",), "list values for acr or amr; for unchecked write []")])
        return self


class OidcSettings(_Remote):
    """A provider of OpenID Connect. Its addresses are written down here, not asked of it at each start."""

    issuer: Text
    authorize_url: Text
    token_url: Text
    keys_url: Text
    return_url: Text
    client: Text
    secret_file: Text
    scopes: tuple[Text, ...]
    account_claim: Text
    acr_values: tuple[Text, ...]
    second_factor: SecondFactor

    @property
    def secret(self) -> str:
        """The file with the client's secret."""
        return self.secret_file

    @property
    def origin(self) -> str:
        """Scheme, host and port of the provider's log-in page."""
        parts = urlsplit(self.authorize_url)
        return f"{parts.scheme}://{parts.netloc}"

    @model_validator(mode="after")
    def _fits(self) -> "OidcSettings":
        urls = ("issuer", "authorize_url", "token_url", "keys_url", "return_url")
        faults = [
            Fault("SETTINGS_URL", (key,), "is not an address that starts with https:// and names a host; correct it")
            for key in urls
            if not _is_https(getattr(self, key))
        ]
        if not self.return_url.endswith(RETURN_PATH):
            faults.append(Fault("SETTINGS_URL", ("return_url",), f"must end in {RETURN_PATH}; correct it"))
        if "openid" not in self.scopes:
            faults.append(Fault("SETTINGS_SCOPES", ("scopes",), "lacks openid; add it"))
        refuse_faults(faults + self._common_faults("secret_file"))
        return self


class LogInSettings(Model):
    """The kind, and the block of that name with what belongs to it; made-up users need none."""

    kind: Literal["made_up", "pam", "ldap", "oidc"]
    pam: PamSettings | None = None
    ldap: LdapSettings | None = None
    oidc: OidcSettings | None = None

    @property
    def made_up(self) -> bool:
        """Whether people are made up, with passwords that the workbench draws."""
        return self.kind == "made_up"

    @property
    def remote(self) -> LdapSettings | OidcSettings | None:
        """Who is asked over TLS, if anybody."""
        return self.ldap or self.oidc

    @model_validator(mode="after")
    def _one(self) -> "LogInSettings":
        given = {name for name in ("pam", "ldap", "oidc") if getattr(self, name) is not None}
        wanted = {self.kind} - {"made_up"}
        faults = [
            Fault("SETTINGS_LOG_IN", (name,), f"is not for kind {self.kind}; remove it") for name in given - wanted
        ]
        faults += [Fault("SETTINGS_LOG_IN", ("kind",), f"needs a block {name}; add it") for name in wanted - given]
        refuse_faults(faults)
        return self


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        return False
