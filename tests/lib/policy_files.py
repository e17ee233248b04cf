"""The shipped policy files, read once, and patches on their text that leave everything else as it is."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from enclave.policy.codelist import Codelist, read_codelists
from enclave.policy.deliberation.model import Deliberation, load_deliberation
from enclave.policy.house import HousePolicy, load_house
from enclave.policy.model import Policy, load_policy
from enclave.policy.source import SourceSchema

FOLDER = Path(__file__).resolve().parents[2] / "policies"
ADVICE = "advice-17-17.yaml"
DELIBERATION = "deliberation-15-018.yaml"


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def codelists() -> Mapping[str, Codelist]:
    files = sorted((FOLDER / "classifications").glob("*.csv"))
    return read_codelists({path.name: path.read_text(encoding="utf-8") for path in files})


@cache
def house() -> HousePolicy:
    return load_house("house.yaml", text_of("house.yaml"))


@cache
def sources() -> Mapping[str, SourceSchema]:
    paths = sorted((FOLDER / "sources").glob("*.yaml"))
    schemas = [SourceSchema.from_yaml(path.name, path.read_text(encoding="utf-8")) for path in paths]
    return {schema.id: schema for schema in schemas}


def load_advice(text: str) -> Policy:
    return load_policy(ADVICE, text, house(), codelists(), sources())


@cache
def advice() -> Policy:
    return load_advice(text_of(ADVICE))


def load_deliberation_text(text: str) -> Deliberation:
    return load_deliberation(DELIBERATION, text, house(), codelists(), sources())


@cache
def deliberation() -> Deliberation:
    return load_deliberation_text(text_of(DELIBERATION))


def put(text: str, path: str, raw: str) -> str:
    """Replace the value at a dotted path by raw YAML; entries of lists are found by position or by id."""
    node = node_at(text, path)
    assert node.start_mark is not None
    assert node.end_mark is not None
    start, end = node.start_mark.index, node.end_mark.index
    kept = text[start:end].rstrip()
    return text[:start] + raw + text[start + len(kept) :]


def node_at(text: str, path: str) -> yaml.Node:
    """Return the node at a dotted path; StopIteration where there is none."""
    node = _root(text)
    for step in path.split("."):
        node = _child(node, step)
    return node


@cache
def _root(text: str) -> yaml.Node:
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    assert node is not None
    return node


def _child(node: yaml.Node, step: str) -> yaml.Node:
    if isinstance(node, yaml.SequenceNode):
        entries: list[yaml.Node] = node.value
        return entries[int(step)] if step.isdigit() else next(entry for entry in entries if _named(entry, step))
    found: yaml.Node = next(value for key, value in node.value if key.value == step)
    return found


def _named(node: yaml.Node, name: str) -> bool:
    fields = {key.value: value.value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    return name in {fields.get(field) for field in ("id", "codelist", "level", "variable")}


def replace(text: str, old: str, new: str) -> str:
    """Replace the first occurrence of a piece that must be there."""
    assert old in text, f"{old!r} does not stand in the file"
    return text.replace(old, new, 1)
