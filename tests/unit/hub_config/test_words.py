"""The hub's words: there in three languages, and used where a page or an error needs them."""

import re
from pathlib import Path

import pytest

from enclave.errors import PolicyError
from hub_config.words import FILE, LANGUAGES, read_words

HERE = FILE.parent
WORDS = read_words()


def test_every_language_has_every_word() -> None:
    assert set(WORDS["nl"]) == set(WORDS["fr"]) == set(WORDS["en"])


def test_no_french_line_begins_with_a_sign() -> None:
    assert not [text for text in WORDS["fr"].values() if re.search(r" [;:?!»]|« ", text)]
    assert "\u00a0; les carnets" in WORDS["fr"]["stop_hint"]


def test_a_word_that_a_language_lacks_is_named(tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    file.write_text("hello: {nl: dag, fr: bonjour}\n")
    with pytest.raises(PolicyError) as refusal:
        read_words(file)
    assert "hello" in refusal.value.message


@pytest.mark.parametrize("template", sorted(path.name for path in (HERE / "templates").glob("*.html")))
def test_a_template_uses_only_words_that_there_are(template: str) -> None:
    text = (HERE / "templates" / template).read_text(encoding="utf-8")
    assert set(re.findall(r"\bw\.([a-z_]+)", text)) <= set(WORDS["en"])
    assert "<script>" not in text
    assert " style=" not in text
    assert "http-equiv" not in text, "a page that changes by itself loses who reads slowly"
    assert " onclick=" not in text


@pytest.mark.parametrize(
    "code",
    [
        "WRONG_PASSWORD",
        "TOO_MANY_ATTEMPTS",
        "SYNTHETIC_ONLY",
        "UNKNOWN_PROJECT",
        "UNKNOWN_ACCOUNT",
        "NOT_ON_PROJECT",
        "VAULT_LOCKED",
        "NO_UNNAMED",
        "NO_TOKENS",
    ],
)
def test_every_refusal_that_people_meet_has_a_sentence_in_each_language(code: str) -> None:
    for tag in LANGUAGES:
        assert len(WORDS[tag][f"error_{code}"]) > 20


def test_codes_of_refusals_in_the_code_have_words() -> None:
    sandbox = HERE.parent / "enclave" / "sandbox"
    sources = [*HERE.glob("*.py"), sandbox / "directory.py", sandbox / "client.py"]
    told = re.compile(r'(?:PermissionDenied|SetupError)\(\s*"([A-Z_]+)"')
    codes = {code for path in sources for code in told.findall(path.read_text("utf-8"))}
    assert {f"error_{code}" for code in codes} <= set(WORDS["en"])
