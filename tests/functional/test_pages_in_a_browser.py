"""The pages as people meet them, in a browser: accessible in three languages, narrow, and with the keyboard alone."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from enclave.web.language import FOLDER
from enclave.wiring.house import House
from tests.lib.browser import chromium, picture, violations
from tests.lib.web_app import NO_HUB, Running, serving
from tests.lib.web_house import INSIDE, OUTSIDE, POLICY, PROJECT, web_house

pytestmark = pytest.mark.timeout(600)

LANGUAGES = ("nl", "fr", "en")
PAGES = {
    "requests": ("checker.one", ""),
    "request": ("checker.one", f"requests/{OUTSIDE}"),
    "reasons": ("checker.one", f"requests/{INSIDE}?table=t3&reasons=1"),
    "request-of-the-author": ("analyst.one", f"requests/{OUTSIDE}"),
    "release": ("steward.one", "releases/{release}"),
    "project": ("staff.one", f"projects/{PROJECT}"),
    "audit-log": ("auditor.one", "audit"),
    "state": ("steward.one", "state"),
    "requests-of-a-steward": ("steward.one", ""),
    "about": ("checker.one", "about"),
    "refused": ("analyst.one", "audit"),
    "nothing-there": ("analyst.one", "requests/nothing"),
    "hub-away": (NO_HUB, ""),
}


LOOKED_AT = {
    "layout.html": "about",
    "macros.html": "requests",
    "home.html": "requests",
    "request.html": "request",
    "table.html": "reasons",
    "release.html": "release",
    "project.html": "project",
    "audit.html": "audit-log",
    "state.html": "state",
    "about.html": "about",
    "error.html": "refused",
}
"""The templates, each with a page that shows it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with web_house(tmp_path_factory.mktemp("pages")) as house:
        policies = with_project_files(house, tmp_path_factory.mktemp("policies") / "policies")
        other = replace(house, settings=replace(house.settings, policies=policies))
        with serving(other) as found:
            found.services.projects.look()
            yield found


def with_project_files(house: House, folder: Path) -> Path:
    """Return policies with a project file that holds, and one with a mistake."""
    shutil.copytree(house.settings.policies, folder)
    kept = folder / "projects" / f"{PROJECT}.yaml"
    text = kept.read_text(encoding="utf-8")
    wrong = text.replace("year: 2016", "year: next").replace(PROJECT, f"{POLICY}-2017")
    kept.with_name(f"{POLICY}-2017.yaml").write_text(wrong, encoding="utf-8")
    return folder


Windows = dict[tuple[str, str], Page]


@pytest.fixture(scope="module")
def windows() -> Windows:
    """The windows of people who only look, by who they are and their language; each opens once and stays logged in."""
    return {}


@pytest.fixture
def opened(browser: Browser, running: Running, windows: Windows) -> "Opened":
    """Show a page as somebody sees it who is logged in."""

    def show(name: str, *, language: str = "en", width: int = 1280) -> Page:
        who, path = PAGES[name]
        if (who, language) not in windows:
            windows[who, language] = browser.new_context(locale=language).new_page()
            windows[who, language].goto(f"{running.base}log-in/{who}")
        page = windows[who, language]
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(running.base + path.format(release=_release(running)))
        return page

    return show


class Opened(Protocol):
    """A page by its name, in a language and at a width in pixels."""

    def __call__(self, name: str, *, language: str = "en", width: int = 1280) -> Page: ...


def _release(running: Running) -> str:
    release = running.services.desk.status("checker.one", INSIDE).release
    assert release is not None
    return release


def test_no_template_is_left_out() -> None:
    assert {path.name for path in (FOLDER.parent / "templates").iterdir()} == set(LOOKED_AT)
    assert set(LOOKED_AT.values()) <= set(PAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_any_page_in_any_language(opened: Opened, name: str, language: str) -> None:
    page = opened(name, language=language)
    picture(page, f"{name}-{language}")
    assert page.locator("html").get_attribute("lang") == language
    assert violations(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["state", "project", "audit-log"])
def test_the_header_stays_in_one_line_for_those_with_most_in_it(opened: Opened, name: str, language: str) -> None:
    page = opened(name, language=language)
    places = [page.locator(f"header.site {part}").first.bounding_box() for part in (".brand", "nav.main", ".who")]
    places.append(page.locator("header.site nav.languages").bounding_box())
    middles = [place["y"] + place["height"] / 2 for place in places if place is not None]
    assert len(middles) == len(places)
    assert max(middles) - min(middles) < 5


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_a_width_of_320_pixels(opened: Opened, name: str) -> None:
    page = opened(name, language="fr", width=320)
    picture(page, f"{name}-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", PAGES)
def test_no_page_loads_or_runs_anything_that_its_policy_forbids(opened: Opened, name: str) -> None:
    page = opened(name)
    said: list[str] = []

    def hear(message: object) -> None:
        said.append(message.text if isinstance(message, ConsoleMessage) else str(message))

    page.on("console", hear)
    page.on("pageerror", hear)
    page.reload()
    page.remove_listener("console", hear)
    page.remove_listener("pageerror", hear)
    assert [line for line in said if re.search("status of (40|503)", line) is None] == []
    assert page.locator("script").count() == 0


def test_a_checker_votes_with_the_keyboard_alone_and_without_scripts(browser: Browser, running: Running) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(f"{running.base}log-in/checker.two")
    page.goto(f"{running.base}requests/{OUTSIDE}")
    _tab_to(page, "#d-approve")
    page.keyboard.press("Space")
    _tab_to(page, "#v-comment")
    page.keyboard.type("seen with the keyboard")
    _tab_to(page, "form[action$='/vote'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**said=voted")
    assert page.get_by_text("Your vote was cast.").is_visible()
    assert page.get_by_text("seen with the keyboard").is_visible()
    picture(page, "voted-en")
    context.close()


def test_the_language_is_chosen_once_and_kept(browser: Browser, running: Running) -> None:
    page = browser.new_context(locale="nl").new_page()
    page.goto(f"{running.base}log-in/checker.one")
    page.goto(running.base)
    page.get_by_role("link", name="fr Français").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    page.goto(f"{running.base}projects/{PROJECT}")
    assert page.locator("html").get_attribute("lang") == "fr"
    page.context.close()


def test_the_request_prints_as_a_document(opened: Opened, tmp_path: Path) -> None:
    page = opened("reasons", language="nl")
    page.emulate_media(media="print")
    assert not page.locator("nav.trail").is_visible()
    assert page.locator("table.cross").is_visible()
    assert page.get_by_text("SYNTHETIC", exact=True).is_visible()
    assert len(page.pdf(path=str(tmp_path / "request.pdf"))) > 10_000
    page.emulate_media(media="screen")


def test_the_text_that_people_wrote_is_shown_and_not_obeyed(opened: Opened) -> None:
    page = opened("request")
    text = page.locator("dl.facts dd bdi").first.inner_text()
    assert "<script>alert(1)</script>" in text
    assert "[U+202E]" in text


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus: it must be reachable, in a sensible number of steps."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"{selector} cannot be reached with the keyboard")
