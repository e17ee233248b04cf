"""Bad rows: those that faults.json lists are those in the files, and leaving them out gives the clean delivery."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from enclave.linkage.deliveries import describe
from enclave.linkage.reading import take_in
from enclave.policy.quarter import Quarter
from enclave.synthetic.faults import Kind, plant
from enclave.synthetic.presets import FileFormat
from tests.lib import policy_files
from tests.lib.made_up import DeliveryFolder

ALL_BUT_DATES = set(Kind) - {Kind.OUTSIDE_PERIOD}


def _listed(folder: Path) -> dict[str, dict[int, str]]:
    """Return the kind of each listed fault by file and line."""
    listed: dict[str, dict[int, str]] = {}
    for fault in json.loads((folder / "faults.json").read_text(encoding="utf-8"))["faults"]:
        listed.setdefault(fault["file"], {})[fault["line"]] = fault["kind"]
    return listed


def _files(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    for path in sorted(folder.glob("*/*.csv")):
        yield path.name, path.read_bytes().split(b"\n")


def test_without_the_listed_lines_the_files_are_the_clean_ones(tiny: DeliveryFolder) -> None:
    listed, clean = _listed(tiny()), dict(_files(tiny(with_faults=False)))
    for name, lines in _files(tiny()):
        bad = listed.get(name, {})
        assert [line for number, line in enumerate(lines, 1) if number not in bad] == clean[name]


def test_every_file_but_the_typology_has_every_kind_and_few_bad_rows(tiny: DeliveryFolder) -> None:
    listed = _listed(tiny())
    for name, lines in _files(tiny()):
        expected = set() if name == "clusters.csv" else set(Kind) if name.startswith("support") else ALL_BUT_DATES
        assert set(listed.get(name, {}).values()) == expected
        assert len(listed.get(name, {})) < 0.005 * len(lines)


def test_a_delivery_without_faults_lists_none(tiny: DeliveryFolder) -> None:
    assert _listed(tiny(with_faults=False)) == {}


def test_listed_lines_are_bad_in_the_way_that_is_listed_and_in_no_other(tiny: DeliveryFolder) -> None:
    listed = _listed(tiny())
    for name, lines in _files(tiny()):
        good = [line.split(b",") for number, line in enumerate(lines, 1) if line and number not in listed.get(name, {})]
        codes = {cells[1] for cells in good}
        for number, kind in listed.get(name, {}).items():
            line = lines[number - 1]
            found = _faults(line, fields=len(good[0]), codes=codes, period=name[-11:-4])
            assert found == ({kind} - {Kind.DUPLICATE_ROW}), (name, line)


def test_bad_rows_are_about_nobody_but_copies_come_after_their_model(tiny: DeliveryFolder) -> None:
    listed = _listed(tiny())
    for name, lines in _files(tiny()):
        bad = listed.get(name, {})
        people = {line.split(b",")[0] for number, line in enumerate(lines, 1) if number not in bad}
        for number, kind in bad.items():
            line = lines[number - 1]
            assert (line.split(b",")[0] in people) == (kind == Kind.DUPLICATE_ROW)
            assert (line in lines[: number - 1]) == (kind == Kind.DUPLICATE_ROW)


def _faults(line: bytes, *, fields: int, codes: set[bytes], period: str) -> set[Kind]:
    """Return what is wrong with the line by itself, looking as plainly as possible."""
    cells = line.split(b",")
    if len(cells) != fields:
        return {Kind.RAGGED}
    if b"\xff" in line:
        return {Kind.ENCODING}
    nine, check = divmod(int(cells[0]), 100)
    found = set() if check in {97 - nine % 97, 97 - (2_000_000_000 + nine) % 97} else {Kind.INSZ_CHECK_DIGITS}
    if cells[1] not in codes:
        found.add(Kind.FORMULA if cells[1].startswith(b"=") else Kind.UNKNOWN_CODE)
    ends = [cell.decode() for cell in cells[4:5] if cell.startswith(b"20")]  # only support has a day in this place
    quarter = Quarter.parse(period)
    if any(not str(quarter.first_day) <= end <= str(quarter.last_day) for end in ends):
        found.add(Kind.OUTSIDE_PERIOD)
    return found


def test_intake_finds_exactly_the_listed_faults(tiny: DeliveryFolder) -> None:
    listed, schemas, codelists = _listed(tiny()), policy_files.sources(), policy_files.codelists()
    for path in tiny().glob("*/*.csv"):
        told = describe(path.name, schemas)
        taken = take_in(path.read_bytes(), path.name, told.schema, told.period, codelists, synthetic=True)
        found = {fault.line: str(fault.reason) for fault in taken.quarantine.faults}
        assert found == listed.get(path.name, {})
        assert not taken.is_over_limit


def test_a_parquet_file_has_only_the_kinds_that_it_can_have() -> None:
    rows = {
        name: np.array([text] * 50, dtype=object) for name, text in {"insz": "00611200101", "position": "111"}.items()
    }
    rng = np.random.default_rng(1)
    planted, found = plant(rows, FileFormat.PARQUET, rng)
    kinds = {fault.kind for fault in found}
    assert kinds == ALL_BUT_DATES - {Kind.RAGGED, Kind.ENCODING}
    assert len(planted["insz"]) == len(planted["position"]) == 50 + len(found)
    assert Counter(planted["position"].tolist())["999"] == 1


def test_more_rows_have_more_bad_ones_far_below_the_error_limit() -> None:
    rows = {
        name: np.array([text] * 400_000, dtype=object) for name, text in {"insz": "00611200101", "sex": "M"}.items()
    }
    _, found = plant(rows, FileFormat.CSV, np.random.default_rng(1))
    assert 20 < len(found) < 0.001 * 400_000
