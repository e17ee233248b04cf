"""Several processes, one order of results, and a sentence when one of them dies."""

import os

import pytest

from enclave.errors import SetupError
from enclave.wiring.workers import workers


def test_results_come_in_the_order_of_the_parts_and_progress_is_told() -> None:
    said: list[str] = []
    with workers(said.append) as run:
        assert list(run(abs, [-3, 2, -1])) == [3, 2, 1]
    assert said[-1] == "  3 of 3 connected parts"


def test_a_worker_that_dies_is_a_sentence_and_not_a_traceback() -> None:
    with workers() as run, pytest.raises(SetupError) as lost:
        list(run(os._exit, [1]))
    assert lost.value.code == "WORKER_LOST"
