"""The coder over a table in memory: same number same code, no collisions, kept before returned."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from enclave.errors import EnclaveBug
from enclave.vault.coding import CODE_BITS, Coder, Ints


class MemoryTable:
    """Keeps parts in a list."""

    def __init__(self) -> None:
        self.kept: list[tuple[Ints, Ints]] = []
        self.held = False

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        self.held = True
        yield
        self.held = False

    def parts(self) -> tuple[str, ...]:
        return tuple(str(i) for i in range(len(self.kept)))

    def load(self, part: str) -> tuple[Ints, Ints]:
        return self.kept[int(part)]

    def append(self, numbers: Ints, codes: Ints) -> str:
        assert self.held
        self.kept.append((numbers, codes))
        return str(len(self.kept) - 1)


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _ints(*numbers: int) -> Ints:
    return np.array(numbers, np.int64)


def test_the_same_number_has_the_same_code() -> None:
    coder = Coder(MemoryTable(), _random(1).bytes)
    first = coder.code(_ints(30, 10, 20, 10))
    assert first[1] == first[3]
    assert len(set(first.tolist())) == 3
    assert coder.code(_ints(10, 20, 30)).tolist() == [first[1], first[2], first[0]]


def test_codes_are_positive_and_exact_as_floating_point() -> None:
    codes = Coder(MemoryTable(), _random(2).bytes).code(np.arange(10_000))
    assert codes.min() > 0
    assert codes.max() < 2**CODE_BITS
    assert codes.max() > 2 ** (CODE_BITS - 2), "codes use the whole space"
    assert (codes.astype(np.float64).astype(np.int64) == codes).all()


def test_new_numbers_are_added_and_old_ones_keep_their_code() -> None:
    table = MemoryTable()
    coder = Coder(table, _random(3).bytes)
    old = coder.code(_ints(5, 7))
    mixed = coder.code(_ints(6, 5, 7))
    assert mixed[1:].tolist() == old.tolist()
    assert [part[0].tolist() for part in table.kept] == [[5, 7], [6]]
    assert Coder(table, _random(4).bytes).code(_ints(6, 5, 7)).tolist() == mixed.tolist()


def test_what_another_coder_added_is_taken_over() -> None:
    table = MemoryTable()
    ours, theirs = Coder(table, _random(5).bytes), Coder(table, _random(6).bytes)
    code = theirs.code(_ints(1, 2))
    assert ours.code(_ints(2, 1, 3))[:2].tolist() == [code[1], code[0]]
    assert len(table.kept) == 2


def test_no_numbers_no_codes() -> None:
    table = MemoryTable()
    assert Coder(table, _random(7).bytes).code(_ints()).size == 0
    assert table.kept == []


def test_a_draw_that_collides_is_drawn_again() -> None:
    """Draws: 5 (used below), 0 (no code), 9 twice, then the same again, and only then fresh ones."""
    table = MemoryTable()
    table.kept.append((_ints(1), _ints(5)))
    draws = [[5, 0, 9, 9], [5, 0, 9, 10], [3, 4]]

    def scripted(size: int) -> bytes:
        drawn = draws.pop(0)
        assert size == 8 * len(drawn)
        return (np.array(drawn, np.uint64) << np.uint64(64 - CODE_BITS)).tobytes()

    codes = Coder(table, scripted).code(_ints(2, 3, 4, 6))
    assert codes.tolist() == [3, 4, 9, 10]
    assert draws == []


def test_a_pair_is_kept_before_its_code_is_given_out() -> None:
    class FullTable(MemoryTable):
        def append(self, numbers: Ints, codes: Ints) -> str:
            raise OSError(f"full: {numbers.size} of {codes.size}")

    coder = Coder(FullTable(), _random(8).bytes)
    with pytest.raises(OSError, match="full"):
        coder.code(_ints(1))
    assert (coder._look_up(_ints(1)) == 0).all()


@pytest.mark.parametrize("numbers", [np.arange(3, dtype=np.int32), np.zeros((2, 2), np.int64), np.array([1.0])])
def test_only_flat_int64_is_coded(numbers: Ints) -> None:
    with pytest.raises(EnclaveBug, match="CODING_INPUT"):
        Coder(MemoryTable(), _random(9).bytes).code(numbers)


def test_lookup_goes_over_chunk_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.vault.coding._CHUNK", 7)
    coder = Coder(MemoryTable(), _random(10).bytes)
    numbers = _random(11).integers(0, 50, 100)
    codes = coder.code(numbers)
    assert dict(zip(numbers.tolist(), codes.tolist(), strict=True)) == {
        n: int(coder.code(_ints(n))[0]) for n in set(numbers.tolist())
    }


def test_a_coder_shows_nothing() -> None:
    coder = Coder(MemoryTable(), _random(12).bytes)
    coder.code(_ints(85010112345))
    assert "85010112345" not in repr(coder)
