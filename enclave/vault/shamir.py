"""Shamir's secret sharing: any `needed` parts give the secret back, fewer tell nothing about it.

Each byte of the secret is the value at 0 of a polynomial over the field of 256 elements (the one of AES); a part is its
value at the part's number. The other coefficients are drawn evenly, zero included, so that fewer parts than needed fit
every secret equally well. What the parts give is only as right as the parts: who combines them must check the result.
"""

from collections.abc import Callable, Mapping

from enclave.errors import EnclaveBug

FEWEST_NEEDED = 2
MOST_PARTS = 255
_POLYNOMIAL = 0x11B


def possible(needed: int, made: int) -> bool:
    """Whether a secret can be shared like this; one part alone is never enough."""
    return FEWEST_NEEDED <= needed <= made <= MOST_PARTS


def split(secret: bytes, needed: int, made: int, random_bytes: Callable[[int], bytes]) -> dict[int, bytes]:
    """Return `made` parts by number, from 1 on; any `needed` of them are enough."""
    if not possible(needed, made):
        raise EnclaveBug("SHAMIR_NUMBERS", f"from {FEWEST_NEEDED} up to all of at most {MOST_PARTS} parts are needed")
    coefficients = [secret, *(random_bytes(len(secret)) for _ in range(needed - 1))]
    return {number: _values_at(number, coefficients) for number in range(1, made + 1)}


def combine(parts: Mapping[int, bytes]) -> bytes:
    """Return the secret that these parts belong to; with fewer parts than needed it is meaningless."""
    weights = {number: _weight(number, parts) for number in parts}
    length = len(next(iter(parts.values())))
    secret = bytearray(length)
    for number, values in parts.items():
        for place in range(length):
            secret[place] ^= multiply(weights[number], values[place])
    return bytes(secret)


def _values_at(number: int, coefficients: list[bytes]) -> bytes:
    values = bytes(len(coefficients[0]))
    for coefficient in reversed(coefficients):
        values = bytes(multiply(value, number) ^ term for value, term in zip(values, coefficient, strict=True))
    return values


def _weight(number: int, parts: Mapping[int, bytes]) -> int:
    """Return what a part counts for at 0 (Lagrange); in this field, minus is plus."""
    above = below = 1
    for other in parts:
        if other != number:
            above, below = multiply(above, other), multiply(below, other ^ number)
    return multiply(above, inverse(below))


def multiply(one: int, other: int) -> int:
    """Return the product in the field."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one <<= 1
        if one & 0x100:
            one ^= _POLYNOMIAL
        other >>= 1
    return product


def inverse(value: int) -> int:
    """Return what gives 1 when multiplied by `value`, which is not 0: its 254th power."""
    result = 1
    for _ in range(254):
        result = multiply(result, value)
    return result
