"""Kill or fail the vault at every change on disk: afterwards the old or the new is there, whole, and nothing else."""

import itertools
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from enclave.errors import EnclaveError, RequestError, SetupError
from enclave.vault.files import HALF, names_in
from enclave.vault.store import Vault
from tests.lib.vault_kit import (
    created_master,
    failing_disk,
    killed_at,
    make_vault,
    master_path,
    open_vault,
    persons,
    same,
    unlocked_master,
)

Action = Callable[[Vault], object]
State = Callable[[Vault], bool]


def _state(old: State, new: State) -> Callable[[Vault], str]:
    """Return what says "old" or "new" of a vault, and fails where it is neither."""

    def judge(vault: Vault) -> str:
        found = [name for name, is_so in (("old", old), ("new", new)) if is_so(vault)]
        assert len(found) == 1, found
        return found[0]

    return judge


def _reads(rows: int, seed: int) -> State:
    return lambda vault: same(vault.read("p", "persons", "2009-Q2"), persons(rows, seed))


def _coded(vault: Vault) -> int:
    coder = vault.coder("p", "person")
    return int((coder._look_up(np.arange(40)) > 0).sum())


ACTIONS: dict[str, tuple[Action, Callable[[Vault], str]]] = {
    "first write of a project": (
        lambda vault: vault.write("new", "persons", "2009-Q2", persons(20), meta={}),
        _state(
            lambda vault: vault.partitions("new", "persons") == (),
            lambda vault: (
                vault.partitions("new", "persons") == ("2009-Q2",)
                and same(vault.read("new", "persons", "2009-Q2"), persons(20))
            ),
        ),
    ),
    "one more partition": (
        lambda vault: vault.write("p", "persons", "2009-Q3", persons(20), meta={}),
        _state(
            lambda vault: vault.partitions("p", "persons") == ("2009-Q2",),
            lambda vault: (
                vault.partitions("p", "persons") == ("2009-Q2", "2009-Q3")
                and same(vault.read("p", "persons", "2009-Q3"), persons(20))
            ),
        ),
    ),
    "replacing a partition": (
        lambda vault: vault.write("p", "persons", "2009-Q2", persons(30, 2), meta={}, replace=True),
        _state(_reads(20, 1), _reads(30, 2)),
    ),
    "sealing a document again": (
        lambda vault: vault.seal("p", "letter", b"new"),
        _state(
            lambda vault: vault.unseal("p", "letter") == b"old", lambda vault: vault.unseal("p", "letter") == b"new"
        ),
    ),
    "coding new persons": (
        lambda vault: vault.coder("p", "person").code(np.arange(40)),
        _state(lambda vault: _coded(vault) == 20, lambda vault: _coded(vault) == 40),
    ),
    "destroying a project": (
        lambda vault: vault.destroy_project("p"),
        _state(lambda vault: vault.projects() == ("p", "q"), lambda vault: vault.projects() == ("q",)),
    ),
}


EVERY_POINT_OR_A_SAMPLE = pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.full)])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("base")
    vault = make_vault(made)
    for project in "pq":
        vault.write(project, "persons", "2009-Q2", persons(20), meta={})
        vault.seal(project, "letter", b"old")
        vault.coder(project, "person").code(np.arange(20))
    return made


def _fresh(base: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base, target)
    return target


def _judge(here: Path, judge: Callable[[Vault], str]) -> str:
    """Open the vault; it is whole, tidy, and its other project is as it was. Return "old" or "new"."""
    vault = open_vault(here)
    _require_tidy(vault, here / "vault" / "data")
    found = judge(vault)
    for project in vault.projects():
        vault.check(project)
    assert same(vault.read("q", "persons", "2009-Q2"), persons(20))
    assert vault.unseal("q", "letter") == b"old"
    names = [name for _, folders, files in os.walk(here) for name in (*folders, *files)]
    assert not [name for name in names if name.startswith(HALF) or name.endswith(".next")]
    assert (here / "vault" / "lock").read_bytes() == b""
    if "p" not in vault.projects():
        assert not (here / "vault" / "data" / "p").exists()
    return found


