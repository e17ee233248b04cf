"""Attacks on data at rest: every change is found, nothing readable lies about, codes cannot be guessed."""

import hashlib
import hmac
import logging
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from enclave.errors import EnclaveError, IntegrityError, PermissionDenied, SetupError
from enclave.vault.block import Place, encrypt_block
from enclave.vault.coding import Ints
from enclave.vault.master_file import MasterKeyFile
from enclave.vault.protection import ByKeyFile, Kind, Opener
from enclave.vault.store import Vault
from tests.lib.vault_kit import (
    OPENER,
    block_file,
    created_master,
    locked_master,
    make_vault,
    master_path,
    open_vault,
    persons,
    same,
    unlocked_master,
)

BIG = 1 << 20
"""Bytes of a segment."""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return make_vault(tmp_path)


def _flip_each_byte(path: Path, read: Callable[[], object]) -> int:
    """Flip every byte in turn, all its bits or one; return how many flips went unnoticed or raised anything else."""
    accepted = 0
    content = path.read_bytes()
    handle = os.open(path, os.O_WRONLY)
    for position, byte in enumerate(content):
        flip = 0xFF if position % 2 else 1 << position % 8
        os.pwrite(handle, bytes([byte ^ flip]), position)
        try:
            read()
            accepted += 1
        except IntegrityError:
            os.pwrite(handle, bytes([byte]), position)
    os.close(handle)
    read()
    return accepted


@pytest.mark.parametrize("rows", [300, pytest.param(6500, marks=pytest.mark.full)])
def test_flip_of_any_byte_of_a_partition(vault: Vault, tmp_path: Path, rows: int) -> None:
    vault.write("p", "persons", "2009-Q2", persons(rows), meta={"source": "made up"})
    path = block_file(tmp_path, "p", "persons", "2009-Q2")
    reader = vault.reader("p", "persons")
    assert path.stat().st_size <= 1 << 16
    assert _flip_each_byte(path, lambda: reader.read("2009-Q2")) == 0


def test_flip_of_any_byte_of_an_index(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "persons", "2009-Q2", persons(3), meta={})
    path = tmp_path / "vault" / "data" / "p" / "persons" / "index.block"
    assert _flip_each_byte(path, lambda: vault._datasets.reader("p", "persons")) == 0


def test_flip_of_any_byte_of_the_key_ring(vault: Vault, tmp_path: Path) -> None:
    vault.seal("p", "letter", b"text")
    assert _flip_each_byte(tmp_path / "vault" / "keys" / "keyring", vault.projects) == 0


def test_flip_of_any_byte_of_the_master_key(vault: Vault, tmp_path: Path) -> None:
    vault.seal("p", "letter", b"text")
    path = master_path(tmp_path)
    content = path.read_bytes()
    for position, byte in enumerate(content):
        for flip in (0xFF, 1 << position % 8):
            path.write_bytes(content[:position] + bytes([byte ^ flip]) + content[position + 1 :])
            for act in (lambda: vault.unseal("p", "letter"), lambda: open_vault(tmp_path)):
                with pytest.raises(SetupError, match=r"MASTER_KEY_(FILE|OLD)"):
                    act()
    path.write_bytes(content)
    assert open_vault(tmp_path).unseal("p", "letter") == b"text"


