"""The provider's ID token: whose signature it bears, that it is for us and this log-in, and shows a second factor."""

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

from enclave.errors import PermissionDenied
from enclave.wiring.workbench.log_in_settings import OidcSettings, SecondFactor

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key of which the provider keeps the secret half; none that we could make ourselves."""
NEEDED = ("iss", "sub", "aud", "exp", "iat", "nonce")
CLOCKS_APART_S = 30


def account_of(token: str, keys: Mapping[str, Any], told: OidcSettings, nonce: str) -> str:
    """Return the account that a token names; PermissionDenied, without a word of its content, if anything is amiss."""
    claims = _verified(token, keys, told)
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()) or not _for_us(claims, told.client):
        raise _refused()
    account = claims.get(told.account_claim)
    if not isinstance(account, str) or not account:
        raise PermissionDenied(
            "NO_ACCOUNT_CLAIM", "the log-in service does not say which account you have; tell the operator"
        )
    if not _has_factor(claims, told.second_factor):
        raise PermissionDenied(
            "SECOND_FACTOR", "the log-in service did not ask for your second factor; log in there with it, or set it up"
        )
    return account


def _verified(token: str, keys: Mapping[str, Any], told: OidcSettings) -> Mapping[str, Any]:
    """Return the claims of a token with a good signature, from the right issuer, for us, and of now."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(token, keys),
            algorithms=list(ALGORITHMS),
            issuer=told.issuer,
            audience=told.client,
            leeway=CLOCKS_APART_S,
            options={"require": list(NEEDED)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise _refused() from error
    return claims


def _key(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    """Return the provider's key that the token names; the only one where it names none."""
    wanted = jwt.get_unverified_header(token).get("kid")
    found = [key for key in jwt.PyJWKSet.from_dict(dict(keys)).keys if wanted in {None, key.key_id}]
    if len(found) != 1:
        raise jwt.InvalidKeyError("there is no such key")
    return found[0]


def _for_us(claims: Mapping[str, Any], client: str) -> bool:
    """Say whether we asked for the token: one for several must say that it was handed to us."""
    audience = claims["aud"]
    alone = isinstance(audience, str) or len(audience) == 1
    return bool(claims.get("azp", client if alone else None) == client)


def _has_factor(claims: Mapping[str, Any], wanted: SecondFactor) -> bool:
    if wanted.claim == "unchecked":
        return True
    said = claims.get(wanted.claim)
    return any(value in wanted.any_of for value in (said if isinstance(said, list) else [said]))


def _refused() -> PermissionDenied:
    return PermissionDenied(
        "PROVIDER_TOKEN", "what the log-in service sent does not hold; begin anew, and if it stays so tell the operator"
    )
