"""A house that is open and locked: who can open it, what is logged, and that guessing is slow."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.errors import IntegrityError, PermissionDenied, SetupError
from enclave.gateway.binding import Package
from enclave.vault.protection import Kind, Opener, new_key_file
from enclave.wiring.house import House, make_house, open_house
from enclave.wiring.keys.door import FREE_FAILURES, PAUSE_S, Attempts, DoorStatus
from enclave.wiring.keys.key_holder import by_new_key_file
from enclave.wiring.settings import SETTINGS
from tests.lib.house_kit import log_lines, made_house, opener_of

PROJECT = "advice-17-17-2016"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made_house(tmp_path / "house")
    return tmp_path / "house"


def _wrong() -> Opener:
    return Opener(Kind.KEY_FILE, (new_key_file(os.urandom),))


def _actions(root: Path) -> list[tuple[str, dict[str, str]]]:
    entries = [json.loads(line) for line in log_lines(root)]
    return [(entry["action"], entry["details"]) for entry in entries if entry["subject"] == "vault"]


def test_a_house_opens_locked_and_everything_but_the_vault_works(root: Path) -> None:
    with open_house(root) as house:
        assert house.locked
        assert house.door.status() == DoorStatus(locked=True, since=None, protection="the key file", generation=1)
        assert house.register.is_empty
        assert house.book.verify_log(None) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda house: house.vault.projects(),
        lambda house: house.vault.seal(PROJECT, "letter", b"text"),
        lambda house: house.vault.unseal(PROJECT, "letter"),
        lambda house: house.vault.partitions(PROJECT, "persons"),
        lambda house: house.vault.check(PROJECT),
        lambda house: house.vault.destroy_project(PROJECT),
        lambda house: house.vault.coder(PROJECT, "person"),
        lambda house: house.packages.seal(Package({"a": b"b"}, b"{}")),
        lambda house: house.packages.read("0" * 64),
        lambda house: house.truth.read(PROJECT, "0" * 64),
    ],
)
def test_whatever_needs_the_vault_says_who_can_open_it(root: Path, act: Callable[[House], object]) -> None:
    sentence = r"VAULT_LOCKED.*closed.*the key file.*operator unlock.*--key-file"
    with open_house(root) as house, pytest.raises(SetupError, match=sentence):
        act(house)
    assert sorted(path.name for path in (root / "vault" / "data").iterdir()) == []


def test_one_open_house_is_unlocked_locked_and_unlocked_again(root: Path) -> None:
    opener = opener_of(root)
    with open_house(root) as house:
        house.unlock(opener, "kim")
        house.vault.seal(PROJECT, "letter", b"text")
        status = house.door.status()
        assert not status.locked
        assert status.since is not None
        house.lock("kim")
        assert house.door.status().since is None
        with pytest.raises(SetupError, match="VAULT_LOCKED"):
            house.vault.unseal(PROJECT, "letter")
        house.unlock(opener, "kim")
        assert house.vault.unseal(PROJECT, "letter") == b"text"
    seen = [action for action, _ in _actions(root)]
    assert seen == ["vault_unlocked", "vault_locked", "vault_unlocked"]
    assert _actions(root)[0][1] == {"account": "kim", "protection": "key file"}


def test_the_first_use_of_a_key_is_logged_again_after_each_unlocking(root: Path) -> None:
    opener = opener_of(root)
    with open_house(root, opener) as house:
        house.vault.seal(PROJECT, "letter", b"text")
        house.vault.unseal(PROJECT, "letter")
        house.lock()
        house.unlock(opener)
        house.vault.unseal(PROJECT, "letter")
    used = [line for line in log_lines(root) if "data key unlocked" in line]
    assert len(used) == 2


def test_locking_a_locked_house_is_nothing(root: Path) -> None:
    with open_house(root) as house:
        house.lock()
    assert _actions(root) == []


def test_a_wrong_key_is_logged_by_code_and_leaves_it_locked(root: Path) -> None:
    with open_house(root) as house:
        with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
            house.unlock(_wrong(), "kim")
        with pytest.raises(SetupError, match="UNLOCK_OTHERWISE"):
            house.unlock(Opener(Kind.PASSPHRASE, ("some words",)), "not a name!")
        assert house.locked
    assert _actions(root) == [
        ("unlock_refused", {"account": "kim", "code": "UNLOCK_REFUSED"}),
        ("unlock_refused", {"code": "UNLOCK_OTHERWISE"}),
    ]


def test_a_damaged_file_of_the_master_key_is_logged_too(root: Path) -> None:
    path = root / "master" / "master.key"
    path.write_bytes(path.read_bytes()[:-3])
    with open_house(root) as house, pytest.raises(SetupError, match="MASTER_KEY_FILE"):
        house.unlock(opener_of(root))
    assert _actions(root) == [("unlock_refused", {"code": "MASTER_KEY_FILE"})]


def test_after_some_wrong_attempts_even_the_right_key_has_to_wait(root: Path) -> None:
    with open_house(root) as house:
        for _ in range(FREE_FAILURES):
            with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
                house.unlock(_wrong())
        for opener in (_wrong(), opener_of(root)):
            with pytest.raises(PermissionDenied, match=r"UNLOCK_WAIT.*wait a minute"):
                house.unlock(opener)
        assert house.locked
    assert len(_actions(root)) == FREE_FAILURES, "what is not tried is not logged"


def test_the_wait_ends_and_a_right_key_ends_the_count() -> None:
    now = 1000.0
    attempts = Attempts(lambda: now)
    for _ in range(FREE_FAILURES):
        attempts.require_turn()
        attempts.failed()
    with pytest.raises(PermissionDenied, match="UNLOCK_WAIT"):
        attempts.require_turn()
    now += PAUSE_S
    attempts.require_turn()
    attempts.failed()
    with pytest.raises(PermissionDenied, match="UNLOCK_WAIT"):
        attempts.require_turn()
    attempts.succeeded()
    attempts.require_turn()


def test_a_vault_whose_key_ring_is_not_this_ones_is_locked_again(root: Path, tmp_path: Path) -> None:
    made_house(tmp_path / "other")
    ring = Path("vault") / "keys" / "keyring"
    (root / ring).write_bytes((tmp_path / "other" / ring).read_bytes())
    with open_house(root) as house:
        with pytest.raises(IntegrityError, match="KEY_RING"):
            house.unlock(opener_of(root))
        assert house.locked


def test_an_unlocking_that_cannot_be_logged_does_not_happen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise SetupError("BOOK_UNAVAILABLE", "the book cannot be used")

    with open_house(root) as house:
        monkeypatch.setattr(house.door, "_record", refuse)
        with pytest.raises(SetupError, match="BOOK_UNAVAILABLE"):
            house.unlock(opener_of(root))
        assert house.locked


def test_the_key_of_another_house_does_not_open_this_one(root: Path, tmp_path: Path) -> None:
    other = made_house(tmp_path / "other")
    with open_house(root) as house, pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        house.unlock(other)


def test_the_creation_of_the_key_is_logged_with_its_protection(root: Path) -> None:
    created = [json.loads(line) for line in log_lines(root)]
    details = [entry["details"] for entry in created if entry["action"] == "key_created"]
    assert details[0] == {"operation": "master key created", "protection": "key file"}


def test_a_house_of_an_earlier_version_is_refused_with_a_sentence(root: Path) -> None:
    said = json.loads((root / SETTINGS).read_text(encoding="utf-8"))
    said["format"] = "house-settings/1"
    (root / SETTINGS).write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(SetupError, match=r"HOUSE_OLD.*operator init"), open_house(root):
        pass


def test_a_house_whose_id_was_changed_does_not_open(root: Path) -> None:
    said = json.loads((root / SETTINGS).read_text(encoding="utf-8"))
    said["house"] = "0" * 16
    (root / SETTINGS).write_text(json.dumps(said), encoding="utf-8")
    with open_house(root) as house, pytest.raises(SetupError, match="MASTER_KEY_HOUSE"):
        house.unlock(opener_of(root))


def test_a_house_that_cannot_be_protected_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("another's", encoding="utf-8")
    with pytest.raises(SetupError, match="KEY_FILE_EXISTS"):
        make_house(tmp_path / "house", synthetic=True, protect=by_new_key_file(tmp_path / "key"))
    assert not (tmp_path / "house").exists()


def test_a_process_that_holds_the_key_leaves_no_core_and_cannot_be_traced_by_its_user(root: Path) -> None:
    """Asked in a process of its own, of the kernel."""
    program = (
        "import ctypes, resource, sys\n"
        "from pathlib import Path\n"
        "from enclave.wiring.house import open_house\n"
        "from tests.lib.house_kit import opener_of\n"
        "root = Path(sys.argv[1])\n"
        "with open_house(root, opener_of(root)):\n"
        "    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(root)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "(0, 0) 0"


def test_no_status_holds_a_secret(root: Path) -> None:
    with open_house(root, opener_of(root)) as house:
        status = house.door.status()
    assert DoorStatus.from_description(status.described()) == status
    assert set(status.described()) == {"locked", "since", "protection", "generation"}
