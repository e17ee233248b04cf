"""One block: each part is bound to its place by itself, even under the same key, salt and nonce."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from enclave.errors import IntegrityError
from enclave.vault.block import SALT_BYTES, SEGMENT_BYTES, Place, encrypt_block, open_block
from enclave.vault.master import Key

KEY = Key(b"k" * 32)
SALT = b"s" * SALT_BYTES
PLACE = Place("p", "d", "all")
BYTES = {name: np.full(10, number, np.int8) for number, name in enumerate("ab")}


def _pieces(columns: dict[str, NDArray[Any]], place: Place = PLACE, key: Key = KEY) -> list[bytes]:
    """Return preamble, header and segments; equal arguments give equal pieces, which no vault ever does."""
    return list(encrypt_block(key, place, columns, {}, SALT))


def _read(path: Path, pieces: list[bytes], place: Place = PLACE) -> dict[str, NDArray[Any]]:
    path.write_bytes(b"".join(pieces))
    with open_block(path, place, KEY) as block:
        return block.read()


def test_the_pieces_of_one_block_are_read(tmp_path: Path) -> None:
    assert {name: array.tolist() for name, array in _read(tmp_path / "x", _pieces(BYTES)).items()} == {
        "a": [0] * 10,
        "b": [1] * 10,
    }


@pytest.mark.parametrize("other", [Place("q", "d", "all"), Place("p", "e", "all"), Place("p", "d", "2")])
def test_header_and_segments_are_bound_to_the_place(tmp_path: Path, other: Place) -> None:
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        _read(tmp_path / "x", _pieces(BYTES, other))
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        _read(tmp_path / "x", [*_pieces(BYTES)[:2], *_pieces(BYTES, other)[2:]])


def test_names_do_not_run_into_each_other(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        _read(tmp_path / "x", _pieces(BYTES, Place("p", "da", "ll")))


def test_segments_are_bound_to_their_column(tmp_path: Path) -> None:
    other = dict(zip("ba", BYTES.values(), strict=True))
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        _read(tmp_path / "x", [*_pieces(BYTES)[:2], *_pieces(other)[2:]])


def test_segments_are_bound_to_the_length_of_their_column(tmp_path: Path) -> None:
    short = _pieces({"a": np.zeros(SEGMENT_BYTES, np.int8)})
    long = _pieces({"a": np.zeros(SEGMENT_BYTES + 1, np.int8)})
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        _read(tmp_path / "x", [*short[:2], long[2]])


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="BLOCK_BROKEN"):
        _read(tmp_path / "x", _pieces(BYTES, key=Key(b"x" * 32)))


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="BLOCK_MISSING"), open_block(tmp_path / "x", PLACE, KEY):
        pass
