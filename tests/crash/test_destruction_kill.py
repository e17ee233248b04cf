"""A kill at any change on disk while a project is destroyed: opened again, nothing is half and nothing comes back.

Before the one step that decides, all keys are there and the log closes the project; after it, nothing opens it. The
same command, given again, finishes both.
"""

import itertools
import os
import random
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest

from enclave.gateway.canonical import sha256
from enclave.ledger.book import Book
from enclave.ledger.verify_certificate import examine
from enclave.vault.files import HALF
from enclave.wiring.commands import proofs
from enclave.wiring.house import open_house
from enclave.wiring.keys.key_holder import key_file
from enclave.wiring.settings import Settings
from tests.lib.destruction_kit import GONE, KEPT, copied, destroy, fill, in_the_open, new_key, readable
from tests.lib.house_kit import key_path
from tests.lib.vault_kit import killed_at

EVERYTHING = {"data", "codes", "sealed", "home"}
SEED, SAMPLE = 1517, 10


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("before") / "all" / "house"
    root.parent.mkdir()
    fill(root)
    with open_house(root) as house:
        house.destroyer.begin(GONE)
    return root


@pytest.fixture(scope="module")
def points(before: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Count the changes on disk that a whole destruction makes, by halving."""
    low, high = 1, 4096
    while low < high:
        middle = (low + high) // 2
        here = copied(before, tmp_path_factory.mktemp("count") / "all")
        low, high = (middle + 1, high) if killed_at(middle, partial(destroy, here)) else (low, middle)
        shutil.rmtree(here.parent)
    return low - 1


def judge(here: Path, before: Path) -> None:
    """Look at a house whose destruction was interrupted, repeat the command, and look again."""
    for key in (key_path(here), new_key(here)):
        if key.exists():
            assert readable(here, key, GONE) == set()
    destroy(here)
    new = new_key(here)
    assert readable(here, new, GONE) == set()
    assert readable(here, new, KEPT) == EVERYTHING
    assert in_the_open(here.parent, GONE) == 0
    assert not key_path(here).exists()
    with open_house(here, key_file(new, Settings.read(here))) as house:
        proofs.check_everything(house)
        assert house.retention.begun() == ()
        digest = house.retention.destruction(GONE).certificate
    data = (here / "certificates" / f"{GONE}.json").read_bytes()
    assert sha256(data) == digest
    assert examine(data, (here / "release.pub.pem").read_bytes())[0] == []
    names = [path.name for path in here.parent.rglob("*")]
    assert not [name for name in names if name.startswith(HALF) or name.endswith(".next")], names
    shutil.copytree(before / "vault", here / "old-vault")
    shutil.copytree(before / "master", here / "old-master")
    assert in_the_open(here.parent, GONE) == 0


def kill_and_judge(before: Path, folder: Path, point: int) -> None:
    here = copied(before, folder / "all")
    assert killed_at(point, partial(destroy, here))
    judge(here, before)


def test_a_kill_at_seeded_changes_is_finished_by_the_same_command(before: Path, points: int, tmp_path: Path) -> None:
    chosen = sorted({1, points, *random.Random(SEED).sample(range(1, points + 1), SAMPLE)})
    for point in chosen:
        kill_and_judge(before, tmp_path, point)


@pytest.mark.full
def test_a_kill_at_every_change_is_finished_by_the_same_command(before: Path, points: int, tmp_path: Path) -> None:
    for point in range(1, points + 1):
        kill_and_judge(before, tmp_path, point)


def test_a_kill_around_every_entry_of_the_log_is_finished_by_the_same_command(before: Path, tmp_path: Path) -> None:
    """The book writes past the calls that the test above counts; so its entries are gone through one by one."""
    for number in itertools.count(1):
        here = copied(before, tmp_path / "all")
        if not _killed_after_entry(number, here):
            break
        judge(here, before)
    assert number > 5


def _killed_after_entry(number: int, here: Path) -> bool:
    """Run the command in a process that is killed once it has written so many entries; False if it ended."""
    record, written = Book.record, itertools.count(1)

    def counted(book: Book, draft: object) -> None:
        record(book, draft)  # type: ignore[arg-type]
        if next(written) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        Book.record = counted  # type: ignore[method-assign,assignment]
        destroy(here)

    return killed_at(10**9, run)
