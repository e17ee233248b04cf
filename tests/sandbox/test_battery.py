"""The escape battery in the tests: every probe, and the bombs that take little time."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.sandbox import home_image, homes
from enclave.sandbox.protocol import ServerKey
from enclave.sandbox.uids import Side
from tests.lib.analyst_environment import need_analyst_environment
from tests.lib.sandbox_kit import need_sandbox
from tests.sandbox.bombs import BOMBS, Bomb, light
from tests.sandbox.ground import OTHER, PROBES, RUN, SHOWN, Ground, ground, probes_of

pytestmark = pytest.mark.timeout(600)

NOBODY, OPEN_ON_THE_HOST = 65534, 25
FEWEST = {Side.KERNEL: 140, Side.SERVER: 130}
MOST_SKIPPED = 5
"""Probes that a machine may be unable to try: no IPv6, no address of its own."""


@pytest.fixture(scope="module")
def made() -> Iterator[Ground]:
    need_analyst_environment()
    need_sandbox()
    with ground() as found:
        yield found


@pytest.mark.parametrize("side", [Side.KERNEL, Side.SERVER])
def test_nothing_is_open(made: Ground, side: Side) -> None:
    found = probes_of(made, side)
    assert [one for one in found if one[2] in {"OPEN", "BROKEN"}] == []
    assert len(found) >= FEWEST[side]
    skipped = [one for one in found if one[2] == "cannot test here"]
    assert len(skipped) <= MOST_SKIPPED, skipped


def test_on_the_open_host_the_same_probes_find_ways(made: Ground, tmp_path: Path) -> None:
    """A probe that never finds anything would prove nothing: most find something where there is no sandbox."""
    told = json.dumps(made.told | {"side": str(Side.KERNEL)})
    ended = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", RUN.replace(SHOWN, str(PROBES.parent)), told],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    found = {tuple(json.loads(line)[:2]) for line in ended.stdout.splitlines() if json.loads(line)[2] == "OPEN"}
    assert {
        ("network", "TCP to a port of the host, IPv4"),
        ("network", "UDP to a port of the host"),
        ("network", "an abstract socket of the host"),
        ("network", "a network card beside loopback"),
        ("files", "the host's /var"),
        ("processes", "a process of the host in /proc"),
        ("kernel", "keyctl"),
        ("shared", "shared memory of the host (System V)"),
        ("shared", "a file in the host's /dev/shm"),
    } <= found
    assert len(found) >= OPEN_ON_THE_HOST


def test_a_home_is_closed_for_good_while_the_sandbox_of_another_goes_on(made: Ground) -> None:
    assert made.homes is not None
    third = ServerKey("third.one", OTHER.project)
    number, image = made.uids.of(third), made.settings.homes / third.project / f"{third.account}.home"
    made.homes.open(third, number)
    going_on, _ = made.start(OTHER, Side.KERNEL, "import time; time.sleep(600)")
    try:
        made.homes.close(number)
        until = time.monotonic() + homes.LEAVE_S / 2
        while made.homes.closing and time.monotonic() < until:
            made.homes.sweep()
            time.sleep(0.02)
        assert going_on.runs()
        assert not made.homes.closing
        assert not home_image.in_use(image)
    finally:
        going_on.kill()


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb.name for bomb in BOMBS])
def test_somebody_elses_cell_answers_during_a_bomb(made: Ground, bomb: Bomb) -> None:
    outcome, remark = light(made, bomb)
    if outcome == "cannot test here":
        pytest.skip(f"cannot test here: {remark}")
    assert outcome == "closed", remark
