"""From YAML text to its nodes, stopping at what a policy may not hold before anything is made of it."""

import unicodedata
from typing import Any, Protocol

import yaml
from yaml.composer import Composer
from yaml.nodes import Node
from yaml.resolver import Resolver

from enclave.errors import PolicyError

UNSEEN_ADVICE = "a character is not seen (a tab, a carriage return, a byte order mark, a direction sign); remove it"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_LARGEST = 200_000
_DEEPEST = 12


def refusal(code: str, name: str, line: int, sentence: str) -> PolicyError:
    """Return the refusal of a file at a line (from 1)."""
    return PolicyError(code, f"{name}, line {line}: {sentence}")


def compose(name: str, text: str) -> Node | None:
    """Return the root of the one document (None where there is none); PolicyError with file, line and what to do.

    Refused: characters that are not seen, anchors, aliases, tags, directives, a second document, deep nesting, and far
    too much text.
    """
    if len(text) > _LARGEST:
        sentence = "the file is far larger than a policy; check that it is the right one"
        raise refusal("YAML_TOO_LARGE", name, 1, sentence)
    for number, line in enumerate(text.split("\n"), start=1):
        if unseen(line):
            raise refusal("YAML_CHARACTER", name, number, UNSEEN_ADVICE)
    try:
        return _Composer(text).only_node()
    except _Forbidden as found:
        code, number, sentence = found.args
        raise refusal(code, name, number, sentence) from None
    except yaml.MarkedYAMLError as error:
        sentence = f"this is not YAML ({error.problem}); correct the line"
        raise refusal("YAML_SYNTAX", name, _line(error.problem_mark), sentence) from None


def unseen(text: str) -> bool:
    """Return whether the text holds a character that a reader of the file does not see: tabs too, but no newlines."""
    return any(unicodedata.category(character) in _UNSEEN and character != "\n" for character in text)


class _HasLine(Protocol):
    line: int


def _line(mark: _HasLine | None) -> int:
    """Return the line of a mark, counted from 1."""
    return 1 if mark is None else mark.line + 1


class _Forbidden(Exception):  # noqa: N818  caught in this module, never seen outside
    """A construct that only the events show: code, line, sentence."""


class _Composer(Composer, Resolver):
    """Composes nodes and stops at what a policy may not hold, before anything is made of it.

    LibYAML reads the text: the reader in Python takes several times as long over a deliberation.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        Resolver.__init__(self)
        events = yaml.CSafeLoader(text)
        self.peek_event, self.get_event, self.check_event = events.peek_event, events.get_event, events.check_event
        self.depth = 0

    def ahead(self) -> Any:
        """Return the next event, which stays to be read."""
        return self.peek_event()

    def compose_document(self) -> Node | None:
        """Compose a document without directives."""
        event = self.ahead()
        if event.version or event.tags:
            raise _Forbidden("YAML_DIRECTIVE", _line(event.start_mark), "a directive is not needed; remove the %")
        return super().compose_document()

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Compose a node without anchor, alias or tag, and not too deep."""
        event = self.ahead()
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _Forbidden("YAML_ANCHOR", line, "anchors (&) and aliases (*) hide what is said; write the value out")
        if event.tag:
            raise _Forbidden("YAML_TAG", line, "tags (!) change what a value is; remove the tag")
        if self.depth == _DEEPEST:
            raise _Forbidden("YAML_TOO_DEEP", line, "the nesting is deeper than any policy's; remove the brackets")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def only_node(self) -> Node | None:
        """Return the node of the one document, None where there is none."""
        self.get_event()  # the start of the stream
        node = None if self.check_event(yaml.StreamEndEvent) else self.compose_document()
        if not self.check_event(yaml.StreamEndEvent):
            line = _line(self.ahead().start_mark)
            raise _Forbidden("YAML_DOCUMENTS", line, "a second document starts; keep one policy in one file")
        return node
