"""Log-in of the made-up users: passwords, the door that closes, and what the directory says about somebody."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from enclave.errors import PermissionDenied, SetupError
from enclave.sandbox.directory import Directory, Member
from enclave.wiring.workbench import passwords
from hub_config.authenticator import groups_of
from hub_config.doors import Doors
from hub_config.refusals import Refusal
from hub_config.vouching.made_up import MadeUpUsers
from hub_config.words import accepted_text, read_words
from tests.lib.launcher_kit import PROJECT, directory

RIGHT = "abcde-fghij-kmnpq"


@pytest.fixture
def users(tmp_path: Path) -> MadeUpUsers:
    (tmp_path / "accounts.json").write_text(passwords.hashed({"analyst.one": RIGHT}))
    directory().write(tmp_path / "directory.json")
    (tmp_path / "notices").mkdir()
    return MadeUpUsers(
        accounts=str(tmp_path / "accounts.json"),
        directory=str(tmp_path / "directory.json"),
        notices=str(tmp_path / "notices"),
        wrong_passwords=2,
    )


def log_in(users: MadeUpUsers, account: str, password: str, address: str = "127.0.0.1", **form: str) -> Any:
    handler = SimpleNamespace(request=SimpleNamespace(remote_ip=address))
    form = {"username": account, "password": password, "ban": "accepted", **form}
    return asyncio.run(users.authenticate(handler, form))


def test_the_right_password_gives_name_and_groups_and_no_admin(users: MadeUpUsers) -> None:
    assert log_in(users, "analyst.one", RIGHT) == {
        "name": "analyst.one",
        "groups": [f"project-{PROJECT}", "role-analyst"],
        "admin": False,
    }


@pytest.mark.parametrize(
    ("account", "password"),
    [("analyst.one", "x"), ("analyst.one", ""), ("checker.one", RIGHT), ("nobody", RIGHT), ("", "")],
)
def test_anything_else_gives_nothing(users: MadeUpUsers, account: str, password: str) -> None:
    assert log_in(users, account, password) is None


def test_an_account_that_is_not_enrolled_any_more_gets_in_with_no_password(users: MadeUpUsers, tmp_path: Path) -> None:
    Directory(
        synthetic=True, vault_open=True, accounts={}, projects={}, closed=frozenset(), destroyed=frozenset()
    ).write(Path(users.directory))
    with pytest.raises(Refusal) as refusal:
        log_in(users, "analyst.one", RIGHT)
    assert refusal.value.code == "UNKNOWN_ACCOUNT"
    assert noted(tmp_path) == [{"event": "log_in_refused", "code": "UNKNOWN_ACCOUNT"}], "without their name"
    assert log_in(users, "analyst.one", "wrong") is None, "who does not know the password learns nothing"


@pytest.mark.parametrize("password", [RIGHT, "wrong"])
def test_a_house_of_real_data_lets_nobody_in_and_tries_no_password(users: MadeUpUsers, password: str) -> None:
    directory(synthetic=False).write(Path(users.directory))
    with pytest.raises(Refusal) as refusal:
        log_in(users, "analyst.one", password)
    assert refusal.value.code == "SYNTHETIC_ONLY"


def test_after_too_many_wrong_passwords_the_right_one_is_refused_too(users: MadeUpUsers) -> None:
    for _ in range(2):
        log_in(users, "analyst.one", "wrong")
    with pytest.raises(Refusal) as refusal:
        log_in(users, "analyst.one", RIGHT)
    assert refusal.value.code == "TOO_MANY_ATTEMPTS"


def test_a_change_in_the_directory_counts_at_the_next_look(users: MadeUpUsers) -> None:
    user = SimpleNamespace(name="analyst.one")
    directory(projects=()).write(Path(users.directory))
    found = asyncio.run(users.refresh_user(user))
    assert found == {"name": "analyst.one", "groups": ["role-analyst"], "admin": False}
    Directory(
        synthetic=True, vault_open=True, accounts={}, projects={}, closed=frozenset(), destroyed=frozenset()
    ).write(Path(users.directory))
    assert asyncio.run(users.refresh_user(user)) is False


def test_only_who_is_enrolled_is_allowed(users: MadeUpUsers) -> None:
    assert asyncio.run(users.check_allowed("analyst.one", None)) is True
    assert asyncio.run(users.check_allowed("somebody.else", None)) is False


def test_groups_are_roles_and_projects() -> None:
    member = Member("p", frozenset({"steward", "operator"}), frozenset({"x-2016"}))
    assert groups_of(member) == ["project-x-2016", "role-operator", "role-steward"]


def test_the_door_opens_again_after_its_pause() -> None:
    now = [0.0]
    doors = Doors(2, 60, clock=lambda: now[0])
    for _ in range(2):
        doors.note_wrong("a", "1.1.1.1")
    with pytest.raises(PermissionDenied):
        doors.require_open("a", "2.2.2.2")
    now[0] = 61.0
    doors.require_open("a", "2.2.2.2")


def test_an_address_that_tries_many_names_meets_a_closed_door_for_all() -> None:
    doors = Doors(2, 60, clock=lambda: 0.0)
    for number in range(8):
        doors.require_open(f"name{number}", "1.1.1.1")
        doors.note_wrong(f"name{number}", "1.1.1.1")
    with pytest.raises(PermissionDenied):
        doors.require_open("another", "1.1.1.1")
    doors.require_open("another", "2.2.2.2")


def test_other_spellings_of_an_account_find_the_same_door_closed() -> None:
    doors = Doors(2, 60, clock=lambda: 0.0)
    doors.note_wrong("Analyst.One", "1.1.1.1")
    doors.note_wrong(" \uff41nalyst.one", "2.2.2.2")
    with pytest.raises(PermissionDenied):
        doors.require_open("analyst.one", "3.3.3.3")


def test_without_a_name_the_address_alone_is_counted() -> None:
    doors = Doors(2, 60, clock=lambda: 0.0)
    for _ in range(8):
        doors.note_wrong("", "1.1.1.1")
    with pytest.raises(PermissionDenied):
        doors.require_open("", "1.1.1.1")
    doors.require_open("", "2.2.2.2")


def test_an_account_that_the_hub_would_spell_otherwise_is_not_taken_for_another(
    users: MadeUpUsers, tmp_path: Path
) -> None:
    (tmp_path / "accounts.json").write_text(passwords.hashed({"Analyst.One": RIGHT}))
    known = directory()
    both = {**known.accounts, "Analyst.One": Member("q", frozenset({"steward"}), frozenset())}
    Directory(
        synthetic=True,
        vault_open=True,
        accounts=both,
        projects=known.projects,
        closed=frozenset(),
        destroyed=frozenset(),
    ).write(Path(users.directory))
    with pytest.raises(Refusal) as refusal:
        log_in(users, "Analyst.One", RIGHT)
    assert refusal.value.code == "UNKNOWN_ACCOUNT"


def test_getting_in_forgets_ones_own_wrong_passwords_only() -> None:
    doors = Doors(2, 60, clock=lambda: 0.0)
    doors.note_wrong("a", "1.1.1.1")
    doors.note_right("a")
    doors.note_wrong("a", "1.1.1.1")
    doors.require_open("a", "1.1.1.1")


def test_no_password_stands_in_the_accounts_file() -> None:
    text = passwords.hashed({"analyst.one": RIGHT, "staff.one": RIGHT})
    assert RIGHT not in text
    first, second = json.loads(text)["accounts"].values()
    assert first["hash"] != second["hash"], "the same password looks different under another salt"


def test_a_damaged_accounts_file_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text("{}")
    with pytest.raises(SetupError):
        passwords.is_right(tmp_path / "accounts.json", "a", "b")


def test_passwords_that_are_known_stay_and_new_ones_differ() -> None:
    found = passwords.for_accounts(["a", "b", "c"], {"a": "known"})
    assert found["a"] == "known"
    assert found["b"] != found["c"]
    assert passwords.from_lines(passwords.as_lines(found)) == found


def noted(tmp_path: Path) -> list[dict[str, Any]]:
    """Return what was noted for the audit log, oldest first."""
    found = [json.loads(path.read_text()) for path in sorted((tmp_path / "notices").iterdir())]
    return [{"event": notice["event"], **notice["details"]} for notice in found]


def test_log_ins_and_wrong_passwords_are_noted_for_the_audit_log(users: MadeUpUsers, tmp_path: Path) -> None:
    log_in(users, "analyst.one", RIGHT)
    log_in(users, "analyst.one", "wrong")
    assert noted(tmp_path) == [
        {"event": "logged_in", "account": "analyst.one", "accepted": accepted_text(read_words())},
        {"event": "log_in_refused", "code": "WRONG_PASSWORD", "account": "analyst.one"},
    ]


@pytest.mark.parametrize("ticked", ["", "on", "Accepted"])
def test_nobody_gets_in_who_does_not_accept_the_ban_on_re_identification(
    users: MadeUpUsers, tmp_path: Path, ticked: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        log_in(users, "analyst.one", RIGHT, ban=ticked)
    assert refusal.value.code == "BAN_NOT_ACCEPTED"
    assert noted(tmp_path) == [{"event": "log_in_refused", "code": "BAN_NOT_ACCEPTED", "account": "analyst.one"}]


def test_another_text_of_the_ban_has_another_digest() -> None:
    words = {tag: dict(texts) for tag, texts in read_words().items()}
    before = accepted_text(words)
    words["fr"]["ban"] += " "
    assert accepted_text(words) != before


def test_what_is_nobodys_account_and_every_password_stay_out_of_the_notices(users: MadeUpUsers, tmp_path: Path) -> None:
    log_in(users, RIGHT, "analyst.one")
    log_in(users, "analyst.one", "my other password")
    assert [notice.get("account") for notice in noted(tmp_path)] == [None, "analyst.one"]
    told = "".join(path.read_text() for path in (tmp_path / "notices").iterdir())
    assert RIGHT not in told
    assert "my other password" not in told


def test_a_closed_door_is_noted_once_however_often_somebody_knocks(users: MadeUpUsers, tmp_path: Path) -> None:
    for _ in range(2):
        log_in(users, "analyst.one", "wrong")
    for _ in range(5):
        with pytest.raises(Refusal):
            log_in(users, "analyst.one", RIGHT)
    codes = [notice["code"] for notice in noted(tmp_path)]
    assert codes == ["WRONG_PASSWORD", "WRONG_PASSWORD", "TOO_MANY_ATTEMPTS"]


def test_nobody_gets_in_unnoted(users: MadeUpUsers, tmp_path: Path) -> None:
    (tmp_path / "notices").rmdir()
    with pytest.raises(Refusal) as refusal:
        log_in(users, "analyst.one", RIGHT)
    assert refusal.value.code == "NOTICE"
    assert log_in(users, "analyst.one", "wrong") is None, "a refusal stays one"
