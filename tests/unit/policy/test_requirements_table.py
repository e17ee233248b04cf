"""The table of requirements of deliberation 15/018: none is left out, every field and every test exists."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.lib.policy_files import DELIBERATION, FOLDER, node_at, text_of

PARTS = {"A1": 5, "A2": 7, "A3": 2, "A4": 3, "A5": 7, "A6": 6, "A7": 7, "A8": 4}
"""How many requirements each part has."""
TESTS = FOLDER.parent / "tests" / "unit" / "policy" / "test_deliberation_15_018.py"
STATES = ("held", "carried out", "held as policy, acted on later: ")


def rows() -> Iterator[list[str]]:
    for line in text_of("REQUIREMENTS-15-018.md").splitlines():
        if line.startswith("| A"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_no_requirement_is_left_out_or_stands_twice() -> None:
    wanted = [f"{part}.{number}" for part, count in PARTS.items() for number in range(1, count + 1)]
    assert [row[0] for row in rows()] == wanted


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[0])
def test_fields_test_and_state_of_a_requirement_exist(row: list[str]) -> None:
    requirement, what, fields, test, state = row
    assert what
    for path in re.findall("`([^`]+)`", fields):
        node_at(text_of(DELIBERATION), path)
    name = test.strip("`")
    tests = {node.name for node in ast.walk(ast.parse(TESTS.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}
    assert name in tests
    assert requirement.lower().replace(".", "_") in name, "the test names the requirement"
    assert state.startswith(STATES)


def test_every_test_of_a_requirement_stands_for_one() -> None:
    numbers = {row[0] for row in rows()}
    for number in re.findall(r"def test_(a[0-9]_[0-9])_", TESTS.read_text("utf-8")):
        assert number.upper().replace("_", ".") in numbers