def _require_tidy(vault: Vault, data: Path) -> None:
    """Opening alone has removed what is not in force."""
    for folder in data.glob("*/*"):
        reader = vault._datasets.reader(folder.parent.name, folder.name)
        assert reader is not None
        assert names_in(folder) == reader.index.files


@EVERY_POINT_OR_A_SAMPLE
@pytest.mark.parametrize("name", ACTIONS)
def test_a_kill_at_every_change_leaves_old_or_new(base: Path, tmp_path: Path, name: str, stride: int) -> None:
    action, judge = ACTIONS[name]
    found = []
    for point in itertools.count(1, stride):
        here = _fresh(base, tmp_path / "here")
        vault = open_vault(here)
        if not killed_at(point, partial(action, vault)):
            break
        found.append(_judge(here, judge))
    assert found == sorted(found, key=["old", "new"].index), "once new, it stays new"
    assert set(found) == {"old", "new"}
    assert _judge(here, judge) == "new"


@EVERY_POINT_OR_A_SAMPLE
@pytest.mark.parametrize("name", ACTIONS)
def test_a_failing_disk_is_a_sentence_and_the_same_vault_goes_on(
    base: Path, tmp_path: Path, name: str, stride: int
) -> None:
    action, judge = ACTIONS[name]
    refusals: list[tuple[type[EnclaveError], str]] = []
    for point in itertools.count(1, stride):
        here = _fresh(base, tmp_path / "here")
        vault = open_vault(here)
        with failing_disk(point) as happened:
            try:
                action(vault)
            except EnclaveError as error:
                refusals.append((type(error), error.code))
        if not happened:
            break
        with suppress(RequestError):
            action(vault)
        assert judge(vault) == "new"
        assert _judge(here, judge) == "new"
    assert set(refusals) == {(SetupError, "DISK")}


def test_a_vault_killed_while_it_is_made_can_be_made(tmp_path: Path) -> None:
    for point in itertools.count(1):
        here = tmp_path / str(point)
        (here / "holder").mkdir(parents=True, mode=0o700)

        def make(here: Path = here) -> None:
            Vault.create(here / "vault", created_master(master_path(here)))

        if not killed_at(point, make):
            break
        made = master_path(here).exists()
        master = unlocked_master(master_path(here)) if made else created_master(master_path(here))
        if not (here / "vault" / "keys" / "keyring").exists():
            Vault.create(here / "vault", master)
        open_vault(here).seal("p", "letter", b"text")
        assert open_vault(here).unseal("p", "letter") == b"text"


@pytest.mark.timeout(1800)  # thousands of kills, each with its own copy of the vault
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.full) for name in ACTIONS])
def test_a_kill_during_the_recovery_from_a_kill(base: Path, tmp_path: Path, name: str) -> None:
    action, judge = ACTIONS[name]
    for point in itertools.count(1):
        killed = _fresh(base, tmp_path / "killed")
        vault = open_vault(killed)
        if not killed_at(point, partial(action, vault)):
            break
        for second in itertools.count(1):
            here = _fresh(killed, tmp_path / "here")
            if not killed_at(second, partial(open_vault, here)):
                break
            _judge(here, judge)


def test_a_reader_in_another_process_waits_for_a_change_and_sees_the_new(base: Path, tmp_path: Path) -> None:
    """Many replacements while another process reads: it always gets one whole state, and no false alarm."""
    here = _fresh(base, tmp_path / "here")
    child = os.fork()
    if child == 0:
        vault = open_vault(here)
        for turn in range(60):
            vault.write("p", "persons", "2009-Q2", persons(20 + turn), meta={}, replace=True)
        os._exit(0)
    vault = open_vault(here)
    sizes = []
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        rows = vault.read("p", "persons", "2009-Q2")["person"]
        assert np.array_equal(rows, persons(rows.size)["person"])
        sizes.append(rows.size)
    assert sizes == sorted(sizes)
    vault.check("p")
