"""The hub's words in three languages, from `words.yaml`, and which of them a reader wants."""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from enclave.errors import PolicyError
from enclave.policy.strict_yaml import read as read_yaml
from enclave.policy.typography import unbroken

LANGUAGES = ("nl", "fr", "en")
LANGUAGE_COOKIE = "enclave-language"
FILE = Path(__file__).resolve().with_name("words.yaml")


def read_words(path: Path = FILE) -> dict[str, dict[str, str]]:
    """Return the words of each language by their key; PolicyError where one is missing in a language."""
    entries = read_yaml(path.name, path.read_text(encoding="utf-8")).data
    words: dict[str, dict[str, str]] = {tag: {} for tag in LANGUAGES}
    for key, entry in entries.items():
        if not isinstance(entry, Mapping) or set(entry) != set(LANGUAGES):
            raise PolicyError("WORDS", f"{path.name}, {key}: write it in {', '.join(LANGUAGES)}")
        for tag in LANGUAGES:
            words[tag][key] = str(entry[tag])
        words["fr"][key] = unbroken(words["fr"][key])
    return words


def accepted_text(words: Mapping[str, Mapping[str, str]]) -> str:
    """Return the digest of the ban on re-identification in its languages: which text somebody accepted at log-in."""
    return sha256("\n".join(words[tag]["ban"] for tag in LANGUAGES).encode()).hexdigest()


class Reader:
    """Given to the templates, which know the handler only through its methods."""

    def __init__(self, words: Mapping[str, Mapping[str, str]]) -> None:
        self._words = words

    def of(self, static_url: Any) -> SimpleNamespace:
        """Return `tag`, `words` and `here` for whoever asked; `static_url` is the handler's own method."""
        handler = static_url.__self__
        tag = language_of(handler)
        return SimpleNamespace(tag=tag, words=self._words[tag], here=partial(_in_language, handler))


def _in_language(handler: Any, tag: str) -> str:
    """Return the address of this very page in another language."""
    arguments = [(name, handler.get_query_argument(name)) for name in handler.request.query_arguments if name != "lang"]
    return f"?{urlencode([*arguments, ('lang', tag)])}"


def language_of(handler: Any) -> str:
    """Return the language chosen by a link, else the kept one, else the browser's, else Dutch."""
    for chosen in (handler.get_query_argument("lang", ""), handler.get_cookie(LANGUAGE_COOKIE, "")):
        if chosen in LANGUAGES:
            return str(chosen)
    wanted = handler.request.headers.get("Accept-Language", "")
    for part in wanted.split(","):
        tag = part.split(";")[0].strip()[:2].lower()
        if tag in LANGUAGES:
            return str(tag)
    return LANGUAGES[0]
