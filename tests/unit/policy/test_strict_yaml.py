"""Strict YAML: plain data with lines, and refusals that name file, line and what to do."""

import hashlib
from datetime import date

import pytest

from enclave.errors import PolicyError
from enclave.policy.strict_yaml import dotted, read

TEXT = """\
# a comment
name: first
count: 5
share: 0.02
day: 2017-04-04
wanted: true
not_wanted: false
missing: null
quoted: "5"
long: >
  one
  two
list: [a, {b: 1}]
block:
  - x
  - key: -7
"""


def _refused(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as refusal:
        read("p.yaml", text)
    return refusal.value


def test_values_are_plain_and_lists_cannot_be_changed() -> None:
    assert dict(read("p.yaml", TEXT).data) == {
        "name": "first",
        "count": 5,
        "share": 0.02,
        "day": date(2017, 4, 4),
        "wanted": True,
        "not_wanted": False,
        "missing": None,
        "quoted": "5",
        "long": "one two\n",
        "list": ("a", {"b": 1}),
        "block": ("x", {"key": -7}),
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [((), 1), (("name",), 2), (("day",), 5), (("list", 1, "b"), 13), (("block",), 14), (("block", 1, "key"), 16)],
)
def test_every_entry_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert read("p.yaml", TEXT).line_of(path) == line


def test_a_path_that_is_not_there_gets_the_line_of_what_is_around_it() -> None:
    document = read("p.yaml", TEXT)
    assert document.line_of(("block", 1, "other")) == 16
    assert document.line_of(("other", "thing")) == 1
    assert document.place(("block", 1, "other")) == "p.yaml, line 16, block.1.other"
    assert document.place(()) == "p.yaml, line 1, the file"


def test_the_hash_is_of_the_text() -> None:
    assert read("p.yaml", "a: 1\n").sha256 == hashlib.sha256(b"a: 1\n").hexdigest()


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "YAML_DUPLICATE_KEY", 3),
        ("a: {b: 1,\n    b: 2}\n", "YAML_DUPLICATE_KEY", 2),
        ("a: 1\nb: &x 2\n", "YAML_ANCHOR", 2),
        ("a: 1\nb: *x\n", "YAML_ANCHOR", 2),
        ("a: !!str 1\n", "YAML_TAG", 1),
        ("a:\n  !x\n  b: 1\n", "YAML_TAG", 2),
        ("a: 1\n<<: {b: 2}\n", "YAML_MERGE_KEY", 2),
        ("a: 1\n---\nb: 2\n", "YAML_DOCUMENTS", 2),
        ("%YAML 1.1\n---\na: 1\n", "YAML_DIRECTIVE", 1),
        ("a: 1\n7: 2\n", "YAML_KEY_TYPE", 2),
        ("a: 1\nno: 2\n", "YAML_KEY_TYPE", 2),
        ("a: 1\n? [x]\n: 2\n", "YAML_KEY_TYPE", 2),
        ("a: 1\nb: 017\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: 1:30\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: on\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: True\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: ~\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: NULL\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: =\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: 2017-04-04T00:00:00Z\n", "YAML_AMBIGUOUS", 2),
        ("a: 1\nb: 2017-13-04\n", "YAML_DATE", 2),
        ("a: 1\nb:\n", "YAML_EMPTY", 2),
        ("a: 1\nb: [\n", "YAML_SYNTAX", 3),
        ("a: 1\n- b\n", "YAML_SYNTAX", 2),
        ("", "YAML_SYNTAX", 1),
        ("[a, b]\n", "YAML_SYNTAX", 1),
        ("just text\n", "YAML_SYNTAX", 1),
        ("a: 1\nb: \x07\n", "YAML_CHARACTER", 2),
        ("a: 1\r\n", "YAML_CHARACTER", 1),
        ("\ufeffa: 1\n", "YAML_CHARACTER", 1),
        ("a: 1\nb: \ud800\n", "YAML_CHARACTER", 2),
        ('a: 1\nb: "\\u202e"\n', "YAML_CHARACTER", 2),
        ('a: 1\nb: "\\uD800"\n', "YAML_SYNTAX", 2),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "YAML_SYNTAX", 2),
        ('a: 1\n"b\\0": 2\n', "YAML_CHARACTER", 2),
        ("a: " + "[" * 5000 + "\n", "YAML_TOO_DEEP", 1),
        ("a: 1\n" * 60_000, "YAML_TOO_LARGE", 1),
    ],
)
def test_refusals_name_file_and_line(text: str, code: str, line: int) -> None:
    refusal = _refused(text)
    assert refusal.code == code
    assert refusal.message.startswith(f"p.yaml, line {line}")


def test_a_refusal_names_the_path_and_what_to_do() -> None:
    refusal = _refused("rules:\n  zeros: {value: yes}\n")
    assert refusal.message == (
        "p.yaml, line 2, rules.zeros.value: 'yes' does not mean what it says; "
        "write true or false; put quotes around it if a word is meant"
    )


def test_a_path_is_written_with_dots() -> None:
    assert dotted(("tables", 0, "id")) == "tables.0.id"
