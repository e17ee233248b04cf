"""Three languages, complete: every message has its Dutch and French; numbers and dates look as people write them."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from enclave.gateway.log_entry import LogAction
from enclave.gateway.permissions import Role
from enclave.gateway.request import RequestState, Stage
from enclave.gateway.review import Decision
from enclave.web import texts
from enclave.web.language import ALL, FOLDER, chosen

WEB = Path(texts.__file__).parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true"}}


def messages() -> set[str]:
    """Return every message that pages can show."""
    found = extract_from_dir(WEB, METHODS, OPTIONS, keywords={"_": None, "N_": None, "gettext": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def catalog(language: str) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_every_message_is_translated_and_nothing_is_left_over(language: str) -> None:
    found = {str(message.id): message for message in catalog(language) if message.id}
    assert len(found) > 300
    assert set(found) == messages()
    assert not catalog(language).obsolete
    for message in found.values():
        assert message.string, message.id
        assert not message.fuzzy, message.id
        assert list(message.check()) == [], message.id


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_placeholders_survive_translation(language: str) -> None:
    for message in catalog(language):
        for sign in ("{", "%("):
            assert str(message.id).count(sign) == str(message.string).count(sign) or not message.id


def test_no_french_line_begins_with_a_sign() -> None:
    said = [ALL["fr"].say(message) for message in messages()]
    assert not [text for text in said if re.search(r" [;:?!»]|« ", text)]
    assert any("\u00a0;" in text for text in said)


def test_everything_the_program_knows_by_code_has_words() -> None:
    assert set(texts.STATES) == set(texts.SIGNS) == set(RequestState)
    assert set(texts.STAGES) == set(Stage)
    assert set(texts.DECISIONS) == set(Decision)
    assert set(texts.ROLES) == set(Role)
    assert set(texts.STEPS) == set(LogAction)
    assert set(texts.OTHERWISE) == set(texts.HEADINGS)


@pytest.mark.parametrize(
    ("language", "number", "share", "day"),
    [
        ("nl", "1.234", "12,5", "4 april 2017"),
        ("fr", "1\u202f234", "12,5", "4 avril 2017"),
        ("en", "1,234", "12.5", "4 April 2017"),
    ],
)
def test_numbers_and_dates(language: str, number: str, share: str, day: str) -> None:
    found = ALL[language]
    assert found.number(1234) == number
    assert found.number(125, 1) == share
    assert found.day(date(2017, 4, 4)) == day
    assert "14:05" in found.moment(datetime(2026, 11, 24, 13, 5, tzinfo=UTC)), "the clock of the building"


@pytest.mark.parametrize(
    ("cookie", "accept", "code"),
    [
        (None, "", "nl"),
        (None, "de-DE,fr;q=0.8,en;q=0.9", "en"),
        (None, "fr-BE", "fr"),
        ("fr", "nl", "fr"),
        ("de", "en", "en"),
        (None, "x;q=y,en;q=0.1," * 200, "en"),
    ],
)
def test_the_language_is_the_chosen_one_else_what_the_browser_asks_for(
    cookie: str | None, accept: str, code: str
) -> None:
    assert chosen(cookie, accept).code == code
