"""Whatever is written is read back; whatever is asked of a coder, it behaves like a dictionary of random codes."""

import secrets
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from tests.lib.vault_kit import make_vault, open_vault, same

_FEW = settings(max_examples=25, derandomize=True, deadline=None)

_TYPES = st.sampled_from(["?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f4", "<f8"])
_WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@st.composite
def _columns(draw: st.DrawFn) -> dict[str, NDArray[Any]]:
    rows = draw(st.integers(0, 40))
    names = draw(st.lists(_WORDS, min_size=1, max_size=4, unique=True))
    return {name: draw(arrays.arrays(draw(_TYPES), rows)) for name in names}


@_FEW
@given(written=st.lists(st.tuples(_columns(), st.dictionaries(_WORDS, _WORDS, max_size=3)), min_size=1, max_size=4))
def test_what_is_written_is_read_back(
    written: list[tuple[dict[str, NDArray[Any]], dict[str, str]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = make_vault(Path(folder))
        for number, (columns, meta) in enumerate(written):
            vault.write("p", "d", f"part-{number}", columns, meta=meta)
        reopened = open_vault(Path(folder))
        reopened.check("p")
        assert reopened.partitions("p", "d") == tuple(f"part-{number}" for number in range(len(written)))
        for number, (columns, meta) in enumerate(written):
            assert same(reopened.read("p", "d", f"part-{number}"), columns)
            assert reopened.meta("p", "d", f"part-{number}") == meta


@_FEW
@given(
    asked=st.lists(
        st.tuples(st.sampled_from(["persons", "employers"]), st.lists(st.integers(-5, 30), max_size=20)), max_size=6
    )
)
def test_a_coder_is_a_dictionary_for_each_domain(asked: list[tuple[str, list[int]]]) -> None:
    known: dict[tuple[str, int], int] = {}
    with tempfile.TemporaryDirectory() as folder:
        make_vault(Path(folder))
        for domain, numbers in asked:
            codes = open_vault(Path(folder)).coder("p", domain).code(np.array(numbers, np.int64)).tolist()
            for number, code in zip(numbers, codes, strict=True):
                assert known.setdefault((domain, number), code) == code
    assert len(set(known.values())) == len(known), "in a space of 2**53 not even two domains share a code"


@_FEW
@given(data=st.binary(max_size=200), position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_in_a_project_is_found_by_check(data: bytes, position: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = make_vault(Path(folder))
        vault.seal("p", "letter", data + secrets.token_bytes(1))
        for path in sorted((Path(folder) / "vault" / "data").rglob("*.block")):
            content = bytearray(path.read_bytes())
            content[position % len(content)] ^= 1 << bit
            good = path.read_bytes()
            path.write_bytes(content)
            try:
                vault.check("p")
            except Exception as error:  # noqa: BLE001  the very type is what is tested
                assert type(error).__name__ == "IntegrityError"  # noqa: PT017  pytest.raises cannot stand in a loop of files
            else:
                raise AssertionError(path.name)
            path.write_bytes(good)
        vault.check("p")
