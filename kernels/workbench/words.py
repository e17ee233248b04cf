"""Texts in the three languages of the house."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .errors import InputError

LANGUAGES: Final = ("nl", "fr", "en")
TOTAL: Final = "_T"
"""The code of "all categories together"."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in Dutch, French and English."""

    nl: str
    fr: str
    en: str

    @classmethod
    def of(cls, raw: object, what: str) -> "Words":
        """Read {nl, fr, en}; InputError names `what` where a language is missing."""
        if isinstance(raw, cls):
            return raw
        if (
            not isinstance(raw, Mapping)
            or set(raw) != set(LANGUAGES)
            or not all(isinstance(text, str) and text.strip() for text in raw.values())
        ):
            raise InputError(
                "THREE_LANGUAGES",
                f"{what} is needed in Dutch, French and English: write {{'nl': '...', 'fr': '...', 'en': '...'}}",
            )
        return cls(raw["nl"], raw["fr"], raw["en"])

    def say(self, language: str) -> str:
        """Return the text in this language."""
        return self.as_dict()[language]

    def as_dict(self) -> dict[str, str]:
        """Return {"nl": ..., "fr": ..., "en": ...}."""
        return {"nl": self.nl, "fr": self.fr, "en": self.en}


ALL_TOGETHER: Final = Words("totaal", "total", "total")


def check_language(language: str) -> str:
    """Return the language; InputError where the house does not have it."""
    if language not in LANGUAGES:
        raise InputError("LANGUAGE", f"the house speaks {', '.join(LANGUAGES)}; choose one of them")
    return language
