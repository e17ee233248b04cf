"""Opening the book, its locks, and what it does when the disk or the store says no."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from enclave.errors import EnclaveBug, IntegrityError, PermissionDenied, RequestError, SetupError
from enclave.gateway.log_entry import LogAction, LogDraft
from enclave.gateway.permissions import Person, Role
from enclave.gateway.request import RequestState
from enclave.gateway.review import Decision
from enclave.ledger.book import FILE, Book
from enclave.ledger.lock import hold_lock
from enclave.ledger.signing import SigningKey
from tests.lib.gateway_house import House, TickingClock, new_house, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    yield built
    built.close()


def reopened(house: House) -> House:
    house.close()
    return open_house(house.root)


def test_what_was_stored_is_there_after_a_restart(house: House) -> None:
    request = house.approved()
    again = reopened(house)
    with again.book.view() as view:
        assert view.request(request.id) == request
        assert len(view.votes(request.id)) == 2
        assert view.history() == ()
    again.close()


def test_every_statement_is_durable_and_checked(house: House) -> None:
    with house.book.connection() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}


def test_a_failed_transaction_leaves_nothing(house: House) -> None:
    request = house.prepared()
    head = house.book.log_head()
    draft = LogDraft("kim", LogAction.RETURNED, request.id, {"turn": 1, "state": "returned"})

    def fail_half_way() -> None:
        with house.book.transaction() as tx:
            tx.move(replace(request, state=RequestState.RETURNED), draft)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    assert house.book.log_head() == head
    assert house.gateway.status(request.id, "kim").state is RequestState.SUBMITTED


def test_what_the_store_refuses_is_a_bug_of_ours_without_values(house: House) -> None:
    request = house.prepared()
    draft = LogDraft("ann", LogAction.SUBMITTED, request.id, {"turn": 1, "state": "approved"})
    with (
        pytest.raises(EnclaveBug, match=r"STORE_REFUSED.*REQUEST_TRANSITION") as refusal,
        house.book.transaction() as tx,
    ):
        tx.move(replace(request, state=RequestState.APPROVED), draft)
    assert "made-up" not in str(refusal.value.__cause__)
    assert house.fsck() == []


def damage(house: House, statement: str) -> None:
    house.close()
    connection = sqlite3.connect(house.root / FILE)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER votes_insert",
        "CREATE TRIGGER log_more AFTER INSERT ON log BEGIN SELECT 1; END",
        "CREATE TABLE more (x)",
        "CREATE INDEX more ON votes (person)",
        "ALTER TABLE votes ADD COLUMN more TEXT",
    ],
)
def test_a_book_with_other_tables_or_guards_is_not_opened(house: House, statement: str) -> None:
    damage(house, statement)
    with pytest.raises(IntegrityError, match="BOOK_SCHEMA"):
        open_house(house.root)


def test_a_log_whose_end_was_changed_is_not_opened(house: House) -> None:
    house.close()
    connection = sqlite3.connect(house.root / FILE)
    trigger = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'log_update'").fetchone()[0]
    connection.execute("DROP TRIGGER log_update")
    connection.execute("UPDATE log SET entry = replace(entry, 'stef', 'otto') WHERE seq = (SELECT max(seq) FROM log)")
    connection.execute(trigger)
    connection.commit()
    connection.close()
    with pytest.raises(IntegrityError, match="LOG_DAMAGED"):
        open_house(house.root)


def test_a_book_of_another_key_is_not_opened(house: House) -> None:
    other = SigningKey.create(house.root / "other.key")
    with pytest.raises(IntegrityError, match="SIGNATURE_INVALID"):
        Book.open(house.root, other, clock=TickingClock(), lock_wait_s=1)


@pytest.mark.parametrize(("start", "length"), [(0, 16), (4096, 8192), (100, 3000)])
def test_a_damaged_file_is_not_opened(house: House, start: int, length: int) -> None:
    house.close()
    path = house.root / FILE
    data = bytearray(path.read_bytes())
    data[start : start + length] = b"\xff" * length
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="BOOK_DAMAGED"):
        open_house(house.root)


def test_rows_that_refer_to_nothing_are_seen(house: House) -> None:
    damage(house, "INSERT INTO accounts VALUES ('ghost', 'nobody')")
    with pytest.raises(IntegrityError, match="BOOK_DAMAGED"):
        open_house(house.root)


def begun(folder: Path) -> Book:
    return Book.create(folder, SigningKey.load(folder / "log.key"), clock=TickingClock(), lock_wait_s=1)


def test_a_book_is_never_begun_by_mistake(house: House, tmp_path: Path) -> None:
    """A lost book must be noticed: an empty one in its place would forget all releases."""
    with pytest.raises(SetupError, match="BOOK_MISSING"):
        Book.open(tmp_path, house.release_key, clock=TickingClock(), lock_wait_s=1)
    (tmp_path / FILE).touch()
    with pytest.raises(SetupError, match="BOOK_MISSING"):
        Book.open(tmp_path, house.release_key, clock=TickingClock(), lock_wait_s=1)
    with pytest.raises(SetupError, match="BOOK_EXISTS"):
        begun(house.root)
    with pytest.raises(SetupError, match="BOOK_UNAVAILABLE"):
        Book.create(tmp_path / "nowhere", house.release_key, clock=TickingClock(), lock_wait_s=1)


def test_an_interrupted_making_is_repeated(tmp_path: Path) -> None:
    SigningKey.create(tmp_path / "log.key")
    (tmp_path / FILE).touch()
    book = begun(tmp_path)
    assert book.log_head() is None
    book.close()


def test_the_release_lock_is_for_one(tmp_path: Path) -> None:
    with (
        hold_lock(tmp_path / "lock", 0),
        pytest.raises(RequestError, match="RELEASE_BUSY"),
        hold_lock(tmp_path / "lock", 0.1),
    ):
        pass
    with hold_lock(tmp_path / "lock", 0):
        pass


def test_views_do_not_stop_writers(house: House) -> None:
    request = house.prepared()
    with house.book.view() as view:
        before = view.request(request.id)
        house.gateway.vote(request.id, "kim", Decision.APPROVE)
        assert view.request(request.id) == before
    assert house.gateway.status(request.id, "kim").state is RequestState.PARTIALLY_REVIEWED


def test_two_jointly_unsafe_requests_released_at_the_same_moment(house: House) -> None:
    """Each alone is safe; together they show a group of three. One goes out, the other goes back."""
    pair = [house.approved({"a+b": 30}), house.approved({"a+b+c": 33})]
    others = [open_house(house.root) for _ in pair]
    gate = threading.Barrier(len(pair))
    states = []

    def release(other: House, request_id: str) -> None:
        gate.wait()
        states.append(other.gateway.release(request_id, "otto").request.state)

    threads = [
        threading.Thread(target=release, args=(other, request.id)) for other, request in zip(others, pair, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(states) == [RequestState.RELEASED, RequestState.SUBMITTED]
    assert house.fsck() == []
    for other in others:
        other.close()


def test_people_are_stored_as_given_and_logged(house: House) -> None:
    changed = Person(
        "kim", frozenset({"kim"}), frozenset({Role.STEWARD, Role.AUDITOR}), frozenset({"p"}), frozenset({"q"})
    )
    head = house.book.log_head()
    house.register.enrol([changed], "stef")
    assert house.register.person("kim") == house.register.by_account("kim") == changed
    assert house.book.log_head() != head


def test_either_all_are_enrolled_or_none(house: House) -> None:
    with pytest.raises(RequestError, match="ACCOUNT_TAKEN"):
        house.register.enrol([Person("new"), Person("newer", frozenset({"ann"}))], "stef")
    with pytest.raises(PermissionDenied, match="UNKNOWN_PERSON"):
        house.register.person("new")
    assert "new" not in {entry["subject"] for entry in entries(house)}


def entries(house: House) -> list[dict[str, str]]:
    with house.book.connection(reading=True) as connection:
        return [json.loads(data) for data, _ in house.book.audit.lines(connection)]
