"""The audit log: chain, heads, anchor, dump, and the stand-alone verifier."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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


@pytest.mark.parametrize("with_anchor", [True, False])
def test_the_command_line_of_the_verifier(
    house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    with_anchor: bool,
) -> None:
    house.book.dump_log(tmp_path / "log.jsonl")
    (tmp_path / "log.pem").write_bytes(SigningKey.load(house.root / "log.key").public_pem)
    write_anchor(tmp_path / "anchor.json", head_of(house))
    options = ["--anchor", str(tmp_path / "anchor.json")] if with_anchor else []
    monkeypatch.setattr(
        sys, "argv", ["verify_log", str(tmp_path / "log.jsonl"), "--key", str(tmp_path / "log.pem"), *options]
    )
    assert stand_alone.main() == 0
    assert ("without --anchor" in capsys.readouterr().out) is not with_anchor
    (tmp_path / "log.jsonl").write_bytes(b"")
    assert stand_alone.main() == 1
    assert capsys.readouterr().out == "PROBLEM the file is empty or does not end with a whole line\n"


def test_odd_logs_keys_and_anchors_are_problems_not_crashes(house: House, tmp_path: Path) -> None:
    house.book.dump_log(tmp_path / "log.jsonl")
    log, key = (tmp_path / "log.jsonl").read_bytes(), SigningKey.load(house.root / "log.key").public_pem
    rsa = generate_private_key(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for odd in (b"\n", b"null\n", b"[" * 100_000 + b"\n", b'{"entry":1,"head":"","signature":""}\n', b"\xff\n"):
        assert stand_alone.verify_file(odd, key, None)
    assert stand_alone.verify_file(log.replace(b",", b", ", 1), key, None)
    assert stand_alone.verify_file(log, key, head_of(house).to_bytes().strip())
    for odd in (b"", b"no key", rsa):
        assert stand_alone.verify_file(log, odd, None)
    for odd in (b"", b"{}", b"null\n"):
        assert stand_alone.verify_file(log, key, odd)
    assert stand_alone.verify_log([b"[1]"], [SignedHead(1, "", b"")], key, None) == ["entry 1 is not well-formed"]
    assert stand_alone.verify_log([b"x"], [SignedHead(1, "", b"")], key, None) == ["entry 1 is not well-formed"]
    assert stand_alone.verify_log([b"x"], [], key, None) == ["there is not one head for each entry"]


def test_the_verifier_is_short() -> None:
    assert len(Path(stand_alone.__file__).read_text().splitlines()) < 150


def test_another_key_is_refused(house: House, tmp_path: Path) -> None:
    house.book.dump_log(tmp_path / "log.jsonl")
    other = SigningKey.create(tmp_path / "other.key")
    problems = stand_alone.verify_file((tmp_path / "log.jsonl").read_bytes(), other.public_pem, None)
    assert len(problems) == len((tmp_path / "log.jsonl").read_bytes().splitlines())
    assert "signature of entry 1 is wrong" in problems[0]


Chain = tuple[list[bytes], list[SignedHead]]


def signed_chain(key: SigningKey, length: int, *, actor: str = "x", first: int = 1, begin: str = NO_HEAD) -> Chain:
    """Write a log as whoever holds the key can."""
    entries, heads, previous = [], [], begin
    for seq in range(first, first + length):
        facts = {
            "seq": seq,
            "at": "",
            "actor": actor,
            "action": "x",
            "subject": "x",
            "details": {},
            "previous": previous,
        }
        entries.append(stand_alone.canonical(facts))
        previous = sha256(entries[-1])
        heads.append(SignedHead(seq, previous, key.sign(stand_alone.to_sign(seq, previous))))
    return entries, heads


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.create(tmp_path / "chain.key")


def test_a_log_signed_anew_is_shown_by_the_anchor(key: SigningKey) -> None:
    """Whoever holds the key can write another log; but not one that ends in a head kept elsewhere."""
    _, kept = signed_chain(key, 3)
    entries, heads = signed_chain(key, 3, actor="y")
    assert stand_alone.verify_log(entries, heads, key.public_pem, None) == []
    assert "the log was rewritten" in stand_alone.verify_log(entries, heads, key.public_pem, kept[-1])[0]


def test_two_logs_under_one_key_cannot_be_spliced(key: SigningKey) -> None:
    """Numbers, hashes and signatures are right; only the link to the entry before is not."""
    ours, our_heads = signed_chain(key, 4)
    theirs, their_heads = signed_chain(key, 4, actor="y")
    spliced = stand_alone.verify_log(ours[:2] + theirs[2:], our_heads[:2] + their_heads[2:], key.public_pem, None)
    assert "entry 3 does not follow" in spliced[0]


@pytest.mark.parametrize(("first", "begin"), [(0, NO_HEAD), (2, NO_HEAD), (1, "1" * 64)])
def test_a_log_begins_at_its_beginning(key: SigningKey, first: int, begin: str) -> None:
    entries, heads = signed_chain(key, 2, first=first, begin=begin)
    assert "entry 1 does not follow" in stand_alone.verify_log(entries, heads, key.public_pem, None)[0]


def test_the_number_of_a_head_is_that_of_its_entry(key: SigningKey) -> None:
    entries, heads = signed_chain(key, 2)
    heads[1] = SignedHead(7, heads[1].head, key.sign(stand_alone.to_sign(7, heads[1].head)))
    assert "entry 2 does not follow" in stand_alone.verify_log(entries, heads, key.public_pem, None)[0]


@pytest.mark.parametrize("odd", [b", ", b',"more":1,'])
def test_an_entry_has_one_spelling_and_its_fields_only(key: SigningKey, odd: bytes) -> None:
    entry = signed_chain(key, 1)[0][0].replace(b",", odd, 1)
    head = sha256(entry)
    signed = SignedHead(1, head, key.sign(stand_alone.to_sign(1, head)))
    assert stand_alone.verify_log([entry], [signed], key.public_pem, None) == ["entry 1 is not well-formed"]


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
