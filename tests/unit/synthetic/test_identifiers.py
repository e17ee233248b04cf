"""Made-up identification numbers: right in form, and nobody's."""

import numpy as np
import pytest
from stdnum.be import nn, ssn
from stdnum.exceptions import InvalidChecksum, InvalidComponent

from enclave.synthetic import identifiers


def _draw(count: int = 3_000) -> tuple[list[str], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    born = rng.integers(-14_000, 12_000, count).astype(np.int32)
    male = rng.random(count) < 0.5
    return identifiers.as_texts(identifiers.draw_numbers(born, male)).tolist(), born, male


def _check(nine: str, *, late: bool) -> int:
    return 97 - int(("2" if late else "") + nine) % 97


def test_check_digits_are_right_also_for_births_from_2000() -> None:
    texts, born, _ = _draw()
    late = born >= 10_957
    assert 0 < late.sum() < len(texts)
    assert all(int(text[9:]) == _check(text[:9], late=is_late) for text, is_late in zip(texts, late, strict=True))


def test_no_number_can_be_a_persons() -> None:
    texts, _, _ = _draw(500)
    for text in texts:
        assert 61 <= int(text[2:4]) <= 72
        with pytest.raises(InvalidComponent):
            nn.validate(text)
        assert not ssn.is_valid(text)


def test_numbers_tell_birth_and_sex_and_are_different() -> None:
    texts, born, male = _draw()
    days = [str(np.datetime64(int(day), "D")) for day in born]
    assert [text[:2] + f"{int(text[2:4]) - 60:02d}" + text[4:6] for text in texts] == [
        day[2:4] + day[5:7] + day[8:10] for day in days
    ]
    assert [int(text[8]) % 2 == 1 for text in texts] == male.tolist()
    assert len(set(texts)) == len(texts)
    assert all(len(text) == 11 for text in texts)


def test_people_born_on_one_day_get_different_counters() -> None:
    born = np.zeros(800, dtype=np.int32)
    male = np.arange(800) % 2 == 0
    assert len(set(identifiers.draw_numbers(born, male).tolist())) == 800


def test_a_stranger_is_right_in_form_and_is_none_of_the_persons() -> None:
    texts, born, _ = _draw()
    for text, is_late in zip(texts[:300], (born >= 10_957)[:300], strict=True):
        stranger = f"{identifiers.stranger(int(text)):011d}"
        assert stranger not in texts
        assert stranger[:6] == text[:6]
        assert int(stranger[8]) % 2 == int(text[8]) % 2
        assert int(stranger[9:]) == _check(stranger[:9], late=bool(is_late))


def test_a_spoiled_number_has_wrong_check_digits_for_either_century() -> None:
    texts, _, _ = _draw(300)
    for text in texts:
        with pytest.raises(InvalidChecksum):
            nn.validate(f"{identifiers.spoil(int(text)):011d}")
