"""Tampering with the audit log: every flip, deletion, duplication, swap and truncation is found."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pytest

from enclave.gateway.review import Decision
from enclave.ledger import verify_log
from enclave.ledger.audit_log import SignedHead
from enclave.ledger.signing import SigningKey
from enclave.ledger.verify_log import verify_file
from tests.lib.gateway_house import new_house

ENTRIES = 50


@dataclass(frozen=True)
class Evidence:
    """A log as an auditor gets it, with the key and an anchor that was kept elsewhere."""

    log: bytes
    key: bytes
    anchor: bytes

    @property
    def lines(self) -> list[bytes]:
        return self.log.splitlines(keepends=True)

    def found(self, log: bytes) -> bool:
        return bool(verify_file(log, self.key, self.anchor))


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    root = tmp_path_factory.mktemp("log") / "house"
    house = new_house(root)
    while (head := house.book.log_head()) is not None and head.seq < ENTRIES:
        request = house.prepared({"a": 10, "b": 20})
        house.gateway.vote(request.id, "kim", Decision.CHANGES, "explain")
        house.gateway.return_(request.id, "lou", "see kim")
        house.gateway.submit(request.id, "ann")
        for account in ("kim", "max"):
            house.gateway.vote(request.id, account, Decision.APPROVE)
        house.gateway.release(request.id, "otto")
    house.book.dump_log(root / "log.jsonl")
    house.close()
    assert isinstance(head, SignedHead)
    return Evidence((root / "log.jsonl").read_bytes(), SigningKey.load(root / "log.key").public_pem, head.to_bytes())


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verifier's pure parts remember what they found: of a changed log, all but one line is as before."""
    for part in ("read_line", "read_entry"):
        monkeypatch.setattr(verify_log, part, lru_cache(maxsize=4096)(getattr(verify_log, part)))
    is_signed, known = verify_log.is_signed, dict[SignedHead, bool]()
    monkeypatch.setattr(
        verify_log,
        "is_signed",
        lambda head, key: known[head] if head in known else known.setdefault(head, is_signed(head, key)),
    )


def undetected(evidence: Evidence, changed: Iterator[tuple[str, bytes]]) -> list[str]:
    """Return the names of changes that go unseen, and fail if nothing was tried."""
    tried, unseen = 0, []
    for name, log in changed:
        tried += 1
        if log == evidence.log or not evidence.found(log):
            unseen.append(name)
    assert tried >= ENTRIES - 1
    return unseen


def test_the_untouched_log_verifies(evidence: Evidence) -> None:
    assert len(evidence.lines) >= ENTRIES
    assert not evidence.found(evidence.log)


def flips(log: bytes, bits: tuple[int, ...] | None) -> Iterator[tuple[str, bytes]]:
    """Flip these bits of every byte; or of every byte one, by chance."""
    chance = random.Random(1)
    for place, byte in enumerate(log):
        for bit in bits or (chance.randrange(8),):
            yield f"bit {bit} of byte {place}", log[:place] + bytes([byte ^ 1 << bit]) + log[place + 1 :]


def test_every_flipped_byte(evidence: Evidence) -> None:
    assert undetected(evidence, flips(evidence.log, None)) == []


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_flipped_bit(evidence: Evidence) -> None:
    assert undetected(evidence, flips(evidence.log, tuple(range(8)))) == []


def test_every_deleted_entry(evidence: Evidence) -> None:
    lines = evidence.lines
    cut = ((f"entry {at + 1}", b"".join(lines[:at] + lines[at + 1 :])) for at in range(len(lines)))
    assert undetected(evidence, cut) == []


def test_every_duplicated_entry(evidence: Evidence) -> None:
    lines = evidence.lines
    doubled = ((f"entry {at + 1}", b"".join([*lines[: at + 1], *lines[at:]])) for at in range(len(lines)))
    assert undetected(evidence, doubled) == []
    at_the_end = ((f"entry {at + 1}", b"".join([*lines, lines[at]])) for at in range(len(lines)))
    assert undetected(evidence, at_the_end) == []


def test_every_swap_with_the_next(evidence: Evidence) -> None:
    lines = evidence.lines
    swapped = (
        (f"entry {at + 1}", b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]))
        for at in range(len(lines) - 1)
    )
    assert undetected(evidence, swapped) == []


def test_every_truncation(evidence: Evidence) -> None:
    lines = evidence.lines
    whole_entries = ((f"after entry {keep}", b"".join(lines[:keep])) for keep in range(len(lines)))
    assert undetected(evidence, whole_entries) == []
    bytes_of_the_last = ((f"{cut} bytes", evidence.log[:-cut]) for cut in range(1, len(lines[-1])))
    assert undetected(evidence, bytes_of_the_last) == []


def test_truncation_is_seen_only_with_an_anchor(evidence: Evidence) -> None:
    """What the anchor is for: without it, a shorter log is simply an earlier one."""
    assert verify_file(b"".join(evidence.lines[:-1]), evidence.key, None) == []


def test_a_rolled_back_log_is_older_than_its_anchor(evidence: Evidence) -> None:
    """Restoring an old copy together with its own old head does not help against a head kept elsewhere."""
    problems = verify_file(b"".join(evidence.lines[: ENTRIES // 2]), evidence.key, evidence.anchor)
    assert "entries are missing at its end" in problems[0]


def test_every_flipped_byte_of_the_anchor(evidence: Evidence) -> None:
    for name, anchor in flips(evidence.anchor, None):
        assert verify_file(evidence.log, evidence.key, anchor), name
