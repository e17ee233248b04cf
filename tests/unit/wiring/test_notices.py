"""Notices of hub, launcher, front and supervisor: each becomes one entry of the audit log, in its part's name only."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.gateway.log_entry import PARTS, LogAction
from enclave.gateway.permissions import Person, Role
from enclave.ledger import log_reading
from enclave.ledger.log_reading import LogEntry, LogFilter
from enclave.sandbox.notices import Event, Notices, Once
from enclave.wiring.house import House, make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file
from enclave.wiring.notices import AT_ONCE, MAY_SAY, MOST_BYTES, NoticeDesk
from tests.lib.workbench import ROOT

PROJECT = "advice-17-17-2016"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    make_house(tmp_path / "house", synthetic=True, protect=by_new_key_file(tmp_path / "medium"))
    with open_house(tmp_path / "house") as opened:
        people = [Person("ann", frozenset({"ann"}), frozenset({Role.ANALYST}), frozenset({PROJECT}))]
        opened.register.enrol(people, "steward.one")
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in PARTS:
        (tmp_path / "notices" / part).mkdir(parents=True)
    return tmp_path / "notices"


def entries(house: House, *actions: LogAction) -> list[LogEntry]:
    with house.book.connection(reading=True) as connection:
        found = log_reading.newest(connection, LogFilter(), before=None, limit=500)
    noted = {*(action for words in MAY_SAY.values() for action in words), LogAction.NOTICE_REFUSED}
    return [entry for entry in reversed(found) if entry.action in (actions or noted)]


def refusals(house: House, folder: Path) -> list[str]:
    """Take in, and return the codes of what was refused; nothing else may have come in."""
    NoticeDesk(house, folder).look()
    found = entries(house)
    assert {entry.action for entry in found} <= {LogAction.NOTICE_REFUSED}
    assert {entry.actor for entry in found} <= {"system"}
    return [entry.details["code"] for entry in found]


def put(folder: Path, said: object, name: str = f"{1:020d}-{'a' * 16}.json") -> Path:
    path = folder / name
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return path


def notice(event: str = "logged_in", **changes: object) -> dict[str, object]:
    return {"format": "notice/1", "at": "2026-11-24T10:00:00.000Z", "event": event, "details": {}} | changes


def test_every_part_has_its_words_and_every_event_is_an_action_of_the_log() -> None:
    assert set(MAY_SAY) == set(PARTS)
    said = {action.value for words in MAY_SAY.values() for action in words}
    assert {event.value for event in Event} | {"connection_refused"} == said


def test_a_notice_becomes_an_entry_in_its_parts_name_and_is_removed(house: House, folder: Path) -> None:
    Notices(folder / "hub").write(Event.LOG_IN_REFUSED, account="ann", code="WRONG_PASSWORD")
    Notices(folder / "launcher").write(Event.SERVER_STARTED, account="ann", project=PROJECT)
    NoticeDesk(house, folder).look()
    refused, started = entries(house)
    assert (refused.actor, refused.action, refused.subject) == ("hub", "log_in_refused", "ann")
    assert refused.details["code"] == "WRONG_PASSWORD"
    assert (started.actor, started.action, started.subject) == ("launcher", "server_started", PROJECT)
    assert started.details["account"] == "ann"
    assert [path for part in folder.iterdir() for path in part.iterdir()] == []
    assert house.book.verify_log(None) == []


def test_a_locked_vault_stops_no_entry(house: House, folder: Path) -> None:
    assert house.locked
    Notices(folder / "supervisor").write(Event.WORKBENCH_REFUSED, code="PORT_IN_USE")
    NoticeDesk(house, folder).look()
    assert [entry.details["code"] for entry in entries(house)] == ["PORT_IN_USE"]


def test_a_word_that_is_nobodys_account_does_not_reach_the_log(house: House, folder: Path) -> None:
    Notices(folder / "hub").write(Event.LOG_IN_REFUSED, account="my-secret-password", code="WRONG_PASSWORD")
    NoticeDesk(house, folder).look()
    (entry,) = entries(house)
    assert "account" not in entry.details
    assert "secret" not in repr(entry)


def test_notices_that_were_taken_in_but_not_removed_make_no_second_entry(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Notices(folder / "hub").write(Event.LOGGED_IN, account="ann")
    with monkeypatch.context() as patched:
        patched.setattr("enclave.wiring.notices.NoticeDesk._remove", lambda _desk, _path: None)
        desk = NoticeDesk(house, folder)
        desk.look()
        desk.look()
    assert len(entries(house)) == 1
    NoticeDesk(house, folder).look()
    assert len(entries(house)) == 1
    assert list((folder / "hub").iterdir()) == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (notice("request_released"), "NOTICE_NOT_ITS_OWN"),
        (notice("server_started"), "NOTICE_NOT_ITS_OWN"),
        (notice("workbench_started"), "NOTICE_NOT_ITS_OWN"),
        (notice("nonsense"), "NOTICE_FORM"),
        (notice(actor="ann"), "NOTICE_FORM"),
        (notice(details={"actor": "ann"}), "NOTICE_FORM"),
        (notice(details={"project": PROJECT}), "NOTICE_FORM"),
        (notice("log_in_refused", details={"code": "a sentence"}), "NOTICE_FORM"),
        (notice("log_in_refused", details={"code": 5}), "NOTICE_FORM"),
        (notice("log_in_refused", details={"code": "CODE", "notice": "x"}), "NOTICE_FORM"),
        (notice(at="yesterday"), "NOTICE_FORM"),
        (notice(format="notice/2"), "NOTICE_FORM"),
        ([], "NOTICE_FORM"),
        ("", "NOTICE_FORM"),
        ("[" * 4000, "NOTICE_FORM"),
        ("x" * (MOST_BYTES + 1), "NOTICE_FILE"),
    ],
)
def test_a_notice_that_the_hub_may_not_write_is_refused_and_logged(
    house: House, folder: Path, said: object, code: str
) -> None:
    put(folder / "hub", said)
    if isinstance(said, dict) and said["details"] == {"code": "CODE", "notice": "x"}:
        NoticeDesk(house, folder).look()  # the name of the file counts, whatever it says of itself
        assert entries(house)[0].details["notice"] == f"{1:020d}-{'a' * 16}"
    else:
        assert refusals(house, folder) == [code]
    assert list((folder / "hub").iterdir()) == []


@pytest.mark.parametrize("name", ["x.json", f"{1:020d}-{'a' * 16}", f"{1:020d}-{'A' * 16}.json", "a b"])
def test_a_file_of_another_name_is_refused(house: House, folder: Path, name: str) -> None:
    put(folder / "hub", notice(), name)
    assert refusals(house, folder) == ["NOTICE_NAME"]


def test_links_pipes_and_folders_are_refused_once(house: House, folder: Path, tmp_path: Path) -> None:
    names = [folder / "hub" / f"{number:020d}-{'a' * 16}.json" for number in range(3)]
    names[0].symlink_to(put(tmp_path, notice()))
    os.mkfifo(names[1])
    names[2].mkdir()
    desk = NoticeDesk(house, folder)
    desk.look()
    desk.look()
    assert [entry.details["code"] for entry in entries(house)] == ["NOTICE_FILE"] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="without root every file is the present user's")
def test_a_file_of_another_user_in_a_parts_folder_is_refused(house: House, folder: Path) -> None:
    os.chown(folder / "hub", 12345, -1)
    put(folder / "hub", notice())
    assert refusals(house, folder) == ["NOTICE_FILE"]


def test_a_flood_is_taken_in_bit_by_bit_and_none_is_lost(house: House, folder: Path) -> None:
    for _ in range(AT_ONCE + 5):
        Notices(folder / "hub").write(Event.LOGGED_IN, account="ann")
    desk = NoticeDesk(house, folder)
    desk.look()
    assert len(entries(house)) == AT_ONCE
    desk.look()
    assert len(entries(house)) == AT_ONCE + 5


def test_what_is_being_written_is_left_alone(house: House, folder: Path) -> None:
    half = put(folder / "hub", '{"format": "not', f".{1:020d}-{'a' * 16}.json.new")
    NoticeDesk(house, folder).look()
    assert half.exists()
    assert entries(house) == []


def test_a_book_that_cannot_be_written_loses_no_notice(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise SetupError("BOOK_UNAVAILABLE", "the disk is full")

    Notices(folder / "hub").write(Event.LOGGED_IN, account="ann")
    desk = NoticeDesk(house, folder)
    with monkeypatch.context() as patched:
        patched.setattr(house.book.audit, "append", failing)
        with pytest.raises(SetupError):
            desk.look()
    assert len(list((folder / "hub").iterdir())) == 1
    desk.look()
    assert len(entries(house)) == 1


def test_a_kill_at_every_step_of_taking_in_leaves_exactly_one_entry(tmp_path: Path) -> None:
    """SIGKILL in a process of its own before the append, between append and removal, and after the removal."""
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom enclave.wiring import notices\n"
        "from enclave.wiring.house import open_house\n"
        "class Killed(notices.NoticeDesk):\n"
        "    def {step}(self, *args):\n"
        "        {before}\n"
        "        super().{step}(*args)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "with open_house(Path(sys.argv[1])) as house:\n"
        "    Killed(house, Path(sys.argv[2])).look()\n"
    )
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    make_house(tmp_path / "made", synthetic=True, protect=by_new_key_file(tmp_path / "medium"))
    for at, (step, before) in enumerate((("_append", kill), ("_append", ""), ("_remove", kill), ("_remove", ""))):
        root, folder = tmp_path / f"house-{at}", tmp_path / f"notices-{at}"
        shutil.copytree(tmp_path / "made", root)
        (folder / "supervisor").mkdir(parents=True)
        Notices(folder / "supervisor").write(Event.WORKBENCH_REFUSED, code="PORT_IN_USE")
        code = program.format(step=step, before=before or "pass")
        line = [sys.executable, "-c", code, str(root), str(folder)]
        assert subprocess.run(line, cwd=ROOT, check=False).returncode == -9
        with open_house(root) as house:
            NoticeDesk(house, folder).look()
            assert [entry.details["code"] for entry in entries(house)] == ["PORT_IN_USE"], (step, before)
            assert house.book.verify_log(None) == []
        assert list((folder / "supervisor").iterdir()) == []


def test_a_part_that_cannot_note_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SetupError) as refusal:
        Notices(tmp_path / "nowhere").write(Event.LOGGED_IN, account="ann")
    assert refusal.value.code == "NOTICE"
    Notices(tmp_path / "nowhere").write_if_possible(Event.LOGGED_OUT, account="ann")
    assert "NOTICE" in caplog.text


def test_a_notice_is_there_whole_and_its_reader_may_be_another_user(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        Notices(tmp_path).write(Event.LOGGED_IN, account="ann")
    finally:
        os.umask(before)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_same_again_is_no_news_until_a_pause_is_over() -> None:
    moment = [0.0]
    once = Once(60.0, lambda: moment[0])
    assert [once.is_news("a"), once.is_news("a"), once.is_news("b")] == [True, False, True]
    moment[0] = 60.0
    assert once.is_news("a")


def test_memory_of_what_was_told_is_bounded() -> None:
    once = Once(60.0, lambda: 0.0)
    for number in range(Once.MOST + 1):
        assert once.is_news(str(number))
    assert once.is_news("0")
    assert not once.is_news(str(Once.MOST))


@pytest.mark.parametrize("part", PARTS)
def test_no_person_can_have_the_id_of_a_part(part: str) -> None:
    with pytest.raises(Exception, match="NAME_RESERVED"):
        Person(part)
