"""Shamir's sharing: enough parts give the secret back whichever they are, and one fewer tell nothing at all."""

import itertools
import secrets
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import EnclaveBug
from enclave.vault.shamir import combine, inverse, multiply, split


def _drawing(*draws: int) -> Callable[[int], bytes]:
    """Return a source of chance that draws these bytes, one at a time."""
    left = iter(draws)
    return lambda _: bytes([next(left)])


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_enough_parts_give_the_secret_back(secret: bytes, data: st.DataObject) -> None:
    needed = data.draw(st.integers(2, 7))
    made = data.draw(st.integers(needed, 9))
    parts = split(secret, needed, made, secrets.token_bytes)
    chosen = data.draw(st.lists(st.sampled_from(sorted(parts)), min_size=needed, max_size=made, unique=True))
    assert combine({number: parts[number] for number in chosen}) == secret


def test_all_255_parts_and_the_last_two_work() -> None:
    parts = split(b"secret", 2, 255, secrets.token_bytes)
    assert combine(parts) == b"secret"
    assert combine({number: parts[number] for number in (254, 255)}) == b"secret"


@pytest.mark.parametrize("secret", [0, 1, 2, 128, 255])
def test_one_part_of_two_takes_every_value_equally_often_whatever_the_secret(secret: int) -> None:
    """Every draw there is, once: a part tells nothing."""
    for number in (1, 2, 255):
        seen = Counter(split(bytes([secret]), 2, 255, _drawing(draw))[number][0] for draw in range(256))
        assert seen == dict.fromkeys(range(256), 1)


@pytest.mark.parametrize("secret", [0, 77])
def test_two_parts_of_three_take_every_pair_of_values_equally_often(secret: int) -> None:
    seen: Counter[tuple[int, int]] = Counter()
    for draws in itertools.product(range(256), repeat=2):
        parts = split(bytes([secret]), 3, 3, _drawing(*draws))
        seen[parts[1][0], parts[3][0]] += 1
    assert len(seen) == 256**2
    assert set(seen.values()) == {1}


def test_too_few_parts_give_something_else() -> None:
    """One in 2**64 draws would give it all the same."""
    parts = split(b"8 bytes!", 3, 5, secrets.token_bytes)
    for chosen in itertools.combinations(parts, 2):
        assert combine({number: parts[number] for number in chosen}) != b"8 bytes!"


def test_the_field_is_a_field() -> None:
    for one in range(256):
        assert sorted(multiply(one, other) for other in range(256)) == (list(range(256)) if one else [0] * 256)
    for one in range(1, 256):
        assert multiply(one, inverse(one)) == 1
    for one, other, third in itertools.product(range(0, 256, 37), repeat=3):
        assert multiply(one, other ^ third) == multiply(one, other) ^ multiply(one, third)
        assert multiply(multiply(one, other), third) == multiply(one, multiply(other, third))


def test_the_field_is_the_one_of_aes() -> None:
    """The example of FIPS 197, 4.2: {57} times {83} is {c1}."""
    assert multiply(0x57, 0x83) == 0xC1


@pytest.mark.parametrize(("needed", "made"), [(1, 3), (0, 3), (4, 3), (2, 256)])
def test_numbers_that_cannot_be_are_a_bug(needed: int, made: int) -> None:
    with pytest.raises(EnclaveBug, match="SHAMIR_NUMBERS"):
        split(b"secret", needed, made, secrets.token_bytes)
