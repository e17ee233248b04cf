"""Debian's Chromium, driven by Playwright: people at windows, pictures of pages, and checks with axe-core.

Pictures go to `var/screenshots`, one for each page, language and person.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.lib.workbench import Workbench, wait_until

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
AXE = ROOT / "hub_config" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "var" / "screenshots"
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RUN_AXE = """
axe.run().then((found) => JSON.stringify(found.violations.map(
  (one) => `${one.id}: ${one.help} (${one.nodes.map((node) => node.target).join(" ")})`)))
"""
LANGUAGES = {"nl": "nl-BE", "fr": "fr-BE", "en": "en-GB"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; skip where there is none, or no axe-core."""
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium; run `make test`, which installs it as root on Debian")
    if not AXE.exists():
        pytest.skip("there is no axe-core in hub_config/node_modules; run `make setup`")
    arguments = [*ARGUMENTS, *(("--no-sandbox",) if os.geteuid() == 0 else ())]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def window(browser: Browser, language: str = "en") -> Page:
    """Open the window of a new person, who shares no cookie with others."""
    size: Any = {"width": 1200, "height": 820}
    context = browser.new_context(ignore_https_errors=True, viewport=size, locale=LANGUAGES[language])
    context.set_default_timeout(60_000)
    return context.new_page()


def log_in(page: Page, workbench: Workbench, account: str) -> None:
    """Log in as people do."""
    page.goto(f"{workbench.url}/hub/login?next=%2Fhub%2Fhome")
    page.fill("#username", account)
    page.fill("#password", workbench.passwords[account])
    page.click("#log-in")
    page.wait_for_url("**/hub/home")


def picture(page: Page, name: str) -> Path:
    """Take a picture of the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, one line for each rule; the page's own policy on scripts stays in force."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    asked = {"expression": RUN_AXE, "awaitPromise": True, "returnByValue": True}
    told = session.send("Runtime.evaluate", asked)
    session.detach()
    found: list[str] = json.loads(told["result"]["value"])
    return found


def first_cell(page: Page, code: str) -> str:
    """Open a new notebook in JupyterLab, run a cell, and return what it printed."""
    page.wait_for_selector(".jp-LabShell")
    page.wait_for_selector(".jp-FileBrowser .jp-DirListing-item")
    page.get_by_text("File", exact=True).first.click()
    page.get_by_text("New", exact=True).first.hover()
    page.get_by_text("Notebook", exact=True).first.click()
    choice = page.locator(".jp-Dialog .jp-mod-accept")
    named = page.locator(".jp-NotebookPanel-toolbar").get_by_text("Enclave (Python 3)")
    choice.or_(named).first.wait_for()
    if choice.is_visible():
        choice.click()
    named.wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    _type_into_first_cell(page, code)
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output pre").first
    output.wait_for()
    return output.inner_text().strip()


def _type_into_first_cell(page: Page, code: str) -> None:
    """Type until it stands there: the notebook takes the focus away when its kernel comes up."""
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").first

    def typed() -> bool:
        cell.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(code)
        return cell.inner_text().strip() == code

    wait_until(typed, "the code to stand in the cell")
