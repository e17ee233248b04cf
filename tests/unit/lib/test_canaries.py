"""The look for planted numbers finds them, whichever way they are written."""

from pathlib import Path

import pytest

from tests.lib.canaries import _OVERLAP, _PART, Canaries

NUMBER, OTHER = 123_456_789_012_345, 987_654_321_098_765
CANARIES = Canaries([NUMBER, OTHER])


@pytest.mark.parametrize(
    "data",
    [
        f"a line with {NUMBER} in it".encode(),
        f'["{OTHER}"]'.encode(),
        b"abc" + NUMBER.to_bytes(8, "little") + b"d",
        OTHER.to_bytes(8, "little"),
    ],
)
def test_a_planted_number_is_found(data: bytes, tmp_path: Path) -> None:
    assert CANARIES.in_bytes(data)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(data)
    assert list(CANARIES.in_files([tmp_path])) == [tmp_path / "deep" / "file"]


def test_a_name_counts(tmp_path: Path) -> None:
    (tmp_path / f"{NUMBER}.txt").touch()
    assert list(CANARIES.in_files([tmp_path])) == [tmp_path / f"{NUMBER}.txt"]


@pytest.mark.parametrize("data", [b"", b"1234567", str(NUMBER + 1).encode(), f"{NUMBER}0".encode(), bytes(1000)])
def test_nothing_else_is(data: bytes) -> None:
    assert not CANARIES.in_bytes(data)


def test_it_is_found_behind_a_hole_and_across_two_parts(tmp_path: Path) -> None:
    for start in (200_000_000, _PART - 5, _PART - _OVERLAP - 5):
        with (tmp_path / f"{start}").open("wb") as file:
            file.seek(start - 100)
            file.write(bytes(100) + str(NUMBER).encode())
            file.truncate(10_000_000_000)
    assert len(list(CANARIES.in_files([tmp_path]))) == 3
