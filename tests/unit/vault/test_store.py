"""The vault: what is written is read back, written once, and everything has a sentence when it goes wrong."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dask.base import compute
from dask.delayed import delayed
from numpy.typing import NDArray

from enclave.errors import EnclaveBug, IntegrityError, RequestError, SetupError
from enclave.vault.block import SEGMENT_BYTES
from enclave.vault.keys import KeyUse
from enclave.vault.reader import DatasetReader
from enclave.vault.store import Vault
from tests.lib.vault_kit import make_vault, master_path, open_vault, persons, same, unlocked_master

TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return make_vault(tmp_path)


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_every_type_comes_back(vault: Vault, tmp_path: Path, rows: int) -> None:
    columns: dict[str, NDArray[Any]] = {name: np.arange(rows).astype(name) for name in TYPES}
    vault.write("p", "d", "all", columns, meta={"source": "register", "titel": "Leefloon é"})
    for opened in (vault, open_vault(tmp_path)):
        assert same(opened.read("p", "d", "all"), columns)
        assert opened.meta("p", "d", "all") == {"source": "register", "titel": "Leefloon é"}


@pytest.mark.parametrize("rows", [SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES + 5])
def test_columns_of_several_segments_come_back(vault: Vault, rows: int) -> None:
    columns: dict[str, NDArray[Any]] = {"a": np.arange(rows, dtype=np.int64), "b": np.arange(rows).astype(np.int8)}
    vault.write("p", "d", "all", columns, meta={})
    assert same(vault.read("p", "d", "all"), columns)
    assert same(vault.read("p", "d", "all", ["b"]), {"b": columns["b"]})


def test_arrays_in_other_layouts_come_back_in_ours(vault: Vault) -> None:
    column = np.arange(20, dtype=">i4")[::2]
    vault.write("p", "d", "all", {"a": column}, meta={})
    assert vault.read("p", "d", "all")["a"].tolist() == column.tolist()


def test_only_the_columns_asked_for_come_in_the_order_asked_for(vault: Vault) -> None:
    vault.write("p", "d", "all", persons(10), meta={})
    assert list(vault.read("p", "d", "all", ["region", "person"])) == ["region", "person"]
    assert vault.read("p", "d", "all", []) == {}


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"a": np.zeros(2), "b": np.zeros(3)},
        {"a": np.zeros((2, 2))},
        {"a": np.array(["x"])},
        {"a": np.array([None])},
        {"a": np.zeros(2, "M8[D]")},
        {"a": np.zeros(2, complex)},
    ],
)
def test_only_flat_numbers_of_equal_length_are_kept(vault: Vault, columns: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(EnclaveBug, match="VAULT_COLUMNS"):
        vault.write("p", "d", "all", columns, meta={})
    assert vault.projects() == ()


def test_partitions_are_listed_in_order(vault: Vault) -> None:
    for quarter in ("2009-Q4", "2009-Q2", "2010-Q1"):
        vault.write("advice-17-17-2016", "persons", quarter, persons(3), meta={})
    assert vault.partitions("advice-17-17-2016", "persons") == ("2009-Q2", "2009-Q4", "2010-Q1")
    assert vault.partitions("advice-17-17-2016", "jobs") == ()
    assert vault.partitions("other", "persons") == ()
    assert vault.projects() == ("advice-17-17-2016",)


def test_a_partition_is_written_once(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "d", "all", persons(5), meta={"v": "1"})
    with pytest.raises(RequestError, match="PARTITION_EXISTS"):
        vault.write("p", "d", "all", persons(6, seed=2), meta={"v": "2"})
    assert same(vault.read("p", "d", "all"), persons(5))
    vault.write("p", "d", "all", persons(6, seed=2), meta={"v": "2"}, replace=True)
    assert same(vault.read("p", "d", "all"), persons(6, seed=2))
    assert vault.meta("p", "d", "all") == {"v": "2"}
    assert len(list((tmp_path / "vault" / "data" / "p" / "d").glob("all.*"))) == 1


def test_every_change_changes_the_snapshot(vault: Vault, tmp_path: Path) -> None:
    seen = set()
    for partition, replace in (("1", False), ("2", False), ("2", True)):
        vault.write("p", "d", partition, persons(5), meta={}, replace=replace)
        seen.add(vault.snapshot("p", "d"))
        assert open_vault(tmp_path).snapshot("p", "d") == vault.reader("p", "d").snapshot == vault.snapshot("p", "d")
    assert len(seen) == 3


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "_sealed", ".half-x", "a b", "é", "a\n", "x" * 81])
def test_names_that_lead_elsewhere_are_refused(vault: Vault, name: str) -> None:
    for act in (
        lambda: vault.write(name, "d", "x", persons(1), meta={}),
        lambda: vault.write("p", name, "x", persons(1), meta={}),
        lambda: vault.write("p", "d", name, persons(1), meta={}),
        lambda: vault.read("p", name, "x"),
        lambda: vault.meta("p", "d", name),
        lambda: vault.partitions(name, "d"),
        lambda: vault.reader("p", name),
        lambda: vault.snapshot(name, "d"),
        lambda: vault.seal("p", name, b""),
        lambda: vault.unseal(name, "x"),
        lambda: vault.coder("p", name),
        lambda: vault.destroy_project(name),
    ):
        with pytest.raises(RequestError, match="VAULT_NAME"):
            act()


def test_unknown_things_have_a_sentence(vault: Vault) -> None:
    vault.write("p", "d", "all", persons(1), meta={})
    for code, act in (
        ("UNKNOWN_DATASET", lambda: vault.read("q", "d", "all")),
        ("UNKNOWN_DATASET", lambda: vault.reader("p", "e")),
        ("UNKNOWN_PARTITION", lambda: vault.read("p", "d", "none")),
        ("UNKNOWN_PARTITION", lambda: vault.meta("p", "d", "none")),
        ("UNKNOWN_COLUMN", lambda: vault.read("p", "d", "all", ["sex", "age"])),
        ("UNKNOWN_DATASET", lambda: vault.unseal("p", "letter")),
        ("UNKNOWN_PROJECT", lambda: vault.check("q")),
        ("UNKNOWN_PROJECT", lambda: vault.destroy_project("q")),
    ):
        with pytest.raises(RequestError, match=code):
            act()


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 9000])
def test_a_sealed_document_comes_back(vault: Vault, tmp_path: Path, data: bytes) -> None:
    vault.seal("p", "request-1", data)
    assert open_vault(tmp_path).unseal("p", "request-1") == data
    vault.seal("p", "request-1", b"new")
    vault.seal("p", "request-2", b"other")
    assert (vault.unseal("p", "request-1"), vault.unseal("p", "request-2")) == (b"new", b"other")


def test_a_coder_keeps_its_codes_over_sessions(vault: Vault, tmp_path: Path) -> None:
    numbers = np.array([85010112345, 85010112346], np.int64)
    codes = vault.coder("p", "person").code(numbers)
    again = open_vault(tmp_path).coder("p", "person")
    assert again.code(numbers[::-1]).tolist() == codes[::-1].tolist()
    more = again.code(np.append(numbers, 1))
    assert more[:2].tolist() == codes.tolist()
    assert vault.coder("p", "person").code(np.append(numbers, 1)).tolist() == more.tolist()


def test_a_reader_travels_and_reads(vault: Vault) -> None:
    vault.write("p", "d", "all", persons(9), meta={"a": "b"})
    vault.write("p", "d", "more", persons(4), meta={})
    reader = pickle.loads(pickle.dumps(vault.reader("p", "d")))
    assert isinstance(reader, DatasetReader)
    assert reader.partitions == ("all", "more")
    assert (reader.rows("all"), reader.rows("more")) == (9, 4)
    assert same(reader.read("all", ["sex"]), {"sex": persons(9)["sex"]})
    assert reader.meta("all") == {"a": "b"}
    assert not hasattr(reader, "write")


def test_a_reader_never_reads_what_came_after_it(vault: Vault) -> None:
    vault.write("p", "d", "all", persons(9), meta={})
    reader = vault.reader("p", "d")
    vault.write("p", "d", "more", persons(9), meta={})
    assert reader.partitions == ("all",)
    vault.write("p", "d", "all", persons(8), meta={}, replace=True)
    with pytest.raises(IntegrityError, match="BLOCK_MISSING"):
        reader.read("all")


def test_the_vault_and_the_coder_do_not_travel(vault: Vault) -> None:
    for thing in (vault, vault.coder("p", "person")):
        with pytest.raises(EnclaveBug, match="KEY_TRAVELS"):
            pickle.dumps(thing)


def test_key_uses_are_told(tmp_path: Path) -> None:
    events: list[tuple[str, str, str]] = []
    vault = make_vault(tmp_path, lambda *event: events.append(event))
    vault.write("p", "d", "all", persons(1), meta={})
    vault.read("p", "d", "all")
    vault.reader("p", "d")
    vault.destroy_project("p")
    assert events == [
        (KeyUse.CREATED, "p", "d"),
        (KeyUse.UNLOCKED, "p", "d"),
        (KeyUse.HANDED_OUT, "p", "d"),
        (KeyUse.MASTER_REPLACED, "", ""),
        (KeyUse.DESTROYED, "p", ""),
    ]


def test_opening_a_vault_unlocks_nothing(tmp_path: Path) -> None:
    make_vault(tmp_path).write("p", "d", "all", persons(1), meta={})
    events: list[tuple[str, str, str]] = []
    open_vault(tmp_path, lambda *event: events.append(event)).projects()
    assert events == []


def test_a_destroyed_project_is_gone_and_stays_gone(vault: Vault, tmp_path: Path) -> None:
    for project in ("p", "q"):
        vault.write(project, "d", "all", persons(5), meta={})
        vault.seal(project, "letter", b"text")
    codes = vault.coder("q", "person").code(np.arange(5))
    reader = vault.reader("p", "d")
    vault.destroy_project("p")
    assert not (tmp_path / "vault" / "data" / "p").exists()
    for opened in (vault, open_vault(tmp_path)):
        assert opened.projects() == ("q",)
        assert same(opened.read("q", "d", "all"), persons(5))
        assert opened.coder("q", "person").code(np.arange(5)).tolist() == codes.tolist()
        opened.check("q")
        with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
            opened.read("p", "d", "all")
        with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
            opened.write("p", "d", "all", persons(5), meta={})
        with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
            opened.check("p")
        with pytest.raises(RequestError, match="PROJECT_DESTROYED"):
            opened.coder("p", "person")
    with pytest.raises(IntegrityError, match="BLOCK_MISSING"):
        reader.read("all")


def test_everything_on_disk_is_private(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "d", "all", persons(5), meta={})
    vault.coder("p", "person").code(np.arange(5))
    for path in [tmp_path / "vault", *(tmp_path / "vault").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    vault.check("p")


@pytest.mark.parametrize("folder", ["keys", "data"])
def test_a_folder_open_to_others_is_refused(vault: Vault, tmp_path: Path, folder: str) -> None:
    (tmp_path / "vault" / folder).chmod(0o750)
    with pytest.raises(SetupError, match="NOT_PRIVATE"):
        open_vault(tmp_path)


def test_a_vault_is_made_once_and_opened_where_it_is(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="VAULT_EXISTS"):
        Vault.create(tmp_path / "vault", unlocked_master(master_path(tmp_path)))
    with pytest.raises(SetupError, match="NO_VAULT"):
        Vault(tmp_path / "elsewhere", unlocked_master(master_path(tmp_path)))


def test_data_without_a_ring_is_not_taken_for_an_empty_vault(vault: Vault, tmp_path: Path) -> None:
    vault.write("p", "d", "all", persons(5), meta={})
    (tmp_path / "vault" / "keys" / "keyring").unlink()
    with pytest.raises(SetupError, match="NO_VAULT"):
        open_vault(tmp_path)
    with pytest.raises(SetupError, match="VAULT_EXISTS"):
        Vault.create(tmp_path / "vault", unlocked_master(master_path(tmp_path)))


def test_check_removes_what_a_power_cut_left_without_a_note(vault: Vault, tmp_path: Path) -> None:
    """A block of the next generation: written, and never in force."""
    vault.write("p", "d", "all", persons(5), meta={})
    left = tmp_path / "vault" / "data" / "p" / "d" / "more.00000002.block"
    left.write_bytes(b"half a block")
    vault.check("p")
    assert not left.exists()


def test_a_vault_says_where_it_is_and_no_more(vault: Vault, tmp_path: Path) -> None:
    assert repr(vault) == f"Vault({str(tmp_path / 'vault')!r})"
    vault.write("p", "d", "all", persons(5), meta={})
    assert repr(vault.reader("p", "d")) == "DatasetReader(project='p', dataset='d', key hidden)"


def test_dask_workers_read_in_processes_of_their_own(vault: Vault) -> None:
    quarters = ("2009-Q2", "2009-Q3")
    for seed, quarter in enumerate(quarters):
        vault.write("p", "persons", quarter, persons(50, seed), meta={})
    reader = vault.reader("p", "persons")
    tasks = [delayed(reader.read)(quarter, ["sex"]) for quarter in quarters]
    found = compute(*tasks, scheduler="processes", num_workers=1)  # type: ignore[no-untyped-call]  # Dask has no types
    for seed, columns in enumerate(found):
        assert same(columns, {"sex": persons(50, seed)["sex"]})
    assert "hidden" in repr(reader)
    assert not any(repr(reader.key.secret)[2:10] in repr(task.dask) for task in tasks)
