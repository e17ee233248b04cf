"""The audit log: chain, heads, anchor, dump, and the stand-alone verifier."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.errors import IntegrityError, SetupError
from enclave.gateway.canonical import NO_HEAD, sha256
from enclave.gateway.log_entry import LogAction, LogDraft
from enclave.gateway.review import Decision
from enclave.ledger import verify_log as stand_alone
from enclave.ledger.audit_log import SignedHead, read_anchor, write_anchor
from enclave.ledger.signing import SigningKey
from tests.lib.gateway_house import House, new_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = new_house(tmp_path / "house")
    yield built
    built.close()


def head_of(house: House) -> SignedHead:
    head = house.book.log_head()
    assert head is not None
    return head


def test_entries_are_canonical_and_chained(house: House, tmp_path: Path) -> None:
    house.book.dump_log(tmp_path / "log.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["entry"]["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["entry"]["previous"] for line in lines] == [NO_HEAD, *(line["head"] for line in lines[:-1])]
    first = lines[0]["entry"]
    assert (first["actor"], first["action"], first["subject"]) == ("stef", "person_enrolled", "ann")
    assert first["at"].endswith("Z")


def test_the_log_verifies_against_its_anchor(house: House, tmp_path: Path) -> None:
    write_anchor(tmp_path / "anchor.json", head_of(house))
    house.book.record(LogDraft("aude", LogAction.LOG_READ, "log", {"account": "aude"}))
    assert house.book.verify_log(read_anchor(tmp_path / "anchor.json")) == []


def test_an_anchor_moves_forward_only(house: House, tmp_path: Path) -> None:
    old = head_of(house)
    house.book.record(LogDraft("aude", LogAction.LOG_READ, "log"))
    write_anchor(tmp_path / "anchor.json", head_of(house))
    with pytest.raises(IntegrityError, match="ANCHOR_NEWER"):
        write_anchor(tmp_path / "anchor.json", old)
    assert read_anchor(tmp_path / "anchor.json") == head_of(house)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"seq":1,"head":"x","signature":"zz"}', b"\xff"])
def test_what_is_no_anchor_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "anchor.json").write_bytes(content)
    with pytest.raises(SetupError, match="ANCHOR_UNREADABLE"):
        read_anchor(tmp_path / "anchor.json")


def test_a_dump_never_replaces_a_file(house: House, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("kept")
    with pytest.raises(SetupError, match="FILE_NOT_MADE"):
        house.book.dump_log(tmp_path / "log.jsonl")


def run_verifier(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier as its receiver does: without the enclave on the path."""
    command = [sys.executable, "-I", str(Path(stand_alone.__file__)), str(folder / "log.jsonl"), "--key"]
    return subprocess.run([*command, str(folder / "log.pem"), *options], capture_output=True, text=True, check=False)


def test_the_verifier_stands_alone(house: House, tmp_path: Path) -> None:
    house.book.dump_log(tmp_path / "log.jsonl")
    (tmp_path / "log.pem").write_bytes(SigningKey.load(house.root / "log.key").public_pem)
    write_anchor(tmp_path / "anchor.json", head_of(house))
    verified = run_verifier(tmp_path, "--anchor", str(tmp_path / "anchor.json"))
    assert (verified.returncode, verified.stdout) == (0, "the log verifies\n")
    assert "without --anchor" in run_verifier(tmp_path).stdout
    lines = (tmp_path / "log.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_bytes(b"".join(lines[:-1]))
    cut = run_verifier(tmp_path, "--anchor", str(tmp_path / "anchor.json"))
    assert cut.returncode == 1
    assert "entries are missing at its end" in cut.stdout
    assert "Traceback" not in cut.stderr


def test_the_verifier_is_short() -> None:
    assert len(Path(stand_alone.__file__).read_text().splitlines()) < 150


def test_another_key_is_refused(house: House, tmp_path: Path) -> None:
    house.book.dump_log(tmp_path / "log.jsonl")
    other = SigningKey.create(tmp_path / "other.key")
    problems = stand_alone.verify_file((tmp_path / "log.jsonl").read_bytes(), other.public_pem, None)
    assert len(problems) == len((tmp_path / "log.jsonl").read_bytes().splitlines())
    assert "signature of entry 1 is wrong" in problems[0]


def test_a_log_signed_anew_is_shown_by_the_anchor(house: House, tmp_path: Path) -> None:
    """Whoever holds the key can write another log; but not one that ends in a head kept elsewhere."""
    anchor = head_of(house)
    key = SigningKey.load(house.root / "log.key")
    entries, heads, previous = [], [], NO_HEAD
    for seq in range(1, anchor.seq + 1):
        entry = {"seq": seq, "at": "", "actor": "x", "action": "x", "subject": "x", "details": {}, "previous": previous}
        entries.append(stand_alone.canonical(entry))
        previous = sha256(entries[-1])
        heads.append(SignedHead(seq, previous, key.sign(stand_alone.to_sign(seq, previous))))
    assert stand_alone.verify_log(entries, heads, key.public_pem, None) == []
    assert "the log was rewritten" in stand_alone.verify_log(entries, heads, key.public_pem, anchor)[0]


def test_nothing_hidden_is_logged(house: House, tmp_path: Path) -> None:
    """Counts, titles, purposes and comments never reach the log."""
    request = house.prepared({"a": 731_731, "b": None})
    house.gateway.return_(request.id, "kim", "the cell of 737373 looks odd")
    house.gateway.submit(request.id, "ann")
    for account in ("kim", "lou"):
        house.gateway.vote(request.id, account, Decision.APPROVE, "747474 is fine")
    house.gateway.release(request.id, "otto")
    house.book.dump_log(tmp_path / "log.jsonl")
    text = (tmp_path / "log.jsonl").read_text()
    for canary in ("731731", "737373", "747474", "groups", "made-up question"):
        assert canary not in text
