"""Vectorised checks say the same as python-stdnum, one number at a time."""

from datetime import datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.be import bis, nn, vat

from enclave.linkage.numbers import InszFault, enterprise_valid, insz_faults

_MANY = settings(max_examples=300, derandomize=True, deadline=None)
_THIS_YEAR = datetime.now().astimezone().year
"""python-stdnum asks the clock how late a birth can be."""


@st.composite
def _insz(draw: st.DrawFn) -> int:
    """Draw a number of 11 digits, mostly with check digits that fit one of the two centuries."""
    month = draw(st.sampled_from([*range(13), *range(20, 33), *range(40, 53)]) | st.integers(0, 99))
    day = draw(st.integers(0, 31) | st.integers(0, 99))
    nine = (draw(st.integers(0, 99)) * 100 + month) * 100_000 + day * 1000 + draw(st.integers(0, 999))
    check = draw(st.sampled_from([97 - nine % 97, 97 - (nine + 2 * 10**9) % 97]) | st.integers(0, 99))
    return nine * 100 + check


@_MANY
@given(st.lists(_insz(), min_size=1, max_size=20))
def test_insz_as_stdnum_says(numbers: list[int]) -> None:
    faults = insz_faults(np.array(numbers), synthetic=False, last_birth_year=_THIS_YEAR)
    texts = [f"{number:011d}" for number in numbers]
    assert [fault == InszFault.NONE for fault in faults] == [nn.is_valid(text) or bis.is_valid(text) for text in texts]


@_MANY
@given(st.lists(_insz(), min_size=1, max_size=20))
def test_no_number_is_right_in_both_worlds(numbers: list[int]) -> None:
    worlds = [
        insz_faults(np.array(numbers), synthetic=synthetic, last_birth_year=_THIS_YEAR) == InszFault.NONE
        for synthetic in (False, True)
    ]
    assert not (worlds[0] & worlds[1]).any()


@_MANY
@given(st.integers(0, 99_999_999), st.integers(0, 99))
def test_enterprise_numbers_as_stdnum_says(body: int, check: int) -> None:
    """python-stdnum also takes 00, 98 and 99, which no number is given: the check is from 1 to 97."""
    for two in (check, 97 - body % 97):
        said = vat.is_valid(f"{body:08d}{two:02d}") and 1 <= two <= 97
        assert enterprise_valid(np.array([body * 100 + two])).tolist() == [said]
