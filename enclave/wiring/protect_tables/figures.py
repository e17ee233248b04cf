"""Figures as they stand in files, exactly: decimals become whole numbers of one common unit."""

import re
from decimal import Decimal

MOST = 10**15
"""Largest figure, in units of its last decimal: below what the solver's numbers can tell apart."""

MOST_DECIMALS = 9

_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})([eE][+-]?\d{1,2})?")


def number(text: str) -> Decimal | None:
    """Return the number that a text is, exactly; None where it is none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def decimals_of(figure: Decimal) -> int:
    """Return how many decimals a figure has, noughts at the end aside."""
    exponent = figure.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def scaled(figure: Decimal, decimals: int) -> int:
    """Return a figure in units of 10 ** -decimals; it must have no more decimals than that."""
    return int(figure.scaleb(decimals))
