"""Attacks by a supplier of data: poisoned files neither get in, nor hide good rows, nor show up in a message."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from enclave.errors import DeliveryError
from enclave.linkage.intake import Intake
from enclave.linkage.quarantine import Reason
from enclave.linkage.reading import Taken, take_in
from enclave.linkage.report import Outcome
from enclave.linkage.taken import PROJECT
from enclave.policy.quarter import Quarter
from enclave.vault.store import Vault
from tests.lib import policy_files
from tests.lib.delivery_kit import ANTWERP, REGISTER, SUPPORT, csv, insz, spell, write_folder
from tests.lib.vault_kit import make_vault

FILE = "support_2009-Q2.csv"
GOOD = [spell(person, "2009-Q2") for person in range(200)]


def take(data: bytes, *, source: str = "support", ending: str = "csv", synthetic: bool = True) -> Taken:
    schema = policy_files.sources()[source]
    file = f"{source}_2009-Q2.{ending}"
    return take_in(data, file, schema, Quarter(2009, 2), policy_files.codelists(), synthetic=synthetic)


def among_good(*lines: bytes) -> Taken:
    """Take in the given lines in the middle of 200 good ones."""
    data = csv(SUPPORT, GOOD).splitlines(keepends=True)
    return take(b"".join([*data[:101], *(line + b"\n" for line in lines), *data[101:]]))


def holds_all_good_rows(taken: Taken) -> bool:
    held: list[int] = taken.columns["insz"].tolist()
    return held == [int(insz(person)) for person in range(200)]


def poisoned(column: int, value: bytes) -> bytes:
    fields = spell(500, "2009-Q2").encode().split(b",")
    fields[column] = value
    return b",".join(fields)


VALUES: dict[Reason, list[bytes]] = {
    Reason.FORMULA: [b"=HYPERLINK(x)", b"+1", b"-1", b"@SUM(A1)", b"\t=1", b"=cmd|' /C calc'!A0"],
    Reason.NUL: [b"RMI\0", b"\0", b"RM\0I"],
    Reason.ENCODING: [b"RM\xe9", b"\xff\xfeR\xffM\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"],
    Reason.CONTROL: [b"RMI\x1b[31m", b"RMI\x7f", "RMI\u202e".encode(), "RMI\u200b".encode(), b"\x08RMI"],
    Reason.TOO_LONG: [b"R" * 101, b"1" * 9_000],
}


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize(("reason", "value"), [(reason, value) for reason in VALUES for value in VALUES[reason]])
def test_poisoned_value_in_any_column(column: int, reason: Reason, value: bytes) -> None:
    taken = among_good(poisoned(column, value))
    assert holds_all_good_rows(taken)
    (fault,) = taken.quarantine.faults
    assert (fault.line, fault.column, fault.reason) == (102, SUPPORT.split(",")[column], reason)


@pytest.mark.parametrize(
    "value",
    [
        "\uff32\uff2d\uff29", "R\u041cI", "rmi", " RMI", "RMI ", "RMI\xa0", "RMI'", "RMI;DROP TABLE", "{RMI}", "%52MI",
        "RMI\\", "NULL", "_T", "*",
    ],
)  # fmt: skip
def test_codes_that_only_look_right(value: str) -> None:
    taken = among_good(poisoned(1, value.encode()))
    assert holds_all_good_rows(taken)
    (fault,) = taken.quarantine.faults
    assert fault.reason in {Reason.UNKNOWN_CODE, Reason.CONTROL}


@pytest.mark.parametrize(
    "value", ["٠١٢٣٤٥٦٧٨٩٠", "1e10", "0x7061010016", "70.61.01-001.67", "-7061010016", "inf", "nan"]
)
def test_person_numbers_that_only_look_like_numbers(value: str) -> None:
    taken = among_good(poisoned(0, value.encode()))
    assert holds_all_good_rows(taken)
    assert {fault.reason for fault in taken.quarantine.faults} <= {Reason.INSZ_FORMAT, Reason.FORMULA}


def test_a_stray_quotation_mark_swallows_nothing() -> None:
    for line in (b'"', b'"' + GOOD[0].encode(), GOOD[0].encode() + b'"', b'x"y', b'""","'):
        taken = among_good(line)
        assert holds_all_good_rows(taken)
        assert taken.quarantine.rows == 1


