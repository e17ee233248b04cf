"""What people bring in themselves: what is taken, and what is refused with file, line and what to do."""

import json

import pytest

from enclave.errors import DeliveryError
from enclave.linkage.own_files import MOST_BYTES, check_own_file

REAL, MADE_UP = "85073003328", "85613000150"
SECRET = "not to be repeated"


def check(name: str, content: str | bytes) -> None:
    check_own_file(name, content.encode() if isinstance(content, str) else content, last_birth_year=2026)


def notebook(**cell: object) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1", **cell}]})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.py", "import pandas as pd\n\nx = -1  # = + @ are fine here\n"),
        ("areas.csv", 'code,name,people\n21004,Brussel,"188 737"\n11002,Antwerpen,-3.5%\n'),
        ("areas.v2.csv", "code;name\n1;a\n2;b\n"),
        ("notes.md", "# Tel 02 741 83 11, KBO 0244.640.631\n"),
        ("first.ipynb", notebook(outputs=[])),
        ("empty.txt", ""),
    ],
)
def test_what_people_need_is_taken(name: str, content: str) -> None:
    check(name, content)


@pytest.mark.parametrize(
    ("name", "content", "code", "where"),
    [
        ("../areas.csv", "a\n", "OWN_FILE_NAME", "areas.csv"),
        (".hidden.py", "a\n", "OWN_FILE_NAME", "hidden"),
        ("run.exe", "a\n", "OWN_FILE_NAME", "run.exe"),
        ("a b.py", "a\n", "OWN_FILE_NAME", "a b.py"),
        ("big.txt", b"a" * (MOST_BYTES + 1), "OWN_FILE_SIZE", "big.txt"),
        ("latin.txt", f"{SECRET}\nfa\xe7ade".encode("latin-1"), "OWN_FILE_TEXT", "line 2"),
        ("nul.txt", f"{SECRET}\n\na\0b", "OWN_FILE_TEXT", "line 3"),
        ("people.csv", f"who,what\n1,{SECRET}\n2,{REAL}\n", "OWN_FILE_PERSON", "line 3"),
        ("people.txt", f"{SECRET}\n85.07.30-033.28", "OWN_FILE_PERSON", "line 2"),
        ("people.py", f"x = 1\ny = {MADE_UP}\n", "OWN_FILE_PERSON", "line 2"),
        ("ragged.csv", f"a,b\n1,{SECRET}\n1,2,3\n", "OWN_FILE_RAGGED", "line 3"),
        ("formula.csv", f"a,b\n1,=HYPERLINK({SECRET})\n", "OWN_FILE_FORMULA", "line 2"),
        ("formula.csv", "a;b\n1;+cmd|x\n", "OWN_FILE_FORMULA", "line 2"),
        ("quotes.csv", f'a,b\n1,"{SECRET}\n', "OWN_FILE_TABLE", "line "),
        ("no.ipynb", "{}", "OWN_FILE_NOTEBOOK", "no.ipynb"),
        ("no.ipynb", "[" * 100_000, "OWN_FILE_NOTEBOOK", "no.ipynb"),
        ("out.ipynb", notebook(outputs=[{"text": SECRET}]), "OWN_FILE_OUTPUTS", "out.ipynb"),
        ("out.ipynb", notebook(attachments={"a.png": {}}), "OWN_FILE_OUTPUTS", "out.ipynb"),
    ],
)
def test_everything_else_is_refused_by_place_and_not_by_content(
    name: str, content: str | bytes, code: str, where: str
) -> None:
    with pytest.raises(DeliveryError) as refused:
        check(name, content)
    assert refused.value.code == code
    assert where in refused.value.message
    assert not any(word in str(refused.value) for word in (SECRET, REAL, MADE_UP))
