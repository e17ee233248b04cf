"""Log-in by PAM: the machine's libpam, told by pam_wrapper to read services and passwords from a folder of the test."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lib.log_in_kit import ANALYST, form, noted

ROOT = Path(__file__).parents[3]
LIBRARIES = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu"
WRAPPER, MATRIX = LIBRARIES / "libpam_wrapper.so", LIBRARIES / "pam_wrapper" / "pam_matrix.so"
PASSWORDS = {"analyst.one": "of the analyst", "visitor.one": "of somebody else"}
RIGHT, WRONG = form("analyst.one", PASSWORDS["analyst.one"]), form("analyst.one", "wrong")
ASKED = {
    ("people", "workbench"): [
        RIGHT,
        RIGHT | {"ban": ""},
        form("visitor.one", PASSWORDS["visitor.one"]),
        form("nobody", "x"),
        form("analyst.one", ""),
        form("analyst.one\0x", PASSWORDS["analyst.one"]),
        form("analyst.one", PASSWORDS["analyst.one"] + "\0x"),
    ],
    ("door", "workbench"): [WRONG, WRONG, WRONG, RIGHT],
    ("closed", "closed"): [RIGHT],
    ("broken", "broken"): [RIGHT] * 5,
}
"""Each hub with its PAM service, and who logs in there."""


class Asked(NamedTuple):
    """What came of all log-ins, by hub."""

    folder: Path
    answers: dict[str, list[Any]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    if not MATRIX.exists():
        pytest.skip("pam_wrapper is not on this machine; `.ci/setup.sh tests` installs it")
    folder = tmp_path_factory.mktemp("pam")
    lines = [(*hub, each) for hub, forms in ASKED.items() for each in forms]
    run = subprocess.run(
        [sys.executable, "-m", "tests.lib.pam_log_in", str(WRAPPER), str(folder)],
        cwd=ROOT,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(WRAPPER),
            "PAM_WRAPPER": "1",
            "PAM_WRAPPER_SERVICE_DIR": str(services(folder)),
        },
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not any(word in run.stderr for word in (*PASSWORDS, *PASSWORDS.values()))
    answers: dict[str, list[Any]] = {hub: [] for hub, _ in ASKED}
    for (hub, *_), line in zip(lines, run.stdout.splitlines(), strict=True):
        answers[hub].append(json.loads(line))
    return Asked(folder, answers)


def services(folder: Path) -> Path:
    """Write the PAM services that stand instead of the machine's own, which are neither read nor touched."""
    for_all = [f"{account}:{password}:workbench" for account, password in PASSWORDS.items()]
    for_all += [f"analyst.one:{PASSWORDS['analyst.one']}:closed", f"analyst.one:{PASSWORDS['analyst.one']}:broken"]
    (folder / "passwords").write_text("\n".join([*for_all, ""]), encoding="utf-8")
    here = folder / "pam.d"
    here.mkdir()
    matrix = f"required {MATRIX} passdb={folder / 'passwords'}"
    for name, account in {
        "workbench": matrix,
        "closed": "required pam_deny.so",
        "broken": "required /no/such.so",
    }.items():
        (here / name).write_text(f"auth {matrix}\naccount {account}\n", encoding="utf-8")
    return here


def test_the_right_password_gives_what_the_house_knows_and_anything_else_does_not(asked: Asked) -> None:
    assert asked.answers["people"] == [ANALYST, "BAN_NOT_ACCEPTED", "UNKNOWN_ACCOUNT", None, None, None, None]


def test_who_is_not_enrolled_is_noted_without_a_name(asked: Asked) -> None:
    names = [notice.get("account") for notice in noted(asked.folder / "people")]
    assert names == ["analyst.one", "analyst.one", None, None, "analyst.one", None, "analyst.one"]


def test_wrong_passwords_close_the_door(asked: Asked) -> None:
    assert asked.answers["door"] == [None, None, None, "TOO_MANY_ATTEMPTS"]


def test_an_account_that_is_closed_there_is_closed_here(asked: Asked) -> None:
    assert asked.answers["closed"] == [None]


def test_a_module_that_is_missing_is_told_and_no_door_closes(asked: Asked) -> None:
    assert asked.answers["broken"] == ["NOBODY_TO_ASK"] * 5
