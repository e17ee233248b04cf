"""The hub's pages in a real browser: each in three languages, without one finding of axe-core, and with a picture."""

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.lib.browser import LANGUAGES, ROOT, chromium, log_in, picture, violations, window
from tests.lib.workbench import PROJECT, Workbench, held, wait_until

STAFF, OPERATOR, CHECKER = "staff.one", "operator.one", "checker.two"
LOGGED_OUT = {"nl": "U bent afgemeld", "fr": "Vous êtes déconnecté", "en": "You are logged out"}

pytestmark = pytest.mark.timeout(900)

LOOKED_AT = {
    "page.html": "every page",
    "login.html": "log-in",
    "home.html": "projects",
    "spawn_pending.html": "starting",
    "stop_pending.html": "stopping",
    "not_running.html": "not-running",
    "logout.html": "logged-out",
    "error.html": "no-tokens",
    "404.html": "no-such-page",
}
"""The templates, each with a picture that shows it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def looked_at(page: Page, name: str, language: str) -> None:
    """Take a picture and refuse every finding; the page says that data are made up."""
    picture(page, f"hub-{name}-{language}")
    assert violations(page) == []
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator(".banner .stamp").inner_text() == "SYNTHETIC"


def test_no_template_is_left_out() -> None:
    assert {path.name for path in (ROOT / "hub_config" / "templates").iterdir()} == set(LOOKED_AT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_log_in_page_and_its_answer_to_a_wrong_password(
    workbench: Workbench, browser: Browser, language: str
) -> None:
    page = window(browser, language)
    page.goto(f"{workbench.url}/")
    looked_at(page, "log-in", language)
    page.fill("#username", "auditor.one")
    page.fill("#password", "not the password")
    page.click("#log-in")
    assert not page.locator("#login-trouble").is_visible(), "the browser itself asks for the tick"
    page.check("#ban")
    page.click("#log-in")
    assert page.locator("#login-trouble").is_visible()
    looked_at(page, "wrong-password", language)
    page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_a_person_who_starts_a_project(workbench: Workbench, browser: Browser, language: str) -> None:
    page = window(browser, language)
    log_in(page, workbench, STAFF)
    stop(page, workbench)
    looked_at(page, "projects", language)
    page.click(f"[data-project='{PROJECT}'] .button")
    page.wait_for_url("**/hub/spawn-pending/**")
    looked_at(page, "starting", language)
    page.wait_for_url("**/user/**")
    page.goto(f"{workbench.url}/hub/home")
    looked_at(page, "projects-running", language)
    with held(*workbench.server_pids(STAFF)):
        page.click("[data-stop]")
        beside = page.context.new_page()
        wait_until(lambda: state(beside, workbench) == "pending", "the stop to begin")
        beside.click(f"[data-project='{PROJECT}'] .button")
        beside.wait_for_url("**/hub/spawn-pending/**")
        looked_at(beside, "stopping", language)
    wait_until(lambda: state(page, workbench) == "stopped", "the server to stop")
    beside.reload()
    beside.wait_for_url("**/hub/home")
    page.goto(f"{workbench.url}/user/{STAFF}/{PROJECT}/lab")
    looked_at(page, "not-running", language)
    page.context.close()


def stop(page: Page, workbench: Workbench) -> None:
    """Stop the project by its button, if it runs, and wait until the page says so."""
    page.goto(f"{workbench.url}/hub/home")
    if page.locator("[data-stop]").count():
        page.click("[data-stop]")

    wait_until(lambda: state(page, workbench) == "stopped", "the server to stop")


def state(page: Page, workbench: Workbench) -> str:
    """Return what the home page says of the project."""
    page.goto(f"{workbench.url}/hub/home")
    classes = page.locator(f"[data-project='{PROJECT}'] .state").get_attribute("class") or ""
    return classes.removeprefix("state ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_who_has_no_project_and_of_what_is_refused(
    workbench: Workbench, browser: Browser, language: str
) -> None:
    page = window(browser, language)
    log_in(page, workbench, OPERATOR)
    looked_at(page, "operator", language)
    page.goto(f"{workbench.url}/hub/spawn/{OPERATOR}/{PROJECT}")
    looked_at(page, "not-on-project", language)
    page.goto(f"{workbench.url}/hub/no-such-page")
    looked_at(page, "no-such-page", language)
    page.goto(f"{workbench.url}/hub/token")
    looked_at(page, "no-tokens", language)
    page.context.close()


def test_a_language_that_was_chosen_stays_also_in_the_gateway(workbench: Workbench, browser: Browser) -> None:
    page = window(browser, "en")
    log_in(page, workbench, CHECKER)
    page.click("nav.languages a[lang=fr]")
    page.goto(f"{workbench.url}/hub/home")
    assert page.locator("html").get_attribute("lang") == "fr"
    page.goto(f"{workbench.url}/services/gateway/")
    assert page.locator("html").get_attribute("lang") == "fr"
    page.context.close()


def test_no_page_of_the_hub_runs_what_it_did_not_bring(workbench: Workbench, browser: Browser) -> None:
    page = window(browser)
    answer = page.goto(f"{workbench.url}/hub/login")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    page.context.close()


def test_pages_of_a_locked_vault_say_who_can_open_it(workbench: Workbench, browser: Browser) -> None:
    page = window(browser)
    log_in(page, workbench, STAFF)
    stop(page, workbench)
    workbench.lock()
    try:
        wait_until(lambda: not workbench.vault_open(), "the directory to say so")
        for language in LANGUAGES:
            page.goto(f"{workbench.url}/hub/home?lang={language}")
            looked_at(page, "locked", language)
            assert page.locator(f"[data-project='{PROJECT}'] .button").count() == 0, "nothing can be started"
            page.goto(f"{workbench.url}/hub/spawn/{STAFF}/{PROJECT}")
            looked_at(page, "locked-project", language)
            page.goto(f"{workbench.url}/services/gateway/")
            looked_at(page, "locked-requests", language)
    finally:
        workbench.unlock()
    wait_until(workbench.vault_open, "the vault to open")
    page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_at_both_ends_of_a_session(workbench: Workbench, browser: Browser, language: str) -> None:
    page = window(browser, language)
    log_in(page, workbench, OPERATOR)
    page.goto(f"{workbench.url}/hub/spawn/{OPERATOR}")
    looked_at(page, "no-project-chosen", language)
    page.click("#log-out")
    page.wait_for_url("**/hub/logout")
    assert page.locator("h1").inner_text() == LOGGED_OUT[language]
    looked_at(page, "logged-out", language)
    page.goto(f"{workbench.url}/hub/home")
    assert "/hub/login" in page.url, "the session has ended"
    page.go_back()
    page.click("#log-in-again")
    page.wait_for_url("**/hub/login*")
    page.fill("#username", OPERATOR)
    page.fill("#password", workbench.passwords[OPERATOR])
    page.check("#ban")
    page.click("#log-in")
    page.wait_for_url("**/hub/home")
    page.context.close()


def test_what_the_front_shows_while_a_part_starts_again(workbench: Workbench, browser: Browser) -> None:
    page = window(browser)
    with held(workbench.process.pid):
        os.kill(workbench.pid("hub"), signal.SIGKILL)
        wait_until(lambda: _status(page.goto(f"{workbench.url}/hub/home")) == 503, "the front to notice")
        picture(page, "front-one-moment")
        assert violations(page) == []
        assert [page.locator(f"main p[lang={language}]").count() for language in ("nl", "fr")] == [1, 1]
        assert page.locator(".banner .stamp").inner_text() == "SYNTHETIC"
    wait_until(workbench.answers, "the hub to start again")
    page.click("main p:not([lang]) a >> nth=0")
    page.wait_for_url("**/hub/login*")
    page.context.close()


def _status(answer: Response | None) -> int:
    return answer.status if answer else 0