def test_truncation_at_any_length_and_bytes_added(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    path = block_file(tmp_path, "p", "persons", "2009-Q2")
    content = path.read_bytes()
    for wrong in [content[:size] for size in range(len(content))] + [content + b"\0", content + content]:
        path.write_bytes(wrong)
        with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
            vault.reader("p", "persons").read("2009-Q2")
        with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
            vault.reader("p", "persons").read("2009-Q2", [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("p", "persons", "2009-Q2"), ("p", "persons", "2009-Q3")),
        (("p", "persons", "2009-Q2"), ("p", "jobs", "2009-Q2")),
        (("p", "persons", "2009-Q2"), ("q", "persons", "2009-Q2")),
    ],
    ids=["partitions", "data sets", "projects"],
)
def test_swapped_files(vault: Vault, tmp_path: Path, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    for place in (one, other):
        vault.write(*place, persons(30), meta={})
    first, second = block_file(tmp_path, *one), block_file(tmp_path, *other)
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    for place in (one, other):
        with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
            vault.read(*place)
        with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
            vault.meta(*place)
        with pytest.raises(IntegrityError):
            vault.check(place[0])


@pytest.mark.parametrize("level", ["project", "data set"])
def test_swapped_folders_with_their_indexes(vault: Vault, tmp_path: Path, level: str) -> None:
    for project, dataset in (("p", "persons"), ("p", "jobs"), ("q", "persons")):
        vault.write(project, dataset, "all", persons(30), meta={})
    data = tmp_path / "vault" / "data"
    one, other = (data / "p", data / "q") if level == "project" else (data / "p" / "persons", data / "p" / "jobs")
    one.rename(data / "aside")
    other.rename(one)
    (data / "aside").rename(other)
    with pytest.raises(IntegrityError):
        vault.read("p", "persons", "all")
    with pytest.raises(IntegrityError):
        vault.check("p")


def test_swapped_columns_and_segments(vault: Vault, tmp_path: Path) -> None:
    """Two columns of two segments of the same size: exchange any two of the four, the tags with them."""
    draw = np.random.default_rng(1)
    columns = {name: draw.integers(0, 9, 2 * BIG).astype(np.int8) for name in "ab"}
    vault.write("p", "d", "all", columns, meta={})
    path = block_file(tmp_path, "p", "d", "all")
    content = path.read_bytes()
    sealed = BIG + 16
    start = len(content) - 4 * sealed
    pieces = [content[start + i * sealed : start + (i + 1) * sealed] for i in range(4)]
    for one in range(4):
        for other in range(one):
            mixed = list(pieces)
            mixed[one], mixed[other] = mixed[other], mixed[one]
            path.write_bytes(content[:start] + b"".join(mixed))
            with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
                vault.read("p", "d", "all")


def test_rollback_of_one_partition_to_an_older_file(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    old = block_file(tmp_path, "p", "persons", "2009-Q2").read_bytes()
    vault.write("p", "persons", "2009-Q2", persons(30, seed=2), meta={}, replace=True)
    block_file(tmp_path, "p", "persons", "2009-Q2").write_bytes(old)
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        vault.read("p", "persons", "2009-Q2")
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        vault.check("p")


def test_rollback_of_the_index(vault: Vault, tmp_path: Path) -> None:
    """Its files do not fit an older index; and what is newer than it is not taken for left over and thrown away."""
    folder = tmp_path / "vault" / "data" / "p" / "persons"
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    old = (folder / "index.block").read_bytes()
    for quarter in ("2009-Q3", "2009-Q4"):
        vault.write("p", "persons", quarter, persons(30), meta={})
    (folder / "index.block").write_bytes(old)
    with pytest.raises(IntegrityError, match="INDEX_FILES"):
        open_vault(tmp_path).check("p")
    assert block_file(tmp_path, "p", "persons", "2009-Q4").exists()


def test_rollback_of_a_whole_data_set_shows_in_its_snapshot(vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / "vault" / "data" / "p" / "persons"
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    shutil.copytree(folder, tmp_path / "backup")
    vault.write("p", "persons", "2009-Q3", persons(30), meta={})
    logged = vault.snapshot("p", "persons")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    assert vault.snapshot("p", "persons") != logged


def test_rollback_of_the_key_ring(vault: Vault, tmp_path: Path) -> None:
    """A ring from before a data set was made: its data is not taken for somebody's left-overs, nor written over."""
    vault.seal("p", "letter", b"text")
    ring = tmp_path / "vault" / "keys" / "keyring"
    old = ring.read_bytes()
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    ring.write_bytes(old)
    with pytest.raises(IntegrityError, match="DATASETS"):
        open_vault(tmp_path).check("p")
    with pytest.raises(IntegrityError, match="KEY_MISSING"):
        open_vault(tmp_path).write("p", "persons", "2009-Q3", persons(30), meta={})


@pytest.mark.parametrize("what", ["partition", "index", "data set", "project"])
def test_deletion(vault: Vault, tmp_path: Path, what: str) -> None:
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    vault.seal("p", "letter", b"text")
    folder = tmp_path / "vault" / "data" / "p" / "persons"
    if what == "partition":
        block_file(tmp_path, "p", "persons", "2009-Q2").unlink()
    elif what == "index":
        (folder / "index.block").unlink()
    else:
        shutil.rmtree(folder if what == "data set" else folder.parent)
    for opened in (vault, open_vault(tmp_path)):
        with pytest.raises(IntegrityError, match="BLOCK_MISSING"):
            opened.read("p", "persons", "2009-Q2")
        with pytest.raises(IntegrityError):
            opened.check("p")


@pytest.mark.parametrize("name", ["2009-Q3.00000001.block.old", "stray", "2009-Q3.00000009.block"])
def test_a_file_too_many(vault: Vault, tmp_path: Path, name: str) -> None:
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    (tmp_path / "vault" / "data" / "p" / "persons" / name).write_bytes(b"x")
    with pytest.raises(IntegrityError, match="INDEX_FILES"):
        vault.check("p")


def test_another_master_key(vault: Vault, tmp_path: Path) -> None:
    vault.seal("p", "letter", b"text")
    master_path(tmp_path).unlink()
    created_master(master_path(tmp_path))
    for act in (lambda: open_vault(tmp_path), lambda: vault.unseal("p", "letter"), vault.projects):
        with pytest.raises(IntegrityError, match="KEY_RING"):
            act()


def test_old_backups_of_everything_but_the_master_key_revive_nothing(vault: Vault, tmp_path: Path) -> None:
    for project in "pq":
        vault.write(project, "persons", "2009-Q2", persons(30), meta={})
    shutil.copytree(tmp_path / "vault", tmp_path / "backup")
    os.link(master_path(tmp_path), tmp_path / "old blocks")
    vault.destroy_project("p")
    assert set((tmp_path / "old blocks").read_bytes()) == {0}
    shutil.rmtree(tmp_path / "vault")
    shutil.copytree(tmp_path / "backup", tmp_path / "vault")
    with pytest.raises(IntegrityError, match="KEY_RING"):
        open_vault(tmp_path)


def test_a_copy_of_everything_opens_no_more_with_what_opens_the_new_master_key(vault: Vault, tmp_path: Path) -> None:
    """Data, ring and master key of before, and what the key holder has now: each alone and all together."""
    for project in "pq":
        vault.write(project, "persons", "2009-Q2", persons(30), meta={})
    shutil.copytree(tmp_path / "vault", tmp_path / "old" / "vault")
    shutil.copytree(tmp_path / "holder", tmp_path / "old" / "holder")
    new = Opener(Kind.KEY_FILE, ("enclave-key-file-1 " + "7a" * 32 + "\n",))
    vault.destroy_project("p", new=(ByKeyFile(b"1" * 16), new))
    vault.read("q", "persons", "2009-Q2")
    old = locked_master(tmp_path / "old" / "holder" / "master.key")
    with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        old.unlock(new)
    now = locked_master(master_path(tmp_path))
    with pytest.raises(PermissionDenied, match="UNLOCK_REFUSED"):
        now.unlock(OPENER)
    now.unlock(new)
    with pytest.raises(IntegrityError, match="KEY_RING"):
        Vault(tmp_path / "old" / "vault", now)
    assert Vault(tmp_path / "old" / "vault", open_old(tmp_path)).projects() == ("p", "q")


def open_old(base: Path) -> MasterKeyFile:
    """Open the copy as its owner did: it is the key that is gone, and nothing else."""
    old = locked_master(base / "old" / "holder" / "master.key")
    old.unlock(OPENER)
    return old


def test_old_data_put_back_under_the_new_ring(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    shutil.copytree(tmp_path / "vault" / "data", tmp_path / "backup")
    vault.destroy_project("p")
    shutil.copytree(tmp_path / "backup", tmp_path / "vault" / "data", dirs_exist_ok=True)
    open_vault(tmp_path)
    assert not (tmp_path / "vault" / "data" / "p").exists()


def test_data_folder_holds_no_key(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    ring = vault._keys.load()
    wrapped = [ring.projects["p"].wrapped, *ring.projects["p"].datasets.values()]
    for path in (tmp_path / "vault" / "data").rglob("*.block"):
        assert not any(key.encode() in path.read_bytes() for key in wrapped)


def test_canaries_appear_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """1,000 values planted in columns, facts, documents and coding tables: in no file, error, log, repr or pickle."""
    caplog.set_level(logging.DEBUG)
    numbers = np.random.default_rng(1).integers(10**14, 2**53, 1000)
    words = [f"canary-{number}" for number in numbers[:20]]
    vault = make_vault(tmp_path)
    vault.write("p", "persons", "2009-Q2", {"person": numbers}, meta={"fact": words[0]})
    vault.seal("p", "letter", " ".join(words).encode())
    codes = vault.coder("p", "person").code(numbers)
    seen = [caplog.text.encode(), repr(vault).encode(), pickle.dumps(vault.reader("p", "persons"))]
    path = block_file(tmp_path, "p", "persons", "2009-Q2")
    path.write_bytes(path.read_bytes()[:-1])
    for act in (
        lambda: vault.read("p", "persons", "2009-Q2"),
        lambda: vault.write("p", "persons", "2009-Q2", {"person": numbers}, meta={}),
        lambda: vault.read("p", "persons", "2009-Q2", ["nobody"]),
    ):
        with pytest.raises(EnclaveError) as caught:
            act()
        seen.append(str(caught.value).encode())
    seen += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    everything = b"\0".join(seen)
    for value in [*numbers.tolist(), *codes.tolist()]:
        assert str(value).encode() not in everything
        assert int(value).to_bytes(8, "little") not in everything
    assert b"canary" not in everything


def test_a_reader_holds_the_key_of_its_own_data_set_only(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "persons", "2009-Q2", persons(3), meta={})
    vault.write("p", "jobs", "2009-Q2", persons(3), meta={})
    other = vault._keys.unlock("p", "jobs")
    assert other is not None
    travelling = pickle.dumps(vault.reader("p", "persons"))
    assert other.secret not in travelling
    (master,) = unlocked_master(master_path(tmp_path)).candidates()
    assert master.secret not in travelling


def _rank_correlation(one: Ints, other: Ints) -> float:
    """Return the size of Spearman's coefficient; of 20,000 unrelated pairs it exceeds 0.04 once in 10**8 times."""
    ranks = np.argsort(np.argsort(one)), np.argsort(np.argsort(other))
    return abs(float(np.corrcoef(*ranks)[0, 1]))


def test_codes_of_two_domains_and_two_projects_are_unrelated(vault: Vault) -> None:
    numbers = np.sort(np.random.default_rng(1).choice(10**8, 20_000, replace=False).astype(np.int64))
    domains = [("p", "person"), ("p", "employer"), ("q", "person")]
    codes = {domain: vault.coder(*domain).code(numbers) for domain in domains}
    for domain in domains:
        assert _rank_correlation(numbers, codes[domain]) < 0.04, "codes do not follow the numbers"
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        left, right = codes[domains[one]], codes[domains[other]]
        assert _rank_correlation(left, right) < 0.04
        assert not set(left.tolist()) & set(right.tolist())


def test_codes_do_not_tell_who_came_first(vault: Vault) -> None:
    coder = vault.coder("p", "person")
    arrivals = np.concatenate([coder.code(np.arange(start, start + 500)) for start in range(0, 20_000, 500)])
    assert _rank_correlation(np.arange(20_000), arrivals) < 0.04


def test_exhaustive_hashing_of_a_birth_date_meets_no_code(vault: Vault) -> None:
    """All 997 numbers of a day (in a month that cannot be), hashed in the usual ways and cut to the size of a code."""
    numbers = np.array([85_61_01_000_00 + i * 100 + 97 - (856101000 + i) % 97 for i in range(1, 998)], np.int64)
    codes = set(vault.coder("p", "person").code(numbers).tolist())
    ways: list[Callable[[bytes], bytes]] = [
        *(lambda text, name=name: hashlib.new(name, text).digest() for name in ("md5", "sha1", "sha256", "blake2b")),
        *(lambda text, key=key: hmac.digest(key, text, "sha256") for key in (b"", b"p", b"person", b"p/person")),
    ]
    for number in numbers.tolist():
        for way in ways:
            for text in (str(number).encode(), f"{number:011d}".encode(), number.to_bytes(8, "little")):
                digest = way(text)
                for start in (digest[:8], digest[7::-1]):
                    whole = int.from_bytes(start, "big")
                    assert not {whole, whole >> 11, whole % 2**53, whole >> 1} & codes
        assert number not in codes


def test_a_block_rewritten_by_somebody_who_has_the_data_key(vault: Vault, tmp_path: Path) -> None:
    """A worker of the project holds that key. Under the same salt its block can be read, but the digest is another."""
    vault.write("p", "persons", "2009-Q2", persons(30), meta={})
    reader = vault.reader("p", "persons")
    path = block_file(tmp_path, "p", "persons", "2009-Q2")
    salt = bytes.fromhex(reader.index.entries["2009-Q2"].salt)
    place = Place("p", "persons", "2009-Q2")
    path.write_bytes(b"".join(encrypt_block(reader.key, place, persons(30, seed=2), {}, salt)))
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        vault.check("p")


def test_equal_segments_of_a_file_never_look_the_same(vault: Vault, tmp_path: Path) -> None:
    zeros = np.zeros(2 * BIG, np.int8)
    vault.write("p", "d", "all", {"a": zeros, "b": zeros}, meta={})
    content = block_file(tmp_path, "p", "d", "all").read_bytes()
    ends = [len(content) - i * (BIG + 16) for i in range(4)]
    assert len({content[end - BIG - 16 : end - 16] for end in ends}) == 4


def test_same_data_never_looks_the_same(vault: Vault, tmp_path: Path) -> None:
    """Nothing about equality of contents can be read off the files."""
    vault.write("p", "d", "1", persons(1000), meta={})
    vault.write("p", "d", "2", persons(1000), meta={})
    one = block_file(tmp_path, "p", "d", "1").read_bytes()
    two = block_file(tmp_path, "p", "d", "2").read_bytes()
    equal = np.frombuffer(one, np.uint8)[64:] == np.frombuffer(two, np.uint8)[64:]
    assert equal.mean() < 0.02
    assert same(vault.read("p", "d", "1"), vault.read("p", "d", "2"))
