"""Default deny: every address is listed here with everybody who may ask for it, and everybody else is refused."""

import os
from urllib.parse import urlencode

import pytest

from enclave.web.application import API, PAGES
from enclave.web.page import form_token
from tests.lib.web_app import NO_HUB, PREFIX, SECRET, Asker
from tests.lib.web_house import INSIDE, OUTSIDE, PROJECT

EVERYBODY = (
    "staff.one",
    "analyst.one",
    "checker.one",
    "checker.member",
    "steward.one",
    "operator.one",
    "auditor.one",
    "analyst.else",
)
NOBODY_HERE = "somebody.not.enrolled"
OFFICES = {"staff.one", "checker.one", "checker.member", "steward.one", "operator.one", "auditor.one"}
SEES = OFFICES | {"analyst.one"}

READS: dict[str, tuple[str, set[str]]] = {
    "": ("", set(EVERYBODY)),
    "about": ("about", set(EVERYBODY)),
    "projects/": (f"projects/{PROJECT}", SEES),
    "requests/": (f"requests/{OUTSIDE}", SEES),
    "releases/": ("releases/{release}", SEES),
    "audit": ("audit", {"auditor.one"}),
    "state": ("state", {"steward.one", "operator.one"}),
    "api/me": ("api/me", set(EVERYBODY)),
    "api/projects/": (f"api/projects/{PROJECT}", SEES),
    "api/projects//data/": (f"api/projects/{PROJECT}/data/2009-Q2", {"staff.one"}),
    "api/projects//tables/": (
        f"api/projects/{PROJECT}/tables/t1",
        {"staff.one", "analyst.one", "checker.one", "checker.member"},
    ),
    "api/requests": ("api/requests", set(EVERYBODY)),
    "api/requests/": (f"api/requests/{OUTSIDE}", SEES),
}
NOT_READ = {
    "api/jobs/": "only of who asked: test_jobs_api.py",
    "language/": "for anybody: a cookie with one of three words",
}
DOES: dict[str, tuple[str, set[str]]] = {
    "requests//vote": (f"requests/{OUTSIDE}/vote", {"checker.one", "checker.two"}),
    "requests//": (f"requests/{OUTSIDE}/withdraw", {"analyst.one"}),
    "requests//release": (f"requests/{INSIDE}/release", {"steward.one", "operator.one"}),
    "projects//produce": (f"projects/{PROJECT}/produce", {"staff.one"}),
    "releases//download": ("releases/{release}/download", set()),  # stage 1: it stays inside, for stewards too
    "audit": ("audit", {"auditor.one"}),
    "api/projects//requests": (f"api/projects/{PROJECT}/requests", {"staff.one"}),
    "api/requests//": (f"api/requests/{OUTSIDE}/withdraw", {"analyst.one"}),
}
NOT_DONE = {"log-out": "for everybody: it ends one's own session"}


def _shape(pattern: str) -> str:
    """Return the fixed parts of an address's pattern."""
    return "".join(part.rpartition(")")[2] for part in pattern.split("("))


def _release(asker: Asker) -> str:
    release = asker.services.desk.status("checker.one", INSIDE).release
    assert release is not None
    return release


def test_every_address_is_listed_here() -> None:
    reads = {_shape(pattern) for pattern, handler in (*API, *PAGES) if "get" in vars(handler)}
    does = {_shape(pattern) for pattern, handler in (*API, *PAGES) if "post" in vars(handler)}
    assert reads == set(READS) | set(NOT_READ)
    assert does == set(DOES) | set(NOT_DONE)


@pytest.mark.parametrize("shape", READS)
@pytest.mark.parametrize("account", EVERYBODY)
def test_who_reads_what(reader: Asker, shape: str, account: str) -> None:
    path, may = READS[shape]
    path = path.format(release=_release(reader))
    is_api = path.startswith("api/")
    answer = reader.api("GET", path[4:], account) if is_api else reader.page(path, account)
    assert answer.status == (200 if account in may else 403), answer.text[-600:]


REFUSED = [(shape, account) for shape, (_, may) in DOES.items() for account in EVERYBODY if account not in may]
"""Who may is tried in other tests, on houses of their own."""


@pytest.mark.parametrize(("shape", "account"), REFUSED)
def test_who_may_not_do_what(reader: Asker, shape: str, account: str) -> None:
    path = DOES[shape][0].format(release=_release(reader))
    if path.startswith("api/"):
        answer = reader.api("POST", path[4:], account, body={"stage": "inside", "purpose": "p"})
    else:
        answer = reader.send(path, account, decision="approve", purpose="p")
    assert answer.status == 403, answer.text[-600:]


