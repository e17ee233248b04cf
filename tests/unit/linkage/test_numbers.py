import numpy as np
import pyarrow as pa
import pytest

from enclave.linkage.numbers import InszFault, enterprise_valid, insz_faults, parse_digits

REAL = "85073003328"
BORN_2017 = "17073003384"
BIS_SEX_KNOWN = "98472899765"
BIS_BORN_2001 = "01490700185"


def fault(text: str, *, synthetic: bool = False, last: int = 2020) -> InszFault:
    (found,) = insz_faults(np.array([int(text)]), synthetic=synthetic, last_birth_year=last)
    return InszFault(found)


def with_check(nine: int, *, after_1999: bool = False) -> str:
    return f"{nine:09d}{97 - (nine + 2 * 10**9 * after_1999) % 97:02d}"


@pytest.mark.parametrize("text", [REAL, BORN_2017, BIS_SEX_KNOWN, BIS_BORN_2001])
def test_published_examples_are_right(text: str) -> None:
    assert fault(text) is InszFault.NONE


def test_birth_from_2000_needs_the_2_in_front() -> None:
    nine = int(BORN_2017[:9])
    assert fault(with_check(nine, after_1999=False)) is InszFault.NONE, "born in 1917"
    assert fault(with_check(nine, after_1999=True)) is InszFault.NONE, "born in 2017"
    assert with_check(nine, after_1999=False) != BORN_2017


def test_birth_after_the_file_is_a_wrong_check() -> None:
    assert fault(BORN_2017, last=2016) is InszFault.CHECK_DIGITS


def test_one_wrong_digit_is_found() -> None:
    for place in range(11):
        other = REAL[:place] + str((int(REAL[place]) + 1) % 10) + REAL[place + 1 :]
        assert fault(other) is not InszFault.NONE


@pytest.mark.parametrize("month", [0, 1, 12, 20, 32, 40, 52])
def test_months_that_exist(month: int) -> None:
    assert fault(with_check(700000001 + month * 100_000)) is InszFault.NONE


@pytest.mark.parametrize("month", [13, 19, 33, 39, 53, 60, 73, 80, 99])
def test_months_that_do_not_exist_in_either_world(month: int) -> None:
    for synthetic in (False, True):
        assert fault(with_check(700001001 + month * 100_000), synthetic=synthetic) is InszFault.MONTH


@pytest.mark.parametrize("month", [61, 66, 72])
def test_made_up_numbers_need_the_switch(month: int) -> None:
    text = with_check(700001001 + month * 100_000)
    assert fault(text) is InszFault.MADE_UP
    assert fault(text, synthetic=True) is InszFault.NONE


@pytest.mark.parametrize("text", [REAL, BORN_2017, BIS_SEX_KNOWN])
def test_with_the_switch_nobody_can_be_somebody(text: str) -> None:
    assert fault(text, synthetic=True) is InszFault.NOT_MADE_UP


def test_made_up_numbers_of_births_from_2000() -> None:
    assert fault(with_check(5_61_01_001, after_1999=True), synthetic=True) is InszFault.NONE


def test_check_of_a_remainder_of_nought_is_97() -> None:
    nine = 97 * (850730000 // 97 + 1)
    assert with_check(nine).endswith("97")
    assert fault(with_check(nine)) is not InszFault.CHECK_DIGITS
    assert fault(f"{nine:09d}00") is InszFault.CHECK_DIGITS


def test_enterprise_numbers() -> None:
    remainder_nought = 97 * 10_000
    right = [403019261, 428759497, remainder_nought * 100 + 97]
    wrong_check, starts_with_2 = [431150351, 403019262, remainder_nought * 100], 20_000_000 * 100 + 97 - 20_000_000 % 97
    assert enterprise_valid(np.array(right)).all()
    assert not enterprise_valid(np.array([*wrong_check, starts_with_2, 0])).any()


def test_only_exactly_so_many_digits_are_a_number() -> None:
    texts = [b"00000000017", b"0000000001", b"000000000017", b"", b" 0000000017", b"0000000001\xff", b"+0000000017"]
    numbers, good = parse_digits(pa.array(texts, pa.binary()), 11)
    assert good.tolist() == [True, *[False] * 6]
    assert numbers.tolist() == [17, *[0] * 6]


def test_part_of_a_longer_array_is_read_right() -> None:
    texts = pa.array([b"1", b"22222222222", b"33333333333", b"4"], pa.binary()).slice(1, 2)
    assert parse_digits(texts, 11)[0].tolist() == [22222222222, 33333333333]
    assert parse_digits(pa.array([], pa.binary()), 11)[0].tolist() == []
