"""Lines beside their paragraphs: how a policy is laid out as text."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from enclave.policy.base import Label, Ruling, Value
from enclave.policy.reading.words import Language, word

_MARGIN, _WIDTH = 16, 112


class Line(NamedTuple):
    """One statement and the paragraph that it rests on."""

    paragraph: str
    text: str


class Section(NamedTuple):
    """A heading with its lines."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks one language."""

    language: Language

    def word(self, key: object) -> str:
        """Return a word."""
        return word(str(key), self.language)

    def words(self, keys: Iterable[object]) -> str:
        """Return words with commas between them."""
        return ", ".join(self.word(key) for key in keys)

    def label(self, label: Label) -> str:
        """Return a label."""
        return str(getattr(label, self.language))

    def pair(self, key: str, value: object) -> str:
        """Return "key: value"."""
        return f"{self.word(key)}: {self.word(value)}"

    def ruling(self, key: str, ruling: Ruling[Value]) -> Line:
        """Return a value with its paragraph."""
        return Line(ruling.paragraph, self.pair(key, ruling.value))

    def section(self, heading: str, lines: Iterable[Line]) -> Section:
        """Return a section; its heading is one of the words."""
        return Section(self.word(heading), tuple(lines))


def joined(*parts: str) -> str:
    """Return the parts that say something, with semicolons between them."""
    return "; ".join(part for part in parts if part)


def lay_out(title: str, sections: Iterable[Section]) -> Iterator[str]:
    """Yield the lines of the page: paragraphs in the left margin, statements beside them."""
    yield title
    yield "=" * len(title)
    for section in sections:
        if section.lines:
            yield from ("", section.heading, "-" * len(section.heading))
        for line in section.lines:
            yield from _beside(line)


def _beside(line: Line) -> Iterator[str]:
    left = textwrap.wrap(line.paragraph, _MARGIN - 2)
    right = textwrap.wrap(line.text, _WIDTH - _MARGIN, break_long_words=False, break_on_hyphens=False)
    for row in range(max(len(left), len(right))):
        margin = left[row] if row < len(left) else ""
        yield f"{margin:<{_MARGIN}}{right[row] if row < len(right) else ''}".rstrip()