def test_two_stray_quotation_marks_swallow_nothing() -> None:
    lines = csv(SUPPORT, GOOD).splitlines()
    taken = take(b"\n".join([*lines[:50], b'"', *lines[50:60], b'"', *lines[60:]]) + b"\n")
    assert holds_all_good_rows(taken)
    assert [fault.line for fault in taken.quarantine.faults] == [51, 62]


def test_a_line_of_many_megabytes_costs_little() -> None:
    began = time.process_time()
    taken = among_good(b"x" * 30_000_000, b"," * 5_000_000, b'"' * 5_000_001)
    assert holds_all_good_rows(taken)
    assert taken.quarantine.counts == {Reason.TOO_LONG: 3}
    assert len(taken.quarantine.to_bytes()) < 10_000
    assert time.process_time() - began < 20, "far more than it takes, far less than a wrong order of growth would"


def test_a_million_empty_lines_are_counted_but_not_all_kept() -> None:
    taken = take(csv(SUPPORT, GOOD) + b"\n" * 1_000_000)
    assert taken.quarantine.counts == {Reason.RAGGED: 1_000_000}
    assert len(taken.quarantine.faults) == 100_000
    assert taken.is_over_limit


def test_repeating_persons_does_not_raise_any_count() -> None:
    once = take(csv(SUPPORT, GOOD))
    again = take(csv(SUPPORT, [*GOOD, *GOOD[:3], *GOOD[:3]]))
    for name, values in once.columns.items():
        assert again.columns[name].tolist() == values.tolist()
    assert again.quarantine.counts == {Reason.DUPLICATE_ROW: 6}


def test_two_sexes_for_one_person_are_no_choice() -> None:
    rows = [f"{insz(person)},F,{ANTWERP},SING,BE," for person in range(200)]
    taken = take(csv(REGISTER, [*rows, f"{insz(7)},M,{ANTWERP},SING,BE,"]), source="register")
    assert int(insz(7)) not in taken.columns["insz"].tolist()
    assert taken.quarantine.counts == {Reason.DUPLICATE_CONFLICT: 2}


def test_a_real_number_in_made_up_data_and_the_other_way_round() -> None:
    real = spell(500, "2009-Q2").replace(insz(500), insz(500, month=1))
    assert among_good(real.encode()).quarantine.counts == {Reason.INSZ_NOT_MADE_UP: 1}
    taken = take(csv(SUPPORT, [*GOOD[:1], real]), synthetic=False)
    assert taken.quarantine.counts == {Reason.INSZ_MADE_UP: 1}
    assert taken.is_over_limit


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.replace(b",", b";"),
        lambda data: data.replace(b"regime", b"regime,wage", 1),
        lambda data: data.replace(b"regime,form", b"form,regime", 1),
        lambda data: data.split(b"\n", 1)[1],
        lambda data: b"sep=,\n" + data,
        lambda data: b"\x1f\x8b" + data,
        lambda _: b"",
        lambda _: b"\n\n\n",
    ],
)
def test_another_format_is_refused_whole(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DeliveryError, match=r"DELIVERY_COLUMNS: support_2009-Q2\.csv"):
        take(spoil(csv(SUPPORT, GOOD)))


