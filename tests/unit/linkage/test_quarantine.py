from collections.abc import Iterator

import pytest

from enclave.linkage import quarantine
from enclave.linkage.quarantine import Fault, FaultLog, Quarantine, Reason


def test_faults_are_counted_and_kept_in_the_order_of_lines() -> None:
    log = FaultLog()
    log.add(Reason.MISSING, "a", [9, 4], [b"nine", b"four"])
    log.add(Reason.RAGGED, "", [7], [b"\xff,x"])
    log.add(Reason.MISSING, "b", [], [])
    found = log.quarantine("made.csv", 3)
    assert [(fault.line, fault.column, fault.text) for fault in found.faults] == [
        (4, "a", "four"),
        (7, "", "\\xff,x"),
        (9, "a", "nine"),
    ]
    assert found.counts == {Reason.MISSING: 2, Reason.RAGGED: 1}
    assert found.rows == 3


def test_what_is_kept_is_bounded_and_what_is_counted_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "KEPT_FAULTS", 3)
    read = []

    def texts() -> Iterator[bytes]:
        for line in range(10):
            read.append(line)
            yield b"x" * 5_000

    log = FaultLog()
    log.add(Reason.RAGGED, "", list(range(10)), texts())
    log.add(Reason.MISSING, "a", [1], [b"x"])
    found = log.quarantine("made.csv", 10)
    assert found.counts == {Reason.RAGGED: 10, Reason.MISSING: 1}
    assert [len(fault.text) for fault in found.faults] == [1_000] * 3
    assert len(read) == 3, "rows that are not kept are not even read"


def test_a_quarantine_comes_back_from_its_bytes() -> None:
    faults = (Fault(2, "a", Reason.FORMULA, '=1,"é"'), Fault(3, "", Reason.RAGGED, "\\xff"))
    found = Quarantine("made.csv", 2, {Reason.FORMULA: 1, Reason.RAGGED: 1}, faults)
    assert Quarantine.from_bytes(found.to_bytes()) == found


def test_every_reason_is_described() -> None:
    for reason in Reason:
        assert reason.value == reason.name
        assert reason.description
