"""What a wrong release looks like to the verifier even when it is signed: the flaws that hashes cannot show."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enclave.errors import EnclaveBug, IntegrityError
from enclave.ledger.manifest import MANIFEST, SIGNATURE, canonical_json
from enclave.ledger.read_release import read_release
from enclave.ledger.signing import SigningKey
from enclave.ledger.verify_release import verify
from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.derive import derive
from enclave.sdc.table import Mark
from tests.lib.releases import (
    by_sex_and_position,
    content,
    published,
    release_files,
    with_changes,
    words,
    written,
)

Manifest = dict[str, Any]
Change = Callable[[dict[str, bytes], Manifest], None]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.create(tmp_path_factory.mktemp("keys") / "release.key")


def problems(folder: Path, key: SigningKey, change: Change) -> list[str]:
    """Change files or manifest, hash and sign again as a careless publisher would, and verify."""
    files = release_files(key, content())
    manifest = json.loads(files[MANIFEST])
    change(files, manifest)
    listed = {path: data for path, data in files.items() if path not in {MANIFEST, SIGNATURE}}
    manifest["files"] |= {path: hashlib.sha256(data).hexdigest() for path, data in listed.items()}
    files[MANIFEST] = canonical_json(manifest)
    files[SIGNATURE] = key.sign(files[MANIFEST])
    return verify(written(folder, files), key.public_pem)


def replaced(path: str, old: str, new: str) -> Change:
    """Return a change of one place in a file; the place must be there, once."""

    def change(files: dict[str, bytes], _: Manifest) -> None:
        assert files[path].count(old.encode()) == 1
        files[path] = files[path].replace(old.encode(), new.encode())

    return change


def told(entry: Callable[[Manifest], dict[str, Any]], **new: object) -> Change:
    """Return a change of what the manifest says."""

    def change(_: dict[str, bytes], manifest: Manifest) -> None:
        entry(manifest).update(new)

    return change


def whole(manifest: Manifest) -> Manifest:
    return manifest


def table(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["tables"][0]
    return found


def mark(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["marks"][0]
    return found


def test_an_untouched_release_verifies(tmp_path: Path, key: SigningKey) -> None:
    assert problems(tmp_path, key, lambda _files, _manifest: None) == []


T1, T2 = "tables/t1.csv", "tables/t2.csv"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(replaced(T1, "_T,1,2009-Q2,person,93", "_T,1,2009-Q2,person,94"), id="first hierarchy"),
        pytest.param(
            replaced(T1, "_T,active,2009-Q2,person,177", "_T,active,2009-Q2,person,178"), id="second hierarchy"
        ),
        pytest.param(replaced(T1, "1,12,2009-Q3,person,20", "1,12,2009-Q3,person,21"), id="inner cell"),
    ],
)
def test_what_is_shown_must_add_up(tmp_path: Path, key: SigningKey, change: Change) -> None:
    assert any("is not a sum" in problem for problem in problems(tmp_path, key, change))


def test_a_cell_must_be_the_same_in_two_tables(tmp_path: Path, key: SigningKey) -> None:
    def change(files: dict[str, bytes], _: Manifest) -> None:
        files[T2] = files[T2].replace(b"person,100", b"person,101").replace(b"person,200", b"person,202")

    (problem,) = problems(tmp_path, key, change)
    assert "'t2' disagrees with another table or period" in problem


@pytest.mark.parametrize(("constant", "found"), [(["sex"], 1), ([], 0)])
def test_what_is_constant_must_be_the_same_in_all_periods(
    tmp_path: Path, key: SigningKey, constant: list[str], found: int
) -> None:
    def change(files: dict[str, bytes], manifest: Manifest) -> None:
        manifest["tables"] = manifest["tables"][1:2]
        table(manifest)["constant"] = constant
        for old, new in (
            (b"\n1,2009-Q3,person,100", b"\n1,2009-Q3,person,99"),
            (b"2009-Q3,person,200", b"2009-Q3,person,199"),
        ):
            assert old in files[T2]
            files[T2] = files[T2].replace(old, new)

    told_problems = problems(tmp_path, key, change)
    assert len(told_problems) == found
    assert all("disagrees with another table or period" in problem for problem in told_problems)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("_T,_T,2009-Q2,person,200,F,A", ""),
        ("_T,_T,2009-Q2,person,200,F,A\n", ""),
        ("_T,_T,2009-Q2,person,200,F,A\n", "_T,_T,2009-Q2,person,200,F,A\n" * 2),
        (
            "_T,_T,2009-Q2,person,200,F,A\n_T,_T,2009-Q3,person,200,F,A",
            "_T,_T,2009-Q3,person,200,F,A\n_T,_T,2009-Q2,person,200,F,A",
        ),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,9,2009-Q2,person,200,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q1,person,200,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,euro,200,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,200,F,A,4"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,40,C,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,4e1,C,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person, ,C,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,forty,C,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,,D,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,,C,Z"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,,,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,,F,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,40,F,A"),
        ("1,11,2009-Q2,person,,C,A", "1,11,2009-Q2,person,,F,N"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,200,F,Z"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,200,F,N"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,200,F,Q"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,0200,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,+200,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person, 200,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,200.0,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,2e2,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", "_T,_T,2009-Q2,person,२००,F,A"),
        ("_T,_T,2009-Q2,person,200,F,A", '_T,_T,2009-Q2,person,"200,F,A'),
        ("sex,position,TIME_PERIOD", "position,sex,TIME_PERIOD"),
        ("OBS_STATUS", "OBS_STATUS,NOTE"),
    ],
)
def test_a_flaw_in_a_table_is_found(tmp_path: Path, key: SigningKey, old: str, new: str) -> None:
    assert problems(tmp_path, key, replaced(T1, old, new))


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("codelists/sex.1.csv", "2,,", "1,,"),
        ("codelists/sex.1.csv", "2,,", "_T,,"),
        ("codelists/sex.1.csv", "2,,", "2,9,"),
        ("codelists/sex.1.csv", "2,,", "3,,"),
        ("codelists/sex.1.csv", "2,,", "1,,a,b,c\n2,,"),
        ("codelists/sex.1.csv", "2,,", "_T,,a,b,c\n2,,"),
        ("codelists/sex.1.csv", "code,parent", "kode,parent"),
        ("codelists/position.2.csv", "2,active,", "2,,"),
    ],
)
def test_a_flaw_in_a_code_list_is_found(tmp_path: Path, key: SigningKey, path: str, old: str, new: str) -> None:
    assert problems(tmp_path, key, replaced(path, old, new))


@pytest.mark.parametrize(
    "change",
    [
        told(whole, format="release/2"),
        told(whole, stamp="REAL"),
        told(whole, attackers=[]),
        told(whole, attackers=[{"kind": "outsider", "cells_attacked": 1, "passed": False}]),
        told(whole, attackers=[{"kind": "outsider", "cells_attacked": 1, "passed": 1}]),
        told(whole, marks=[]),
        told(whole, tables=[]),
        told(whole, tables="t1"),
        told(mark, code="D"),
        told(mark, minimum=None),
        told(mark, minimum=3, maximum=2),
        told(mark, meaning={"nl": "a", "fr": "b"}),
        told(mark, meaning={"nl": "a", "fr": "b", "en": ""}),
        told(table, cells=35),
        told(table, hidden=9),
        told(table, decimals=1),
        told(table, id="t2"),
        told(table, file="tables/t2.csv"),
        told(table, file="../../etc/passwd"),
        told(table, dimensions=["position", "sex"]),
        told(table, dimensions=["sex"]),
        told(table, dimensions=["../sex", "position"]),
        told(table, periods=["2009-Q2", "2009-Q2"]),
        told(table, periods=["2009-Q3", "2009-Q2"]),
        told(table, unit="euro"),
        told(table, measure=None),
        told(table, filter=None),
    ],
)
def test_a_manifest_that_says_something_else_is_found(tmp_path: Path, key: SigningKey, change: Change) -> None:
    assert problems(tmp_path, key, change)


def only_totals(files: dict[str, bytes], manifest: Manifest) -> None:
    """Leave one table with its total only, over an empty code list."""
    manifest["tables"] = manifest["tables"][1:2]
    table(manifest)["cells"] = 2
    files[T2] = b"".join(files[T2].splitlines(keepends=True)[:3])
    files["codelists/sex.1.csv"] = files["codelists/sex.1.csv"].splitlines(keepends=True)[0]


def one_period_twice(files: dict[str, bytes], manifest: Manifest) -> None:
    """Print one period under its name twice, in table and manifest alike."""
    manifest["tables"] = manifest["tables"][1:2]
    table(manifest)["periods"] = ["2009-Q2", "2009-Q2"]
    files[T2] = files[T2].replace(b"2009-Q3", b"2009-Q2")


def unexplained(_: dict[str, bytes], manifest: Manifest) -> None:
    """Explain no mark, in a release that hides nothing."""
    manifest["tables"] = manifest["tables"][1:2]
    manifest["marks"] = []


@pytest.mark.parametrize("change", [only_totals, one_period_twice, unexplained])
def test_flaws_that_fit_each_other_are_found(tmp_path: Path, key: SigningKey, change: Change) -> None:
    assert problems(tmp_path, key, change)


@pytest.mark.parametrize("name", [".hidden", "a b", "tables/.t1.csv.swp"])
def test_an_unsafe_name_is_refused_before_anything_is_read(tmp_path: Path, key: SigningKey, name: str) -> None:
    folder = written(tmp_path, release_files(key, content()) | {name: b""})
    (problem,) = verify(folder, key.public_pem)
    assert "is a link, a special file or an unsafe name" in problem


def test_too_many_files_are_not_read(tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.ledger.verify_release.MOST_FILES", 5)
    folder = written(tmp_path, release_files(key, content()))
    assert verify(folder, key.public_pem) == ["Refused: the folder holds more than a release can"]


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "tables\\t1.csv", "", ".hidden", "a\n"])
def test_unsafe_paths_in_a_manifest_are_refused(tmp_path: Path, key: SigningKey, path: str) -> None:
    found = problems(tmp_path, key, lambda _, manifest: manifest["files"].update({path: "00" * 32}))
    assert any("is not a safe path" in problem for problem in found)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"format":"release/1","format":"release/1"}',
        b'{"a":{"b":1,"b":1},"format":"release/1"}',
        b'{"format": "release/1"}',
        b'{"format":"release/1"}',
        b'{"a":NaN,"format":"release/1"}',
        b'{"a":"\\ud800","format":"release/1"}',
        b"[" * 200_000,
        b"9" * 10_000,
    ],
)
def test_a_signed_manifest_that_is_no_manifest_is_refused(tmp_path: Path, key: SigningKey, data: bytes) -> None:
    files = release_files(key, content()) | {MANIFEST: data, SIGNATURE: key.sign(data)}
    assert verify(written(tmp_path, files), key.public_pem)


def test_a_doubled_key_is_named_even_where_it_changes_nothing(tmp_path: Path, key: SigningKey) -> None:
    files = release_files(key, content())
    data = files[MANIFEST].replace(b'"stage":"inside"', b'"stage":"inside","stage":"inside"')
    files |= {MANIFEST: data, SIGNATURE: key.sign(data)}
    (problem,) = verify(written(tmp_path, files), key.public_pem)
    assert "a key stands twice" in problem


def test_unsigned_results_verify_only_when_asked_so(tmp_path: Path, key: SigningKey) -> None:
    files = release_files(key, content())
    folder = written(tmp_path, {path: data for path, data in files.items() if path != SIGNATURE})
    assert verify(folder, None) == []
    assert verify(folder, key.public_pem)
    assert verify(written(folder, files), None)


@pytest.mark.parametrize("pem", [b"", b"nonsense"])
def test_a_damaged_public_key_verifies_nothing(tmp_path: Path, key: SigningKey, pem: bytes) -> None:
    assert verify(published(tmp_path, key), pem)


def test_a_folder_that_is_too_large_is_not_read_to_its_end(
    tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path, release_files(key, content()))
    with (folder / "large").open("wb") as file:
        file.truncate(2**40)
    monkeypatch.setattr("enclave.ledger.verify_release.MOST_BYTES", 2**20)
    assert verify(folder, key.public_pem) == ["Refused: the folder holds more than a release can"]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, key: SigningKey) -> None:
    folder = written(tmp_path, release_files(key, content()))
    os.mkfifo(folder / "pipe")
    (problem,) = verify(folder, key.public_pem)
    assert "'pipe' is a link, a special file or an unsafe name" in problem


def test_no_folder_is_no_release(tmp_path: Path, key: SigningKey) -> None:
    assert verify(tmp_path / "nowhere", key.public_pem)


def test_derived_tables_verify_and_come_back(tmp_path: Path, key: SigningKey) -> None:
    position, title = ("position", "_T"), words("d")
    made = derive(
        [
            Derivation("d1", title, Kind.SUM, "t1", select=(("position", ("12", "2")),)),
            Derivation("d2", title, Kind.SHARE, "t1", denominator=(position,), decimals=2),
            Derivation("d3", title, Kind.CHANGE, "t1", lag=1),
        ],
        [by_sex_and_position()],
    )
    folder = published(tmp_path, key, content(tables=made, marks=[Mark("X", None, None)]))
    assert verify(folder, key.public_pem) == []
    assert [table.spec for table in read_release(folder, key.public_pem).tables] == [table.spec for table in made]


def test_a_release_is_read_back_as_it_was(tmp_path: Path, key: SigningKey) -> None:
    made = content()
    release = read_release(published(tmp_path, key, made), key.public_pem)
    assert release.marks == (Mark("C", 0, None),)
    assert release.labels == made.labels
    assert release.manifest["release"] == "r1"
    for table, entry in zip(release.tables, made.tables, strict=True):
        assert table.spec == entry.table.spec
        for name in ("values", "marks", "structural"):
            assert np.array_equal(getattr(table, name), getattr(entry.table, name))


def test_zeros_and_missing_figures_come_back(tmp_path: Path, key: SigningKey) -> None:
    base = by_sex_and_position()
    spec = replace(base.spec, measure="count:share:sex=_T", constant=frozenset())
    values, marks, structural = np.zeros_like(base.values), np.full(spec.shape, "F"), np.zeros(spec.shape, np.bool_)
    values[0, 1, 1], marks[0, 0, 0], marks[1, 2, 3], structural[1, 1, 1] = -125, "N", "L", True
    made = content(tables=[replace(base, spec=spec, values=values, marks=marks, structural=structural, decimals=2)])
    (table,) = read_release(published(tmp_path, key, made), key.public_pem).tables
    assert np.array_equal(table.values, values)
    assert np.array_equal(table.marks, marks)
    assert np.array_equal(table.structural, structural)
    assert table.decimals == 2


def test_a_release_that_does_not_verify_is_not_read(tmp_path: Path, key: SigningKey) -> None:
    files = release_files(key, content())
    folder = written(tmp_path, files | {"README.txt": b"other"})
    with pytest.raises(IntegrityError, match=r"RELEASE_INVALID.*README\.txt.*was changed"):
        read_release(folder, key.public_pem)


def test_it_is_short_and_needs_nothing_of_the_enclave(tmp_path: Path, key: SigningKey) -> None:
    program = Path("enclave/ledger/verify_release.py")
    source = program.read_text()
    assert len(source.splitlines()) < 200
    assert "enclave" not in "".join(line for line in source.splitlines() if line.startswith(("import", "from")))
    (tmp_path / "key.pem").write_bytes(key.public_pem)
    alone = written(tmp_path / "elsewhere", {"verify_release.py": program.read_bytes()})
    command = ["-I", alone / "verify_release.py", published(tmp_path, key), "--key", tmp_path / "key.pem"]
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED: signature, hashes")


def test_without_a_key_it_says_how_it_is_used(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-I",
        "enclave/ledger/verify_release.py",
        str(tmp_path),
        "--key",
        str(tmp_path / "none.pem"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no key there" in done.stderr


def test_hidden_changes_verify_with_a_mark_that_has_no_minimum(tmp_path: Path, key: SigningKey) -> None:
    folder = published(tmp_path, key, with_changes())
    assert verify(folder, key.public_pem) == []
    release = read_release(folder, key.public_pem)
    assert [(mark.code, mark.minimum, mark.maximum) for mark in release.marks] == [("C", 0, None), ("X", None, None)]
    assert np.unique(release.tables[1].marks).tolist() == ["F", "X"]


def test_a_hidden_change_said_to_be_zero_or_more_is_refused(tmp_path: Path, key: SigningKey) -> None:
    """By whoever writes the release, and by whoever verifies one that was written by hand."""
    with pytest.raises(EnclaveBug):
        with_changes(0)
    files = release_files(key, with_changes())
    manifest = json.loads(files[MANIFEST])
    manifest["marks"][1]["minimum"] = 0
    files[MANIFEST] = canonical_json(manifest)
    files[SIGNATURE] = key.sign(files[MANIFEST])
    assert verify(written(tmp_path / "changed", files), key.public_pem)


def test_a_hidden_count_without_a_minimum_is_refused() -> None:
    made = content()
    with pytest.raises(EnclaveBug):
        replace(made, marks=(replace(made.marks[0], mark=Mark("C", None, None)),))