@pytest.mark.parametrize("path", [path for path, _ in READS.values() if path != "about"])
def test_strangers_get_nowhere(reader: Asker, path: str) -> None:
    path = path.format(release=_release(reader))
    if path.startswith("api/"):
        assert reader.ask("GET", path, {}, None).status == 404, "the interface is on the kernels' sockets only"
        assert reader.ask("GET", path, {"Authorization": "token wrong"}, None).status == 404
        assert reader.ask("GET", path, {"Cookie": "test-account=staff.one"}, None).status == 404, "cookies count"
        assert reader.api("GET", path[4:], NOBODY_HERE).code == "UNKNOWN_ACCOUNT"
        assert reader.api("GET", path[4:], "staff.one", uid=os.getuid() + 1).code == "NOT_THIS_KERNEL"
    else:
        assert reader.page(path, None).status == 401
        refused = reader.page(path, NOBODY_HERE)
        assert refused.status == 403
        assert "Your account belongs to nobody here" in refused.text


@pytest.mark.parametrize("shape", [shape for shape in READS if shape.startswith("api/") and shape != "api/me"])
def test_a_kernel_reaches_its_own_project_only(reader: Asker, shape: str) -> None:
    answer = reader.api("GET", READS[shape][0][4:], "staff.one", project=f"{PROJECT}-other")
    assert answer.json == [] if shape == "api/requests" else answer.code == "OTHER_PROJECT"


@pytest.mark.parametrize("shape", [shape for shape in DOES if shape.startswith("api/")])
def test_a_kernel_asks_for_its_own_project_only(reader: Asker, shape: str) -> None:
    body = {"stage": "inside", "purpose": "p"}
    for account in ("staff.one", "analyst.one"):
        answer = reader.api("POST", DOES[shape][0][4:], account, project=f"{PROJECT}-other", body=body)
        assert answer.code == "OTHER_PROJECT"


@pytest.mark.parametrize("path", ["", "about", "audit", "static/icon.svg", "oauth_callback"])
def test_a_kernels_socket_has_no_pages(reader: Asker, path: str) -> None:
    assert reader.api("GET", f"../{path}", "auditor.one").status == 404


@pytest.mark.parametrize(
    "path", ["nothing", "api/nothing", "api", "requests/", "static/../settings.py", "requests/x/y/z"]
)
def test_there_is_nothing_at_other_addresses(reader: Asker, path: str) -> None:
    assert reader.page(path, "checker.one").status == 404
    assert reader.ask("DELETE", path, {"Cookie": "test-account=checker.one"}, None).status in (403, 404, 405)


@pytest.mark.parametrize("path", ["", "api/me", "nothing", "api/nothing", "audit", "about", "static/icon.svg"])
def test_every_answer_carries_the_security_headers(reader: Asker, path: str) -> None:
    for answer in (reader.page(path, "analyst.one"), reader.page(path, None)):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert path.startswith("static/") or answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/elsewhere", "/services/other/", "/hub/home"])
def test_an_address_of_others_is_answered_with_our_headers_and_nothing_else(reader: Asker, path: str) -> None:
    up = "../" * PREFIX.count("/")
    for answer in (reader.page(up + path, "checker.one"), reader.api("GET", f"{up}{path}", "staff.one")):
        assert (answer.status, answer.code) == (404, "UNKNOWN_PAGE")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")


def test_cookies_of_ours_are_closed_to_scripts_and_other_sites(reader: Asker) -> None:
    answer = reader.page(f"language/fr?back={PREFIX}audit", "checker.one")
    assert answer.status == 302
    assert answer.headers["Location"] == f"{PREFIX}audit"
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax"))


@pytest.mark.parametrize(
    "back",
    [
        f"https://elsewhere.example{PREFIX}",
        f"//elsewhere.example{PREFIX}",
        "https://elsewhere.example/",
        f"{PREFIX}\\..",
        "/hub/home",
        "",
    ],
)
def test_the_language_switch_leads_to_pages_of_ours_only(reader: Asker, back: str) -> None:
    assert reader.page(f"language/fr?back={back}", "checker.one").headers["Location"] == PREFIX


def test_forms_of_other_sites_and_old_pages_do_nothing(reader: Asker) -> None:
    for token in ("", "0" * 64, "é"):
        assert reader.send(f"requests/{OUTSIDE}/vote", "checker.one", token=token, decision="approve").status == 403
    body = urlencode({"_xsrf": form_token(SECRET, "checker.one"), "decision": "approve"}).encode()
    for site in ("cross-site", "same-site"):
        headers = {"Cookie": "test-account=checker.one", "Content-Type": "application/x-www-form-urlencoded"}
        answer = reader.ask("POST", f"requests/{OUTSIDE}/vote", headers | {"Sec-Fetch-Site": site}, body)
        assert answer.status == 403, "not even with the token of the form"
    assert reader.services.desk.status("checker.one", OUTSIDE).votes == ()


def test_a_hub_that_does_not_answer_lets_nobody_in_and_is_said_to_be_on_its_way(reader: Asker) -> None:
    answer = reader.page(f"requests/{OUTSIDE}", NO_HUB)
    assert answer.status == 503
    assert "The hub does not say who you are just now; try again in a minute." in answer.text
    assert "Log out" not in answer.text


def test_a_form_that_is_longer_than_anybody_types_is_not_read(reader: Asker) -> None:
    answer = reader.send(f"requests/{OUTSIDE}/return", "checker.one", comment="x" * 70_000)
    assert (answer.status, answer.code) == (400, "BODY_TOO_LARGE")
