"""A text in the three languages of the house: Dutch, French, English."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from enclave.errors import RequestError

LANGUAGES = ("nl", "fr", "en")
"""Order in which languages stand wherever all three are printed."""

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text in nl, fr and en; RequestError when one is empty or holds invisible characters."""

    nl: str
    fr: str
    en: str

    def __post_init__(self) -> None:
        for language, text in zip(LANGUAGES, self.all, strict=True):
            if not text.strip():
                raise RequestError("WORDS_MISSING", f"a text has no words in '{language}'; give it in nl, fr and en")
            if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
                raise RequestError(
                    "WORDS_UNPRINTABLE", f"the text {text!a} holds a line break or an invisible character"
                )

    @property
    def all(self) -> tuple[str, str, str]:
        """The three texts in the order of LANGUAGES."""
        return (self.nl, self.fr, self.en)

    def as_dict(self) -> dict[str, str]:
        """Return {"nl": ..., "fr": ..., "en": ...}."""
        return dict(zip(LANGUAGES, self.all, strict=True))

    @classmethod
    def from_mapping(cls, raw: object, where: str) -> "Words":
        """Read {nl, fr, en}; `where` names the place for the reader of a RequestError."""
        if not isinstance(raw, Mapping) or set(raw) != set(LANGUAGES):
            raise RequestError("WORDS_LANGUAGES", f"{where}: give exactly the languages nl, fr and en")
        if not all(isinstance(text, str) for text in raw.values()):
            raise RequestError("WORDS_TEXT", f"{where}: the words in nl, fr and en must be texts; put them in quotes")
        return cls(raw["nl"], raw["fr"], raw["en"])