def parquet_file(**columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def positions(numbers: list[str], codes: pa.Array | list[str]) -> bytes:
    return parquet_file(insz=numbers, position=codes)


def test_poisoned_text_in_parquet() -> None:
    codes = ["111"] * 200
    numbers = [insz(person) for person in range(200)]
    bad = pa.array([*[b"111"] * 199, b"1\xff1"], pa.binary())
    not_utf8 = pa.StringArray.from_buffers(200, bad.buffers()[1], bad.buffers()[2])
    for data in (positions(numbers, [*codes[:-1], "=1"]), positions(numbers, not_utf8)):
        taken = take(data, source="positions", ending="parquet")
        assert taken.good_rows == 199
        assert [fault.line for fault in taken.quarantine.faults] == [200]


def test_parquet_with_a_column_too_many_brings_nothing_in() -> None:
    data = parquet_file(insz=[insz(0)], position=["111"], name=["somebody"])
    with pytest.raises(DeliveryError, match="DELIVERY_COLUMNS"):
        take(data, source="positions", ending="parquet")


def test_a_changed_parquet_file_gives_its_rows_or_a_refusal() -> None:
    """Whoever changes a file also changes its hash in the manifest; the reader itself must hold."""
    data = positions([insz(person) for person in range(300)], ["111"] * 300)
    draw = np.random.default_rng(5)
    refused = 0
    for position in range(0, len(data), 7):
        spoiled = bytearray(data)
        spoiled[position] ^= int(draw.integers(1, 256))
        try:
            taken = take(bytes(spoiled), source="positions", ending="parquet")
        except DeliveryError:
            refused += 1
        else:
            assert taken.good_rows + taken.quarantine.rows == taken.rows
    for length in range(0, len(data), 97):
        with pytest.raises(DeliveryError):
            take(data[:length], source="positions", ending="parquet")
    assert refused


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return make_vault(tmp_path / "house")


def intake(vault: Vault) -> Intake:
    return Intake(vault, policy_files.sources(), policy_files.codelists(), synthetic=True)


def test_a_manifest_cannot_point_out_of_its_folder(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / FILE).write_bytes(csv(SUPPORT, GOOD))
    for name in (f"../outside/{FILE}", str(tmp_path / "outside" / FILE), ".", "..", "delivery.json/../x"):
        folder = write_folder(tmp_path / "in", {})
        (folder / "delivery.json").write_text(json.dumps({"stamp": "SYNTHETIC", "files": {name: "00"}}))
        with pytest.raises(DeliveryError, match="DELIVERY_FILES"):
            intake(vault).take_folder(folder)


def test_a_link_is_not_followed(vault: Vault, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {FILE: csv(SUPPORT, GOOD)})
    (folder / FILE).rename(tmp_path / "elsewhere")
    (folder / FILE).symlink_to(tmp_path / "elsewhere")
    assert [error.code for error in intake(vault).take_folder(folder).refusals] == ["DELIVERY_FILES"]


def test_a_swap_after_the_manifest_is_found(vault: Vault, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {FILE: csv(SUPPORT, GOOD)})
    (folder / FILE).write_bytes(csv(SUPPORT, GOOD[1:]))
    assert [error.code for error in intake(vault).take_folder(folder).refusals] == ["DELIVERY_HASH"]
    assert vault.partitions(PROJECT, "support") == ()


def test_the_stamp_cannot_be_left_out(vault: Vault, tmp_path: Path) -> None:
    for stamp in (None, "", "synthetic", "REAL"):
        folder = write_folder(tmp_path / "in", {FILE: csv(SUPPORT, GOOD)}, stamp=stamp)
        with pytest.raises(DeliveryError, match="DELIVERY_NOT_SYNTHETIC"):
            intake(vault).take_folder(folder)


CANARY = "kanarie"


@pytest.mark.parametrize(
    "data",
    [
        csv(SUPPORT, [f"{insz(1)},{CANARY},living_wage,2009-04-01,2009-06-30,11002"] * 3),
        csv(SUPPORT, [f"={CANARY}", f'"{CANARY}']),
        csv(CANARY, [CANARY]),
        CANARY.encode(),
        csv(f"{SUPPORT},{CANARY}", GOOD),
        csv(SUPPORT, GOOD) + CANARY.encode() * 2_000,
    ],
)
def test_no_message_and_no_log_shows_what_was_delivered(
    vault: Vault, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], data: bytes
) -> None:
    with caplog.at_level(logging.DEBUG):
        report = intake(vault).take_folder(write_folder(tmp_path / "in", {FILE: data}))
    outputs = capfd.readouterr()
    said = "".join([report.to_text(), *map(str, report.refusals), caplog.text, outputs.out, outputs.err])
    assert CANARY not in said
    assert insz(1) not in said
    kept = b"".join(path.read_bytes() for path in (tmp_path / "house").rglob("*") if path.is_file())
    assert CANARY.encode() not in kept


def test_a_poisoned_file_does_not_hold_up_its_neighbours(vault: Vault, tmp_path: Path) -> None:
    files = {FILE: b"\x00" * 100_000, "support_2009-Q3.csv": csv(SUPPORT, [spell(0, "2009-Q3")])}
    report = intake(vault).take_folder(write_folder(tmp_path / "in", files))
    assert [file.outcome for file in report.files] == [Outcome.REFUSED, Outcome.TAKEN_IN]
