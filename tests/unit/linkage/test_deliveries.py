import hashlib
import json
from pathlib import Path

import pytest

from enclave.errors import DeliveryError, SetupError
from enclave.linkage import deliveries
from enclave.linkage.deliveries import check_hash, describe, read_file, read_folder
from enclave.policy.quarter import Quarter
from tests.lib import policy_files
from tests.lib.delivery_kit import write_folder


def test_file_names_say_source_and_period() -> None:
    schemas = policy_files.sources()
    support = describe("support_2009-Q2.csv", schemas)
    assert (support.schema.id, support.period, support.label) == ("support", Quarter(2009, 2), "2009-Q2")
    assert describe("register_2014-Q1.parquet", schemas).schema.id == "register"
    clusters = describe("clusters.csv", schemas)
    assert (clusters.schema.id, clusters.period, clusters.label) == ("clusters", None, "once")


def test_source_ids_may_hold_underscores() -> None:
    schema = policy_files.sources()["support"].model_copy(update={"id": "work_forms"})
    assert describe("work_forms_2009-Q2.csv", {"work_forms": schema}).schema is schema


@pytest.mark.parametrize(
    "name",
    [
        "support.csv", "clusters_2009-Q2.csv", "support_2009-Q5.csv", "support_2009Q2.csv", "Support_2009-Q2.csv",
        "support_2009-Q2.CSV", "support_2009-Q2.xlsx", "support_2009-Q2", "wages_2009-Q2.csv",
        "support_2009-Q2.csv.bak",
        "../support_2009-Q2.csv", "", ".csv", "support_.csv", "_2009-Q2.csv",
    ],
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(DeliveryError, match=r"DELIVERY_NAME.*name it <source>_<period>"):
        describe(name, policy_files.sources())


def test_manifest_and_folder_agree(tmp_path: Path) -> None:
    write_folder(tmp_path, {"clusters.csv": b"x"})
    assert read_folder(tmp_path, synthetic=True) == {"clusters.csv": hashlib.sha256(b"x").hexdigest()}


def test_a_file_too_many_or_too_few_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, {"clusters.csv": b"x"})
    (tmp_path / "more.csv").write_bytes(b"y")
    with pytest.raises(DeliveryError, match="DELIVERY_FILES"):
        read_folder(tmp_path, synthetic=True)
    (tmp_path / "more.csv").unlink()
    (tmp_path / "clusters.csv").unlink()
    with pytest.raises(DeliveryError, match="DELIVERY_FILES"):
        read_folder(tmp_path, synthetic=True)


def test_no_manifest_no_delivery(tmp_path: Path) -> None:
    (tmp_path / "clusters.csv").write_bytes(b"x")
    with pytest.raises(DeliveryError, match=r"DELIVERY_MANIFEST.*delivery\.json"):
        read_folder(tmp_path, synthetic=True)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"{", b"null", b'{"stamp": "SYNTHETIC"}', b'{"stamp": "SYNTHETIC", "files": []}',
        b'{"stamp": "SYNTHETIC", "files": {}}', b'{"stamp": "SYNTHETIC", "files": {"a.csv": 1}}', b"\xff\xfe{}",
        b'{"stamp": "x", "stamp": "SYNTHETIC", "files": {"a.csv": "00"}}', b"[" * 100_000,
        b'{"stamp": "SYNTHETIC", "files": {"a.csv": "00", "a.csv": "01"}}',
    ],
)  # fmt: skip
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "delivery.json").write_bytes(text)
    with pytest.raises(DeliveryError, match="DELIVERY_MANIFEST"):
        read_folder(tmp_path, synthetic=True)


def test_worlds_do_not_mix(tmp_path: Path) -> None:
    made_up = write_folder(tmp_path / "made-up", {"clusters.csv": b"x"})
    real = write_folder(tmp_path / "real", {"clusters.csv": b"x"}, stamp=None)
    other = write_folder(tmp_path / "other", {"clusters.csv": b"x"}, stamp="REAL")
    assert read_folder(real, synthetic=False)
    with pytest.raises(DeliveryError, match="DELIVERY_SYNTHETIC"):
        read_folder(made_up, synthetic=False)
    for folder, synthetic, code in ((real, True, "NOT_SYNTHETIC"), (other, True, "NOT_S"), (other, False, "SYNTH")):
        with pytest.raises(DeliveryError, match=f"DELIVERY_{code}"):
            read_folder(folder, synthetic=synthetic)


def test_only_plain_files_of_a_possible_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_bytes(b"not delivered")
    (tmp_path / "clusters.csv").symlink_to(tmp_path / "secret")
    for name in ("clusters.csv", ".", "gone"):
        with pytest.raises(DeliveryError, match="DELIVERY_FILES"):
            read_file(tmp_path / name)
    monkeypatch.setattr(deliveries, "LONGEST_FILE", 12)
    with pytest.raises(DeliveryError, match="DELIVERY_SIZE"):
        read_file(tmp_path / "secret")


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clusters.csv").write_bytes(b"x")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SetupError, match=r"DELIVERY_UNREADABLE: clusters\.csv cannot be read \(Permission denied\)"):
        read_file(tmp_path / "clusters.csv")


def test_hashes(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    assert check_hash("a.csv", b"x", digest.upper()) == digest
    with pytest.raises(DeliveryError, match=r"DELIVERY_HASH: a\.csv"):
        check_hash("a.csv", b"y", digest)
    manifest = json.loads((write_folder(tmp_path, {"a.csv": b"x"}) / "delivery.json").read_text())
    assert manifest["files"] == {"a.csv": digest}
