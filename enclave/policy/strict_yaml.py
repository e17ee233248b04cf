"""YAML as policies are written: a small part of the language that reads as it looks, with the line of every entry.

What YAML allows and a policy does not, since a reader would overlook it: duplicate keys, anchors and aliases, tags,
merge keys, directives, several documents, keys that are not text, empty values, and scalars that mean something else
than they say (`yes`, `017`, `1:30`, `0x1F`, `1_000`, `~`, `.inf`, times of day).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from enclave.errors import PolicyError
from enclave.policy.yaml_nodes import UNSEEN_ADVICE, compose, refusal, unseen

Path = tuple[str | int, ...]
"""Where a value stands: keys and list positions (from 0) from the top, such as ("tables", 0, "id")."""

_TAG = "tag:yaml.org,2002:"
_PLAIN = {
    "int": (re.compile(r"-?(0|[1-9][0-9]{0,17})"), "write whole numbers in plain decimals such as 5"),
    "float": (re.compile(r"-?(0|[1-9][0-9]{0,8})\.[0-9]{1,9}"), "write fractions in plain decimals such as 0.02"),
    "bool": (re.compile(r"true|false"), "write true or false; put quotes around it if a word is meant"),
    "timestamp": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "write dates as 2017-04-04, without a time of day"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file as plain data (dict, tuple, str, int, float, bool, date, None), its lines and its SHA-256."""

    name: str
    data: Mapping[str, object]
    lines: Mapping[Path, int]
    sha256: str

    def line_of(self, path: Path) -> int:
        """Return the line (from 1) of the entry at `path`, or of the nearest entry around it that is there."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def paragraph_of(self, path: Path) -> str:
        """Return the paragraph that the nearest entry around `path` rests on; empty where none is given."""
        found = ""
        here: object = self.data
        for step in (*path, None):
            if isinstance(here, Mapping):
                found = str(here.get("paragraph") or found)
                here = here.get(step)
            elif isinstance(here, tuple) and isinstance(step, int):
                here = here[step]
        return found

    def place(self, path: Path) -> str:
        """Return the place for people: file, line and dotted path."""
        return f"{self.name}, line {self.line_of(path)}, {dotted(path) or 'the file'}"


def dotted(path: Path) -> str:
    """Return a path as people write it: `tables.0.id`."""
    return ".".join(str(step) for step in path)


def read(name: str, text: str) -> Document:
    """Read the file `name` with the contents `text`; PolicyError with file, line and what to do for what is refused."""
    root = compose(name, text)
    if not isinstance(root, MappingNode):
        raise refusal("YAML_SYNTAX", name, 1, "the file does not hold keys and values; start with `schema:`")
    reader = _Reader(name)
    data = reader.mapping(root, ())
    return Document(name, data, {(): 1, **reader.lines}, hashlib.sha256(text.encode("utf-8")).hexdigest())


class _Reader:
    """Turns nodes into plain data and notes the line of each entry."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}

    def refuse(self, code: str, node: Node, path: Path, sentence: str) -> PolicyError:
        """Return the refusal of what stands at this node."""
        where = f"{dotted(path)}: " if path else ""
        return PolicyError(code, f"{self.name}, line {node.start_mark.line + 1}, {where}{sentence}")

    def mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        """Return keys and values in the order of the file."""
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            here = (*path, key)
            if key in found:
                raise self.refuse("YAML_DUPLICATE_KEY", key_node, here, "this key stands twice; keep one of the two")
            self.lines[here] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, here)
        return found

    def key(self, node: Node, path: Path) -> str:
        """Return a key, which is text and does not merge another map in."""
        if node.tag == f"{_TAG}merge":
            raise self.refuse("YAML_MERGE_KEY", node, path, "`<<` merges another map in; write its keys out")
        if not isinstance(node, ScalarNode) or node.tag != f"{_TAG}str":
            raise self.refuse("YAML_KEY_TYPE", node, path, "a key is not text; put quotes around it if it is meant")
        return self.text(node, path)

    def value(self, node: Node, path: Path) -> object:
        """Return plain data for any node: lists as tuples, so that nobody changes them."""
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            items = []
            for position, item in enumerate(node.value):
                self.lines[(*path, position)] = item.start_mark.line + 1
                items.append(self.value(item, (*path, position)))
            return tuple(items)
        return self.scalar(node, path)

    def scalar(self, node: Node, path: Path) -> object:
        """Return what a scalar says, where it says what it looks like."""
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return self.text(node, path)
        if kind == "null":
            self.check_null(node, path)
            return None
        pattern, advice = _PLAIN.get(kind, (re.compile("(?!)"), "put quotes around it"))
        if not pattern.fullmatch(node.value):
            raise self.refuse("YAML_AMBIGUOUS", node, path, f"{node.value!r} does not mean what it says; {advice}")
        if kind == "timestamp":
            return self.day(node, path)
        if kind == "bool":
            return bool(node.value == "true")
        return int(node.value) if kind == "int" else float(node.value)

    def text(self, node: Node, path: Path) -> str:
        """Return text without characters that a reader of the file does not see."""
        text = str(node.value)
        if unseen(text):
            raise self.refuse("YAML_CHARACTER", node, path, UNSEEN_ADVICE)
        return text

    def check_null(self, node: Node, path: Path) -> None:
        """Accept only the written word `null`."""
        if not node.value:
            raise self.refuse("YAML_EMPTY", node, path, "the value is empty; write it, or null where nothing is meant")
        if node.value != "null":
            raise self.refuse("YAML_AMBIGUOUS", node, path, f"{node.value!r} stands for nothing; write null")

    def day(self, node: Node, path: Path) -> date:
        """Return a day of the calendar."""
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            raise self.refuse("YAML_DATE", node, path, f"{node.value} is not in the calendar; correct it") from None
