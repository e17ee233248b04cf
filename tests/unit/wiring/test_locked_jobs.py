"""Long work that meets a locked vault waits, and leaves no refusals behind while it does."""

import json
import threading
import time
from pathlib import Path

import pytest

from enclave.vault.store import Vault
from enclave.wiring.desk import jobs
from enclave.wiring.desk.jobs import Job, JobKind, Jobs, JobState, Order
from enclave.wiring.house import open_house
from tests.lib.house_kit import log_lines, made_house

MOST_SECONDS = 60


def _ended(queue: Jobs, job: Job) -> Job:
    until = time.monotonic() + MOST_SECONDS
    while (found := queue.job(job.order.person, job.id)).state.is_open:
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def test_a_release_that_was_asked_for_waits_for_the_key_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried, and nobody refused, before the vault is unlocked: only then is the request found missing."""
    looked, plain = threading.Event(), Vault.require_unlocked

    def require_unlocked(vault: Vault) -> None:
        try:
            plain(vault)
        finally:
            looked.set()

    monkeypatch.setattr(Vault, "require_unlocked", require_unlocked)
    monkeypatch.setattr(jobs, "LOCKED_PAUSE_S", 0.05)
    opener = made_house(tmp_path / "house")
    with open_house(tmp_path / "house") as house:
        queue = Jobs(house)
        with queue._lock:
            job = queue._accept(Order(JobKind.RELEASE, "operator.one", "operator.one", "p", "p-r1"))
        queue.start()
        assert looked.wait(MOST_SECONDS)
        assert queue.job("operator.one", job.id).state.is_open
        house.unlock(opener)
        ended = _ended(queue, job)
    assert ended.state is JobState.FAILED
    actions = [json.loads(line)["action"] for line in log_lines(tmp_path / "house")]
    assert actions.index("refused") > actions.index("vault_unlocked")
