"""The documents say what is so: tests, links, commands, packages, exit codes and words that they name exist."""

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import click
import pytest

from enclave import errors
from enclave.cli import cli
from enclave.policy.strict_yaml import read
from enclave.wiring.commands import operating
from enclave.wiring.house import made_up_people

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "GLOSSARY.md", "SECURITY.md", "CHANGELOG.md")
CLAIM = re.compile(r"tests/[\w/]+\.py::\w+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PACKAGE = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ \\]+)", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _section(name: str, heading: str) -> str:
    """Return a section of a document, with its parts."""
    level = heading.split(" ", 1)[0]
    rest = _text(name).split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{len(level)}}} ", rest, maxsplit=1)[0]


def _rows(section: str) -> Iterator[list[str]]:
    """Yield the rows of the tables in a section, without their heads."""
    lines = section.splitlines()
    for above, line in pairwise(lines):
        if line.startswith("| ") and not above.startswith(("|---", "| ")):
            continue
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _claims(name: str) -> list[str]:
    return sorted(set(CLAIM.findall(_text(name))))


def _tests_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", ["SECURITY.md", "ARCHITECTURE.md"])
def test_every_test_that_is_named_exists(name: str) -> None:
    claims = _claims(name)
    assert claims
    for claim in claims:
        path, function = claim.split("::")
        assert (ROOT / path).is_file(), claim
        assert function.startswith("test_"), claim
        assert function in _tests_of(ROOT / path), claim


def test_every_threat_names_its_test() -> None:
    rows = list(_rows(_section("SECURITY.md", "## Threats")))
    assert rows
    assert [row for row in rows if len(row) != 4 or CLAIM.search(row[3]) is None] == []


def test_what_does_not_exist_yet_is_said_so() -> None:
    rows = list(_rows(_section("SECURITY.md", "## Threats of parts that do not exist yet")))
    assert rows
    assert [row for row in rows if not row[-1].startswith("not yet built")] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in LINK.findall(_text(name)):
        assert not target.startswith(("http:", "https:", "/")), target
        assert (ROOT / target.split("#")[0]).exists(), target


def _command_lines() -> list[str]:
    lines = [line for block in BLOCK.findall(_text("README.md")) for line in block.splitlines()]
    return [line for line in lines if line.startswith("enclave ")]


def test_the_readme_shows_commands() -> None:
    assert len(_command_lines()) > 10


@pytest.mark.parametrize("line", _command_lines())
def test_every_command_of_the_readme_exists(line: str) -> None:
    words = line.split()[1:]
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, line
    needed = {p.opts[0] for p in command.params if isinstance(p, click.Option) and p.required}
    assert needed <= set(words), line


def test_the_people_of_the_readme_are_those_of_the_demonstration() -> None:
    text = next(block for block in BLOCK.findall(_text("README.md")) if block.startswith("people:"))
    data = read("people.yaml", text).data
    assert isinstance(data, Mapping)
    entries = data["people"]
    assert isinstance(entries, tuple)
    people = [operating._person(entry, "README.md") for entry in entries]
    shown = {(p.id, p.accounts, p.roles, p.projects, p.trained_until is not None) for p in people}
    made_up = made_up_people("advice-17-17-2016", date(2027, 12, 31))
    assert shown == {(p.id, p.accounts, p.roles, p.projects, p.trained_until is not None) for p in made_up}


ASKED_FOR = (
    "requirements.in",
    "requirements-dev.in",
    "kernels/requirements.in",
    "hub_config/package.json",
    "tests/bench/sdc/requirements.in",
)
LOCKS = {
    "requirements.lock": ("requirements.in", "requirements-dev.in"),
    "kernels/requirements.lock": ASKED_FOR[2:3],
    "tests/bench/sdc/requirements.lock": ASKED_FOR[4:],
}


def _direct(name: str) -> set[str]:
    if name.endswith(".json"):
        asked = json.loads(_text(name))
        return {*asked["dependencies"], *asked["devDependencies"]}
    lines = (line.split("#")[0].split("[")[0].strip() for line in _text(name).splitlines())
    return {line for line in lines if line and not line.startswith("-")}


@pytest.mark.parametrize("name", ASKED_FOR)
def test_every_package_has_its_reason_and_licence(name: str) -> None:
    rows = {row[0]: row[1:] for row in _rows(_section("ARCHITECTURE.md", "## Dependencies"))}
    for package in _direct(name):
        assert package in rows, package
        assert all(rows[package]), package


def test_no_reason_is_given_for_a_package_that_is_not_there() -> None:
    rows = {row[0] for row in _rows(_section("ARCHITECTURE.md", "## Dependencies"))}
    assert rows == set().union(*map(_direct, ASKED_FOR))


def test_every_error_class_has_its_exit_code_in_the_readme() -> None:
    rows = {row[1].strip("`"): row[0] for row in _rows(_section("README.md", "## Exit codes"))}
    members = [found for _, found in inspect.getmembers(errors, inspect.isclass)]
    classes = [found for found in members if issubclass(found, errors.EnclaveError)]
    assert {found.__name__: str(found.exit_code) for found in classes} == {k: v for k, v in rows.items() if k}


def _strings_for_people() -> list[str]:
    """Return the help texts and messages of the command line: every string in its room."""
    nodes = [node for path in (ROOT / "enclave" / "cli").glob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_words_to_avoid_are_avoided_on_the_command_line() -> None:
    words = [row[0] for row in _rows(_section("GLOSSARY.md", "## Words to avoid"))]
    assert {"anonymise", "export", "admin"} <= set(words)
    text = "\n".join(_strings_for_people()).lower()
    assert [word for word in words if re.search(rf"\b{word}", text)] == []


def test_every_word_of_the_glossary_has_a_meaning_and_stands_once() -> None:
    rows = list(_rows(_text("GLOSSARY.md").split("\n## Words to avoid\n")[0]))
    words = [word for row in rows for word in row[0].split(", ")]
    assert len(words) == len(set(words))
    assert [row for row in rows if len(row) != 3 or not row[2]] == []


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_has_hashes_for_every_package_and_no_address(name: str) -> None:
    lock = _text(name)
    entries = re.split(r"\n(?=[a-z0-9])", lock[PACKAGE.search(lock).start() :])  # type: ignore[union-attr]
    assert len(entries) == len(PACKAGE.findall(lock))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.search(r"https?:|index-url|find-links", lock) is None


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_holds_every_package_that_is_asked_for(name: str) -> None:
    locked = {package for package, _ in PACKAGE.findall(_text(name))}
    assert {package.lower() for asked in LOCKS[name] for package in _direct(asked)} <= locked


def test_the_lock_of_node_packages_has_hashes_and_no_address_of_a_registry() -> None:
    packages = json.loads(_text("hub_config/package-lock.json"))["packages"]
    del packages[""]
    assert packages
    assert [name for name, entry in packages.items() if not entry.get("integrity") or "resolved" in entry] == []
