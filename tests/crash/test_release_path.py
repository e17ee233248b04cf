"""A kill, an I/O error or a full disk at every system call of a release: nothing lost, doubled, torn or unlogged."""

import random
from collections.abc import Iterator

import pytest

from tests.crash.rig import EIO, KILL, Point, Rig, every_point, missing, rig

SEED = 20261123
SAMPLE = 25
FEWEST_POINTS = 300


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    reason = missing()
    if reason is not None:
        pytest.skip(f"crash rig: {reason}")
    with rig(tmp_path_factory.mktemp("crash")) as working:
        yield working


@pytest.fixture(scope="module")
def points(built: Rig) -> list[Point]:
    return every_point(built)


def test_the_rig_reaches_every_kind_of_call(points: list[Point]) -> None:
    released = [point for point in points if point.op == "release"]
    assert len(released) > FEWEST_POINTS
    writing = {"openat", "write", "pwrite64", "rename", "fsync", "fdatasync", "close", "unlink", "ftruncate", "mkdir"}
    assert {point.call for point in released if point.fault == KILL} >= writing | {"lseek", "fcntl"}
    assert {point.call for point in released if point.fault == EIO} >= writing | {"lseek", "fcntl"}


def test_no_call_is_counted_before_the_operation_begins(built: Rig) -> None:
    first: dict[str, int] = {}
    for point in built.points("approved", "recover"):
        first.setdefault(point.call, point.when)
    assert first.pop("openat") == 2, "the first one is the marker"
    assert set(first.values()) == {1}


def test_the_rig_sees_that_publishing_before_recording_goes_wrong(built: Rig) -> None:
    kills = [point for point in built.points("approved", "naive") if point.fault == KILL]
    after_publishing = next(at for at, point in enumerate(kills) if point.call == "rename") + 2
    problems = built.trial(kills[after_publishing])
    assert any("was never decided" in problem for problem in problems)
    assert any("lost or doubled" in problem for problem in problems)


def test_a_sample_of_faults(built: Rig, points: list[Point]) -> None:
    chosen = random.Random(SEED).sample(points, SAMPLE)
    assert {point.op for point in chosen} == {"release", "recover"}
    assert [problem for point in chosen for problem in built.trial(point)] == []


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_fault(built: Rig, points: list[Point]) -> None:
    assert [problem for point in points for problem in built.trial(point)] == []
