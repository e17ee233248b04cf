"""A whole workbench whose people log in at a provider of OpenID Connect, in a real browser."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from enclave.wiring.workbench.settings import DEFAULT, read_settings
from enclave.wiring.workbench.system_users import system_users
from tests.lib import workbench as kit
from tests.lib.browser import LANGUAGES, chromium, picture, violations, window
from tests.lib.oidc_provider import Provider, provider

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]  # the parts of it are tried alone in every run


class Both(NamedTuple):
    """A workbench and its provider."""

    workbench: kit.Workbench
    provider: Provider
    browser: Browser


@pytest.fixture(scope="module")
def both(workbench_house: Path) -> Iterator[Both]:
    folder = Path(tempfile.mkdtemp(prefix="provider-"))
    folder.chmod(0o755)  # the hub's user reads certificate and secret
    port = kit.free_port()
    try:
        with chromium() as browser, provider(folder) as there:
            told = there.settings(folder, f"https://127.0.0.1:{port}/hub/oauth_callback")
            give_hub(folder / "oidc-secret")
            block: Any = {"log_in: {kind: made_up}\n": f"log_in: {json.dumps({'kind': 'oidc', 'oidc': told})}\n"}
            with kit.started(workbench_house, port=port, **block) as running:
                yield Both(running, there, browser)
    finally:
        shutil.rmtree(folder)


def give_hub(path: Path) -> None:
    """Give a file to whom the hub will run as."""
    settings = read_settings(DEFAULT)
    hub = system_users(settings.system_users, settings.server_users).hub
    os.chown(path, hub.uid, hub.gid)


def go_there(both: Both, page: Page) -> None:
    """Tick the ban and let the page lead to the provider."""
    page.goto(f"{both.workbench.url}/hub/home")
    page.check("#ban")
    page.click("#log-in")
    page.wait_for_url(f"{both.provider.url}/**")


def log_in(both: Both, page: Page, subject: str) -> None:
    go_there(both, page)
    page.fill("input[name=sub]", subject)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{both.workbench.url}/**")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_log_in_page_asks_for_the_tick_and_for_no_password(both: Both, language: str) -> None:
    page = window(both.browser, language)
    page.goto(f"{both.workbench.url}/hub/login")
    picture(page, f"hub-log-in-provider-{language}")
    assert violations(page) == []
    assert page.locator("input[type=password]").count() == 0
    page.click("#log-in")
    assert page.url.startswith(both.workbench.url), "the browser itself asks for the tick"
    page.context.close()


def test_whom_the_provider_vouches_for_is_in_and_noted(both: Both) -> None:
    page = window(both.browser)
    log_in(both, page, "1001")
    assert page.url == f"{both.workbench.url}/hub/home"
    assert page.locator(".who span").inner_text() == "analyst.one"
    assert "enclave-log-in" not in {cookie.get("name") for cookie in page.context.cookies()}
    kit.wait_until(lambda: both.workbench.logged("logged_in", "hub", account="analyst.one"), "the entry")
    page.context.close()


def test_who_is_not_enrolled_reads_why_and_the_log_has_no_name(both: Both) -> None:
    page = window(both.browser)
    log_in(both, page, "1002")
    assert "not enrolled" in page.locator("main").inner_text()
    picture(page, "hub-not-enrolled-provider-en")
    assert violations(page) == []
    page.goto(f"{both.workbench.url}/hub/home")
    assert page.url.startswith(f"{both.workbench.url}/hub/login")
    kit.wait_until(lambda: both.workbench.logged("log_in_refused", "hub", code="UNKNOWN_ACCOUNT"), "the entry")
    assert "visitor.one" not in json.dumps(both.workbench.audit_log()) + both.workbench.log("hub")
    page.context.close()


def test_an_address_of_return_that_another_browser_began_opens_nothing(both: Both) -> None:
    theirs, mine = window(both.browser), window(both.browser)
    go_there(both, theirs)
    address = theirs.url.removeprefix(both.provider.url)
    said = both.provider.log_in(f"{both.provider.url}{address}", "1001")
    mine.goto(f"{both.workbench.url}/hub/oauth_callback?state={said['state']}&code={said['code']}&ban=accepted")
    assert "this browser" in mine.locator("main").inner_text()
    mine.goto(f"{both.workbench.url}/hub/home")
    assert mine.url.startswith(f"{both.workbench.url}/hub/login")
    for each in (theirs, mine):
        each.context.close()


def test_there_are_no_made_up_passwords_and_a_form_with_one_opens_nothing(both: Both) -> None:
    assert not both.workbench.layout.log_ins.exists()
    assert not both.workbench.layout.accounts.exists()
    session = both.workbench.session()
    answer = session.log_in("analyst.one", "any", ban="")
    assert answer.status == 403
    assert "accepts the ban" in answer.text
