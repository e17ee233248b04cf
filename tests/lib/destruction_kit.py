"""A house with two projects full of canaries, of which two persons decided one's end, and ways to look what is left."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from enclave.errors import EnclaveError
from enclave.vault.coding import Coder
from enclave.wiring.destruction import command
from enclave.wiring.house import House, made_up_people, open_house
from enclave.wiring.keys.key_holder import Given, by_new_key_file, key_file
from enclave.wiring.settings import Settings
from tests.lib.house_kit import key_path, made_house, opener_of

GONE, KEPT = "advice-17-17-2016", "advice-17-17-2017"
CANARIES = 1000
FIRST = 7_000_000_000_001
"""The first of the canary values: numbers of eight bytes that stand nowhere by chance."""


def canaries(project: str) -> NDArray[np.int64]:
    """Return the canary values of a project, in no order that compression or chance would make."""
    start = FIRST + (0 if project == GONE else 10**12)
    return start + np.arange(CANARIES, dtype=np.int64) * 104_729


def text_of(project: str) -> bytes:
    """Return the canary values as text."""
    return " ".join(map(str, canaries(project).tolist())).encode()


def new_key(root: Path) -> Path:
    return key_path(root).with_name("new.key")


def fill(root: Path, projects: tuple[str, ...] = (GONE, KEPT)) -> None:
    """Make the house, with a folder of homes beside it, and let a steward and an operator decide."""
    made_house(root)
    with open_house(root, opener_of(root)) as house:
        house.register.enrol(made_up_people(GONE, date(2099, 1, 1)), "steward.one")
        for project in projects:
            put_canaries(house, project)
        house.vault.write("intake", "register", "2009-Q2", {"person": canaries(GONE)}, meta={})
        (house.settings.scratch / "cluster-left").mkdir()
        (house.settings.scratch / "cluster-left" / "spilled").write_bytes(canaries(GONE).tobytes())
        command.decide(house, "steward.one", GONE)
        command.decide(house, "operator.one", GONE)


def put_canaries(house: House, project: str) -> None:
    """Put the canary values wherever a project keeps something."""
    numbers = canaries(project)
    house.vault.write(project, "quarters", "2009-Q2", {"person": numbers}, meta={})
    house.vault.coder(project, "person").code(np.sort(numbers))
    house.vault.seal(project, "truth.1", text_of(project))
    for folder in (house.settings.own_files / project, house.settings.root.parent / "homes" / project / "kim"):
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_bytes(text_of(project))


def given(root: Path) -> Given:
    return Given(key_file=key_path(root))


def destroy(root: Path) -> Path:
    """Do what the second person's command does; return the certificate."""
    return command.carry_out(root, given(root), new_key(root), by_new_key_file(new_key(root)), GONE)


def readable(root: Path, key: Path, project: str) -> set[str]:
    """Return what of a project opens in a house with this key file: "data", "codes", "sealed", "home"."""
    found: set[str] = set()
    with suppress(EnclaveError), open_house(root) as house:
        house.unlock(key_file(key, Settings.read(root)))
        vault = house.vault
        for name, act in (
            ("data", lambda: vault.read(project, "quarters", "2009-Q2")),
            ("codes", lambda: _require_all(vault.coder(project, "person"))),
            ("sealed", lambda: vault.unseal(project, "truth.1")),
            ("home", lambda: vault.home_key(project, "kim")),
        ):
            with suppress(EnclaveError, LookupError):
                act()
                found.add(name)
    return found


def _require_all(coder: Coder) -> None:
    """Raise LookupError unless the coding table knows every canary: an empty one is made where there is none."""
    if coder._pairs[0].size != CANARIES:
        raise LookupError


def in_the_open(folder: Path, project: str) -> int:
    """Return how many of the project's canary values stand in any file below the folder, as text or as eight bytes."""
    everything = b"\0".join(path.read_bytes() for path in _files(folder))
    values = canaries(project).tolist()
    return sum(str(one).encode() in everything or int(one).to_bytes(8, "little") in everything for one in values)


def copied(root: Path, target: Path) -> Path:
    """Copy the house with what lies beside it; return the copy's root."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root.parent, target)
    return target / root.name


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
