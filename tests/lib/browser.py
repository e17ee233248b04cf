"""Debian's Chromium, driven by Playwright: people at windows, pictures of pages, and checks with axe-core.

Pictures go to `var/screenshots`, one for each page, language and person.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.lib.session import Session
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
    page.check("#ban")
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


def new_notebook(session: Session, base: str) -> str:
    """Make a notebook with one empty cell in somebody's home, as JupyterLab does, and return its name."""
    kernel = {"kernelspec": {"name": "enclave", "display_name": "Enclave (Python 3)", "language": "python"}}
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "",
        "outputs": [],
        "execution_count": None,
    }
    content = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    name: str = session.ask("POST", f"{base}api/contents", body={"type": "notebook"}).json["name"]
    saved = session.ask("PUT", f"{base}api/contents/{name}", body={"type": "notebook", "content": content})
    assert saved.status == 200, saved.text
    return name


def first_cell(page: Page, notebook: str, code: str) -> str:
    """Open a notebook in JupyterLab's list of files, type and run its cell, and return what it printed."""
    page.locator(".jp-FileBrowser").get_by_text(notebook, exact=True).dblclick()
    return typed(page, code)


def notebook_by_the_menu(page: Page) -> None:
    """Make a notebook as people do: File, New, Notebook, and the kernel that is offered."""
    page.locator(".lm-MenuBar-item").get_by_text("File", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("New", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Notebook", exact=True).last.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()


def typed(page: Page, code: str) -> str:
    """Type code into the last cell of the open notebook, run it with Shift+Enter, and return what it printed.

    A cell is run once: what was typed is read back first, since a kernel that comes up may take the focus away.
    """
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cell = cells.nth(cells.count() - 1)
    prompt = cell.locator(".jp-InputPrompt")

    def ran() -> bool:
        if prompt.inner_text().strip() == "[ ]:":
            _write(page, cell.locator(".cm-content"), code)
            page.keyboard.press("Shift+Enter")
        return re.fullmatch(r"\[\d+\]:", prompt.inner_text().strip()) is not None

    wait_until(ran, "the cell to run", 120)
    return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts()).strip()


def _write(page: Page, editor: Locator, code: str) -> None:
    """Type until the editor holds the code, but for the spaces that it puts in."""

    def stands() -> bool:
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(code)
        return editor.inner_text().split() == code.split()

    wait_until(stands, "the code to stand in the cell")
