"""fsck sees every way in which outbox, log and state can differ."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enclave.gateway.log_entry import LogAction, LogDraft
from enclave.gateway.request import Stage
from enclave.gateway.review import Decision
from enclave.ledger.book import FILE
from enclave.ledger.fsck import fsck
from enclave.ledger.signing import SigningKey
from enclave.ledger.triggers import trigger_statements
from tests.lib.gateway_house import House, new_house

RELEASE = "project-a-r1-t1"
REQUEST = "request project-a-r1: book and log differ"
VOTE = "vote of lou on project-a-r1: book and log differ"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    built.gateway.release(built.approved().id, "otto")
    built.gateway.vote(built.prepared().id, "kim", Decision.APPROVE)
    yield built
    built.close()


def folder(house: House) -> Path:
    path = house.root / "outside" / RELEASE
    path.chmod(0o700)
    return path


def rewrite(house: House, *statements: str) -> None:
    """Change the store as an operator could who takes the guards away and puts them back."""
    connection = sqlite3.connect(house.root / FILE)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    for statement in (*(f"DROP TRIGGER {name}" for name in names), *statements, *trigger_statements()):
        connection.execute(statement)
    connection.commit()
    connection.close()


def add_file(house: House) -> None:
    (folder(house) / "more.txt").write_text("x")


def lose_file(house: House) -> None:
    (folder(house) / "README.txt").unlink()


def change_file(house: House) -> None:
    (folder(house) / "README.txt").chmod(0o600)
    (folder(house) / "README.txt").write_text("x")


def lose_release(house: House) -> None:
    folder(house).rename(house.root / "gone")


def double_release(house: House) -> None:
    (house.root / "inside" / "again").mkdir()


def leave_half(house: House) -> None:
    (house.root / "outside" / f".{RELEASE}.unfinished").mkdir()


def changed(statement: str) -> Callable[[House], None]:
    return lambda house: rewrite(house, statement)


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (add_file, f"release {RELEASE}: more.txt is missing, added or changed"),
        (lose_file, f"release {RELEASE}: README.txt is missing, added or changed"),
        (change_file, f"release {RELEASE}: README.txt is missing, added or changed"),
        (lose_release, f"release {RELEASE}: decided, but not in the outbox"),
        (double_release, "outbox inside: again was never decided"),
        (leave_half, f"outbox outside: .{RELEASE}.unfinished was never decided"),
        (changed("UPDATE requests SET state = 'revoked' WHERE id = 'project-a-r1'"), REQUEST),
        (changed("UPDATE requests SET turn = 2 WHERE id = 'project-a-r1'"), REQUEST),
        (changed(f"UPDATE requests SET pattern = '{'0' * 64}' WHERE id = 'project-a-r1'"), REQUEST),
        (changed("INSERT INTO roles VALUES ('ann', 'output_checker')"), "person ann: register and log differ"),
        (changed("DELETE FROM memberships WHERE person = 'mia'"), "person mia: register and log differ"),
        (changed("DELETE FROM conflicts"), "person nora: register and log differ"),
        (changed("UPDATE persons SET trained_until = '2031-01-01' WHERE id = 'olaf'"), "person olaf: register and"),
        (changed("INSERT INTO accounts VALUES ('max.2', 'ann')"), "person ann: register and log differ"),
        (changed("UPDATE votes SET person = 'max' WHERE person = 'lou'"), VOTE),
        (changed("UPDATE votes SET binding = 'x' WHERE person = 'lou'"), VOTE),
        (changed("DELETE FROM votes WHERE person = 'lou'"), VOTE),
        (changed("DELETE FROM history"), f"release {RELEASE}: history and log differ"),
        (changed("UPDATE history SET population = 'other'"), "history entry 1 was changed or does not follow"),
        (changed("UPDATE intents SET done = NULL"), f"release {RELEASE}: decided, but not logged as published once"),
        (changed("UPDATE intents SET signature = x'00'"), f"release {RELEASE}: the signature of the manifest is wrong"),
        (
            changed("UPDATE intents SET manifest = CAST(replace(manifest, 'created', 'Created') AS BLOB)"),
            f"release {RELEASE}: the manifest is not the one that the log names",
        ),
        (changed("UPDATE log SET entry = replace(entry, 'lou', 'max')"), "log: entry"),
        (changed("DELETE FROM log WHERE seq = 5"), "log: entry 5 does not follow"),
    ],
)
def test_harm_is_seen(house: House, harm: Callable[[House], None], problem: str) -> None:
    assert house.fsck() == []
    harm(house)
    assert any(found.startswith(problem) for found in house.fsck()), house.fsck()


@pytest.mark.parametrize(
    ("subject", "state", "problem"),
    [
        ("project-a-r1", "submitted", "request project-a-r1 cannot become submitted from released"),
        ("project-a-r9", "approved", "request project-a-r9 does not begin pending"),
    ],
)
def test_a_story_that_cannot_be_is_seen(house: House, subject: str, state: str, problem: str) -> None:
    """Whoever holds the key of the log can write what never happened; it has to fit, though."""
    house.book.record(LogDraft("otto", LogAction.SENT_BACK, subject, {"state": state, "turn": 1}))
    assert any(problem in found for found in house.fsck())


def test_a_cut_log_is_seen_with_an_anchor(house: House) -> None:
    anchor = house.book.log_head()
    rewrite(
        house,
        "DELETE FROM votes WHERE logged = (SELECT max(seq) FROM log)",
        "UPDATE requests SET state = 'submitted', logged = logged - 1 WHERE logged = (SELECT max(seq) FROM log)",
        "DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)",
    )
    assert house.fsck() == [], "a consistent older copy looks well"
    found = fsck(house.book, house.outboxes.folders, house.release_key.public_pem, anchor)
    assert found == [
        f"log: the log ends before entry {anchor.seq if anchor else 0} of the anchor: entries are missing at its end"
    ]


def test_a_release_under_another_key_is_seen(house: House) -> None:
    other = SigningKey.create(house.root / "other.key")
    found = fsck(house.book, {stage: house.root / stage for stage in Stage}, other.public_pem)
    assert found == [f"release {RELEASE}: the signature of the manifest is wrong"]
