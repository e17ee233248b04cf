"""The main job at the hub: an analyst asks, two checkers decide in their browsers, a steward carries the release out.

Everything is real: log-in at the hub, OAuth to the pages, a notebook's token, the front, and the recipient's verifier.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.lib.browser import ROOT, chromium, log_in, notebook_by_the_menu, picture, typed, violations, window
from tests.lib.workbench import PROJECT, Workbench, person, wait_until

pytestmark = pytest.mark.timeout(900)

VERIFIER = ROOT / "enclave" / "ledger" / "verify_release.py"
PAGES = "/services/gateway/"
DASK = """
import dask.dataframe as dd
import workbench
project = workbench.open(language="en")
table = dd.from_pandas(project.table("t1").frame, npartitions=4)
print(table["TIME_PERIOD"].nunique().compute(), "quarters")
""".strip()
ASK = """
title = dict(nl="Werkenden", fr="Au travail", en="At work")
result = project.sum("at_work", table="t1", select=dict(position=["1"]), title=title)
request = project.request_release([result], purpose="how many are at work").wait()
print(request.id)
""".strip()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def at_the_pages(browser: Browser, workbench: Workbench, account: str) -> Iterator[Page]:
    """Log in at the hub as a person does, by way of the page that was wanted."""
    context = browser.new_context(ignore_https_errors=True, locale="en", accept_downloads=True)
    page = context.new_page()
    page.goto(workbench.url + PAGES)
    page.fill("input[name=username]", account)
    page.fill("input[name=password]", workbench.passwords[account])
    page.check("input[name=ban]")
    page.click("form button[type=submit], form input[type=submit]")
    page.wait_for_url(f"{workbench.url}{PAGES}**")
    yield page
    context.close()


def asked_in_jupyterlab(browser: Browser, workbench: Workbench) -> str:
    """Let the analyst open the project, type and run a Dask cell and the request; return the request's id."""
    page = window(browser)
    log_in(page, workbench, "analyst.one")
    page.click(f"[data-project='{PROJECT}'] .button")
    page.wait_for_selector(".jp-LabShell")
    page.get_by_role("heading", name="First steps").wait_for()
    picture(page, "lab-start")
    notebook_by_the_menu(page)
    assert typed(page, DASK) == "20 quarters"
    said = typed(page, ASK)
    assert "with the output checkers; nobody has voted yet" in said
    picture(page, "lab-request")
    page.context.close()
    return said.splitlines()[-1]


def voted(page: Page, workbench: Workbench, request: str) -> None:
    """Approve a request on its page."""
    page.goto(f"{workbench.url}{PAGES}requests/{request}")
    page.check("#d-approve")
    page.get_by_role("button", name="Cast your vote").click()
    page.wait_for_url("**said=voted")


@contextmanager
def two_of_the_project_as_checkers(workbench: Workbench) -> Iterator[None]:
    """Let the author be an output checker too, and a checker a member of the project."""
    checker = "output_checker"
    workbench.enrol(
        person("analyst.one", "analyst", checker, projects=(PROJECT,)),
        person("checker.two", checker, projects=(PROJECT,)),
    )
    yield
    workbench.enrol(person("analyst.one", "analyst", projects=(PROJECT,)), person("checker.two", checker))


def refused(page: Page, workbench: Workbench, request: str) -> str:
    """Send a vote though the page offers none; return the sentence of the refusal."""
    page.goto(f"{workbench.url}{PAGES}requests/{request}")
    assert page.get_by_role("button", name="Cast your vote").count() == 0
    return sent(page, workbench, request, str(page.locator("input[name=_xsrf]").first.get_attribute("value")))


def forged(page: Page, workbench: Workbench, request: str) -> str:
    """Send a vote of somebody who may vote, as another site would: with the cookies, without the form's token."""
    return sent(page, workbench, request, "0" * 64)


def sent(page: Page, workbench: Workbench, request: str, token: str) -> str:
    answer = page.request.post(
        f"{workbench.url}{PAGES}requests/{request}/vote",
        form={"_xsrf": token, "decision": "approve"},
        headers={"Accept-Language": "en"},
    )
    assert answer.status == 403
    return answer.text()


def test_from_a_cell_that_is_typed_over_two_checkers_to_the_recipient(
    workbench: Workbench, browser: Browser, tmp_path: Path
) -> None:
    request = asked_in_jupyterlab(browser, workbench)
    assert request.startswith(f"{PROJECT}-r"), request

    with two_of_the_project_as_checkers(workbench):
        with at_the_pages(browser, workbench, "analyst.one") as page:
            assert "You are the author of this request" in refused(page, workbench, request)
        with at_the_pages(browser, workbench, "checker.two") as page:
            assert "You are a member of this project" in refused(page, workbench, request)
    with at_the_pages(browser, workbench, "checker.one") as page:
        assert "not sent from a page of yours" in forged(page, workbench, request)
        assert violations(page) == []
        picture(page, "hub-requests")
        voted(page, workbench, request)
        assert "You have already voted" in refused(page, workbench, request)
    with at_the_pages(browser, workbench, "checker.two") as page:
        voted(page, workbench, request)
        assert page.get_by_text("approved by two checkers").is_visible()

    with at_the_pages(browser, workbench, "steward.one") as page:
        release = released(page, workbench, request)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the signed release").click()
        download.value.save_as(tmp_path / "release.zip")
    with zipfile.ZipFile(tmp_path / "release.zip") as archive:
        archive.extractall(tmp_path)
    key = workbench.layout.house / "release.pub.pem"
    line = [sys.executable, "-I", str(VERIFIER), "--key", str(key), str(tmp_path / release)]
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    manifest = json.loads((tmp_path / release / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["stage"] == "outside"
    assert len({approval["key_id"] for approval in manifest["approvals"]}) == 2


def released(page: Page, workbench: Workbench, request: str) -> str:
    """Start the release of an approved request, wait for it, and open its page; return the release's id."""
    address = f"{workbench.url}{PAGES}requests/{request}"
    page.goto(address)
    page.get_by_role("button", name="Start the release").click()

    def out() -> bool:
        page.goto(address)
        return page.locator(".title .state.released").count() == 1

    wait_until(out, "the release to be published", 120)
    page.locator("a[href*='/releases/']").click()
    picture(page, "hub-release")
    return page.locator("p.lead code").inner_text()


def test_a_session_of_the_pages_ends_with_the_log_out(workbench: Workbench, browser: Browser) -> None:
    with at_the_pages(browser, workbench, "auditor.one") as page:
        cookies = page.context.cookies()
        ours = [cookie for cookie in cookies if cookie["name"] == "service-gateway"]
        assert ours
        assert all(cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Lax" for cookie in ours)
        page.get_by_role("button", name="Log out").click()
        page.goto(workbench.url + PAGES)
        assert "/hub/login" in page.url
