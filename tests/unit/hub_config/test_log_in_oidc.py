"""Log-in at a provider of OpenID Connect: a real one, on loopback, that says what it likes of people."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from enclave.errors import PermissionDenied
from enclave.wiring.workbench.log_in_settings import OidcSettings
from hub_config.refusals import Refusal
from hub_config.vouching.flows import LIVES_S, Flow, Flows
from hub_config.vouching.id_token import account_of
from hub_config.vouching.oidc import OidcLogIn
from tests.lib.log_in_kit import ANALYST, example, house_traits, noted
from tests.lib.oidc_provider import FACTOR, Provider, provider
from tests.lib.ports import free_ports

RETURN = "https://127.0.0.1:8443/hub/oauth_callback"
ANALYST_THERE, VISITOR, NO_FACTOR, SAYS_NO_LEVEL, NO_ACCOUNT, LIST, CAPITALS = (
    str(1001 + number) for number in range(7)
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with provider(tmp_path_factory.mktemp("provider")) as started:
        yield started


@pytest.fixture
def there(running: Provider) -> Iterator[Provider]:
    yield running
    running.change = str
    running.asked.clear()


def users(there: Provider, folder: Path, **changes: Any) -> OidcLogIn:
    told = there.settings(folder, RETURN) | changes
    return OidcLogIn(told=OidcSettings.model_validate(told), **house_traits(folder))


def handler() -> Any:
    return SimpleNamespace(request=SimpleNamespace(remote_ip="127.0.0.1"), next_url="")


def begun(people: OidcLogIn, ban: str = "accepted") -> Flow:
    return asyncio.run(people.begin(handler(), {"ban": ban}, "/hub/home"))


def back(people: OidcLogIn, said: dict[str, str]) -> Any:
    return asyncio.run(people.authenticate(handler(), said))


def log_in(people: OidcLogIn, there: Provider, subject: str, **changes: str) -> Any:
    """Tick the ban, log in at the provider, come back."""
    flow = begun(people)
    return back(people, {**there.log_in(people.address_for(flow), subject), "browser": flow.browser, **changes})


def code_of_refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as refusal:
        act()
    return refusal.value.code


def test_whom_the_provider_vouches_for_gets_what_the_house_knows(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    assert log_in(people, there, ANALYST_THERE) == ANALYST
    (asked,) = there.asked
    assert asked["response_type"] == "code"
    assert asked["acr_values"] == FACTOR
    assert [notice["event"] for notice in noted(tmp_path)] == ["logged_in"]


def test_nobody_is_sent_away_without_the_ban_accepted(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    assert code_of_refusal(lambda: begun(people, ban="")) == "BAN_NOT_ACCEPTED"
    assert noted(tmp_path) == [{"event": "log_in_refused", "code": "BAN_NOT_ACCEPTED"}]


def test_the_ban_cannot_be_ticked_in_the_address_of_the_return(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    flow = people.flows.begin("", "/hub/home")
    said = there.log_in(people.address_for(flow), ANALYST_THERE)
    assert (
        code_of_refusal(lambda: back(people, {**said, "browser": flow.browser, "ban": "accepted"}))
        == "BAN_NOT_ACCEPTED"
    )


@pytest.mark.parametrize("changes", [{"browser": ""}, {"browser": "another"}, {"state": ""}, {"state": "made up"}])
def test_a_return_that_this_browser_did_not_begin_is_refused(
    there: Provider, tmp_path: Path, changes: dict[str, str]
) -> None:
    people = users(there, tmp_path)
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE, **changes)) == "LOG_IN_EXPIRED"


def test_a_return_counts_once(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    flow = begun(people)
    said = {**there.log_in(people.address_for(flow), ANALYST_THERE), "browser": flow.browser}
    assert back(people, said) == ANALYST
    assert code_of_refusal(lambda: back(people, said)) == "LOG_IN_EXPIRED"


def test_the_code_of_another_log_in_is_refused(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    theirs = begun(people)
    stolen = there.log_in(people.address_for(theirs), ANALYST_THERE)["code"]
    assert code_of_refusal(lambda: log_in(people, there, VISITOR, code=stolen)) == "PROVIDER_REFUSED"


def test_made_up_returns_close_the_door(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    for _ in range(people.wrong_passwords * 4):
        assert (
            code_of_refusal(lambda: back(people, {"state": "made up", "code": "x", "browser": ""})) == "LOG_IN_EXPIRED"
        )
    assert code_of_refusal(lambda: begun(people)) == "TOO_MANY_ATTEMPTS"
    assert [notice["code"] for notice in noted(tmp_path)] == ["LOG_IN_EXPIRED", "TOO_MANY_ATTEMPTS"]


def test_a_log_in_that_takes_too_long_begins_anew() -> None:
    now = [0.0]
    flows = Flows(clock=lambda: now[0])
    flow = flows.begin("accepted", "/hub/home")
    now[0] = LIVES_S + 1
    with pytest.raises(PermissionDenied):
        flows.take(flow.state, flow.browser)


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        (VISITOR, "UNKNOWN_ACCOUNT"),
        (CAPITALS, "UNKNOWN_ACCOUNT"),
        (NO_FACTOR, "SECOND_FACTOR"),
        (SAYS_NO_LEVEL, "SECOND_FACTOR"),
        (NO_ACCOUNT, "NO_ACCOUNT_CLAIM"),
        (LIST, "NO_ACCOUNT_CLAIM"),
    ],
)
def test_who_may_not_enter_is_told_why_and_noted_without_a_name(
    there: Provider, tmp_path: Path, subject: str, code: str
) -> None:
    people = users(there, tmp_path)
    assert code_of_refusal(lambda: log_in(people, there, subject)) == code
    assert noted(tmp_path) == [{"event": "log_in_refused", "code": code}]


def test_whom_the_provider_turns_away_is_told_so(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    flow = begun(people)
    said = there.log_in(people.address_for(flow), "")
    assert said["error"] == "access_denied"
    said |= {"state": flow.state, "browser": flow.browser}  # RFC 6749 asks for the state; this provider forgets it
    assert code_of_refusal(lambda: back(people, said)) == "PROVIDER_REFUSED"


@pytest.mark.parametrize(
    ("claim", "subject", "enters"),
    [
        ("amr", ANALYST_THERE, True),
        ("amr", NO_FACTOR, False),
        ("amr", SAYS_NO_LEVEL, False),
        ("unchecked", NO_FACTOR, True),
    ],
)
def test_the_second_factor_is_looked_for_where_the_settings_say(
    there: Provider, tmp_path: Path, claim: str, subject: str, enters: bool
) -> None:
    any_of = () if claim == "unchecked" else ("otp", "hwk")
    people = users(there, tmp_path, second_factor={"claim": claim, "any_of": any_of})
    if enters:
        assert log_in(people, there, subject) == ANALYST
    else:
        assert code_of_refusal(lambda: log_in(people, there, subject)) == "SECOND_FACTOR"


def _claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def _unsigned(token: str) -> str:
    return jwt.encode(_claims(token), "", algorithm="none", headers=_kid(token))


def _signed_by_another(token: str) -> str:
    return jwt.encode(_claims(token), rsa.generate_private_key(65537, 2048), algorithm="RS256", headers=_kid(token))


def _signed_by_what_everybody_knows(token: str) -> str:
    """Sign with the public key as if it were a shared secret."""
    return jwt.encode(_claims(token), "a secret of thirty-two bytes.....", algorithm="HS256", headers=_kid(token))


def _other_claims(token: str) -> str:
    head, _, mark = token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(_claims(token) | {"account": "steward.one"}).encode()).rstrip(b"=")
    return f"{head}.{body.decode()}.{mark}"


def _kid(token: str) -> dict[str, Any]:
    return {name: value for name, value in jwt.get_unverified_header(token).items() if name == "kid"}


@pytest.mark.parametrize(
    "change",
    [_unsigned, _signed_by_another, _signed_by_what_everybody_knows, _other_claims, lambda _: "", lambda _: "a.b.c"],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    there: Provider, tmp_path: Path, change: Callable[[str], str]
) -> None:
    people = users(there, tmp_path)
    there.change = change
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE)) == "PROVIDER_TOKEN"


def test_a_token_of_another_log_in_is_refused(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    kept: list[str] = []

    def keep(token: str) -> str:
        kept.append(token)
        return token

    there.change = keep
    assert log_in(people, there, ANALYST_THERE) == ANALYST
    there.change = lambda _: kept[0]
    assert code_of_refusal(lambda: log_in(people, there, VISITOR)) == "PROVIDER_TOKEN"


KEY = rsa.generate_private_key(65537, 2048)
KEYS = {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k", "use": "sig"}]}
GOOD = {
    "iss": "https://login.example.org/realms/house",
    "aud": "enclave-workbench",
    "sub": "1001",
    "iat": 1_000_000_000,
    "exp": 9_000_000_000,
    "nonce": "this log-in",
    "preferred_username": "analyst.one",
    "acr": FACTOR,
}


def named(claims: dict[str, Any], key_name: str = "k") -> str:
    """Return the account that a token with these claims names to a hub with the settings of the example."""
    told = example("oidc").oidc
    assert told is not None
    token = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": key_name})
    return account_of(token, KEYS, told, "this log-in")


def test_a_token_may_be_for_others_too_if_it_was_handed_to_us() -> None:
    assert named(GOOD) == "analyst.one"
    several = {"aud": ["enclave-workbench", "another"]}
    assert named(GOOD | several | {"azp": "enclave-workbench"}) == "analyst.one"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another"},
        {"aud": ["enclave-workbench", "another"]},
        {"aud": ["enclave-workbench", "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another log-in"},
        {"nonce": None},
        {"exp": None},
        {"exp": 1_000_000_001},
        {"iat": None},
        {"iat": 8_999_999_999},
        {"iss": None},
        {"iss": "https://login.example.org/realms/another"},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_and_for_this_log_in_and_of_now_is_refused(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(PermissionDenied) as refusal:
        named(claims)
    assert refusal.value.code == "PROVIDER_TOKEN"


def test_a_token_by_a_key_that_the_provider_does_not_list_is_refused() -> None:
    with pytest.raises(PermissionDenied) as refusal:
        named(GOOD, key_name="another")
    assert refusal.value.code == "PROVIDER_TOKEN"


def test_a_token_of_another_issuer_is_refused(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path, issuer="https://other.example.org")
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE)) == "PROVIDER_TOKEN"


def test_a_token_past_its_time_is_refused(tmp_path: Path) -> None:
    with provider(tmp_path, max_age=timedelta(hours=-1)) as late:
        people = users(late, tmp_path)
        assert code_of_refusal(lambda: log_in(people, late, ANALYST_THERE)) == "PROVIDER_TOKEN"


def test_a_wrong_secret_of_the_client_gets_nothing(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    (tmp_path / "oidc-secret").write_text("another\n", encoding="utf-8")
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE)) == "NOBODY_TO_ASK"


def test_a_secret_that_others_may_read_is_not_used(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path)
    (tmp_path / "oidc-secret").chmod(0o644)
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE)) == "SECRET_FILE"


def test_a_provider_without_a_trusted_certificate_gets_no_secret(there: Provider, tmp_path: Path) -> None:
    people = users(there, tmp_path, certificates="system")
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE)) == "NOBODY_TO_ASK"


def test_a_provider_that_is_away_is_told(there: Provider, tmp_path: Path) -> None:
    (unused,) = free_ports(1)
    people = users(there, tmp_path, keys_url=f"https://127.0.0.1:{unused}/jwks")
    assert code_of_refusal(lambda: log_in(people, there, ANALYST_THERE)) == "NOBODY_TO_ASK"
