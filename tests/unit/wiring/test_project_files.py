"""Project files decide who is on a project, without a restart; one that is wrong changes nothing and says why."""

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from enclave.gateway.log_entry import LogAction
from enclave.gateway.permissions import Person, Role
from enclave.ledger import log_reading
from enclave.ledger.fsck import fsck
from enclave.ledger.log_reading import LogEntry, LogFilter
from enclave.wiring.house import House, made_up_people, make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file
from enclave.wiring.project_files import ProjectFiles
from enclave.wiring.settings import POLICIES
from enclave.wiring.workbench.directory import directory_of

PROJECT = "advice-17-17-2016"
STAFF = frozenset({"staff.one"})
BOTH = STAFF | {"analyst.one"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    policies = tmp_path / "policies"
    shutil.copytree(POLICIES, policies)
    make_house(tmp_path / "house", synthetic=True, protect=by_new_key_file(tmp_path / "medium"), policies=policies)
    with open_house(tmp_path / "house") as opened:
        opened.register.enrol(made_up_people(PROJECT, date(2030, 1, 1)), "steward.one")
        yield opened


def file_of(house: House) -> Path:
    return house.settings.policies / "projects" / f"{PROJECT}.yaml"


def edit(house: House, old: str, new: str) -> None:
    path = file_of(house)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def members(house: House) -> frozenset[str]:
    return frozenset(person.id for person in house.register.everybody() if PROJECT in person.projects)


def settle(files: ProjectFiles) -> None:
    for _ in range(2):  # a change counts when it has stayed for a look
        files.look()


def entries(house: House, action: LogAction) -> list[LogEntry]:
    with house.book.connection(reading=True) as connection:
        return list(reversed(log_reading.newest(connection, LogFilter(action.value), before=None, limit=100)))


def test_a_file_that_says_what_the_register_says_changes_nothing(house: House) -> None:
    files = ProjectFiles(house)
    settle(files)
    assert members(house) == BOTH
    assert entries(house, LogAction.MEMBERS_CHANGED) == []
    assert files.lines() == [f"projects/{PROJECT}.yaml: decides who is on the project"]


def test_who_is_taken_out_of_the_file_goes_and_who_is_put_in_comes_with_entries_in_the_log(house: House) -> None:
    files = ProjectFiles(house)
    files.look()
    edit(house, "analyst: [analyst.one]", "analyst: []")
    settle(files)
    assert members(house) == STAFF
    assert PROJECT not in directory_of(house).accounts["analyst.one"].projects
    edit(house, "analyst: []", "analyst: [analyst.one]")
    settle(files)
    assert members(house) == BOTH
    went, came = entries(house, LogAction.MEMBERS_CHANGED)
    assert (went.actor, went.subject, went.details["withdrawn"], went.details["added"]) == (
        "system",
        PROJECT,
        ["analyst.one"],
        [],
    )
    assert came.details["added"] == ["analyst.one"]
    assert fsck(house.book, house.settings.outboxes, house.release_key.public_pem, None) == []


def test_a_membership_changed_past_the_log_is_found(house: House) -> None:
    edit(house, "analyst: [analyst.one]", "analyst: []")
    ProjectFiles(house).look()
    with house.book.connection() as connection:
        connection.exec_driver_sql(f"INSERT INTO memberships VALUES ('analyst.one', '{PROJECT}')")
    problems = fsck(house.book, house.settings.outboxes, house.release_key.public_pem, None)
    assert problems == ["person analyst.one: register and log differ"]


def test_the_register_is_put_right_when_somebody_changes_it_past_the_file(house: House) -> None:
    files = ProjectFiles(house)
    files.look()
    people = [Person("analyst.one", frozenset({"analyst.one"}), frozenset({Role.ANALYST}))]
    house.register.enrol(people, "steward.one")
    files.look()
    assert members(house) == BOTH


def test_other_projects_and_conflicts_stay_the_registers(house: House) -> None:
    projects, conflicts = frozenset({PROJECT, "advice-17-17-2017"}), frozenset({"advice-17-17-2018"})
    person = Person("analyst.one", frozenset({"analyst.one"}), frozenset({Role.ANALYST}), projects, conflicts)
    house.register.enrol([person], "steward.one")
    edit(house, "analyst: [analyst.one]", "analyst: []")
    ProjectFiles(house).look()
    found = house.register.person("analyst.one")
    assert (found.projects, found.conflicts) == (frozenset({"advice-17-17-2017"}), conflicts)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[analyst.one]", "[analyst.one, nobody.here]", "PROJECT_ACCOUNT"),
        ("[analyst.one]", "[checker.one]", "PROJECT_ROLE"),
        ("year: 2016", "year: 2017", "PROJECT_NAME"),
        ("analyst: [analyst.one]", "analyst: [analyst.one", "YAML_SYNTAX"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing_and_says_why(house: House, old: str, new: str, code: str) -> None:
    files = ProjectFiles(house)
    files.look()
    edit(house, old, new)
    for _ in range(3):
        settle(files)
    assert members(house) == BOTH
    (refused,) = entries(house, LogAction.PROJECT_FILE_REFUSED)
    assert (refused.subject, refused.details["code"]) == (PROJECT, code)
    (line,) = files.lines()
    assert line.startswith(f"projects/{PROJECT}.yaml: changes nothing: {code}: ")
    shutil.copyfile(POLICIES / "projects" / file_of(house).name, file_of(house))
    settle(files)
    assert files.lines() == [f"projects/{PROJECT}.yaml: decides who is on the project"]


def test_whoever_gets_the_role_later_comes_without_a_change_of_the_file(house: House) -> None:
    edit(house, "[analyst.one]", "[analyst.one, late.one]")
    files = ProjectFiles(house)
    files.look()
    assert "PROJECT_ACCOUNT" in files.lines()[0]
    house.register.enrol([Person("late.one", frozenset({"late.one"}), frozenset({Role.ANALYST}))], "steward.one")
    files.look()
    assert members(house) == BOTH | {"late.one"}


def test_a_policy_that_is_not_there_is_named(house: House) -> None:
    text = file_of(house).read_text(encoding="utf-8").replace("advice-17-17", "advice-99-99")
    (house.settings.policies / "projects" / "advice-99-99-2016.yaml").write_text(text, encoding="utf-8")
    files = ProjectFiles(house)
    files.look()
    assert "FILE_MISSING" in files.lines()[1]


def test_a_half_written_file_does_not_count(house: House) -> None:
    files = ProjectFiles(house)
    files.look()
    whole = file_of(house).read_text(encoding="utf-8")
    file_of(house).write_text(whole.replace("  analyst: [analyst.one]\n", ""), encoding="utf-8")
    files.look()
    file_of(house).write_text(whole, encoding="utf-8")
    settle(files)
    assert members(house) == BOTH
    assert entries(house, LogAction.MEMBERS_CHANGED) == []


def test_a_file_that_is_taken_away_leaves_its_members_and_says_so(house: House) -> None:
    files = ProjectFiles(house)
    files.look()
    away = file_of(house).rename(house.settings.root / "away.yaml")
    settle(files)
    assert members(house) == BOTH
    assert "PROJECT_FILE_GONE" in files.lines()[0]
    assert [e.details["code"] for e in entries(house, LogAction.PROJECT_FILE_REFUSED)] == ["PROJECT_FILE_GONE"]
    away.rename(file_of(house))
    settle(files)
    assert files.lines() == [f"projects/{PROJECT}.yaml: decides who is on the project"]


def test_a_file_that_everybody_may_write_and_a_link_are_refused(house: House) -> None:
    path = file_of(house)
    edit(house, "analyst: [analyst.one]", "analyst: []")
    path.chmod(0o666)
    files = ProjectFiles(house)
    files.look()
    assert "PROJECT_FILE_OPEN" in files.lines()[0]
    path.chmod(0o644)
    path.rename(house.settings.root / "elsewhere.yaml")
    path.symlink_to(house.settings.root / "elsewhere.yaml")
    settle(files)
    assert "PROJECT_FILE" in files.lines()[0]
    assert members(house) == BOTH


def test_a_file_that_cannot_be_read_is_a_sentence(house: House) -> None:
    file_of(house).write_bytes(b"\xff\xfe")
    files = ProjectFiles(house)
    files.look()
    assert "cannot be read as UTF-8" in files.lines()[0]
    os.mkfifo(house.settings.policies / "projects" / "pipe.yaml")
    settle(files)
    assert "PROJECT_FILE_OPEN" in files.lines()[1]
