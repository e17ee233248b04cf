"""Drawing categories by weight."""

import numpy as np

from enclave.synthetic.chance import Wheel


def test_each_row_has_its_own_weights() -> None:
    wheel = Wheel.of([[1, 3, 0], [0, 0, 2]])
    draws = np.random.default_rng(1).random(10_000, dtype=np.float32)
    first = wheel.pick(np.zeros(10_000), draws)
    assert np.bincount(first, minlength=3)[2] == 0
    assert abs((first == 0).mean() - 0.25) < 0.02
    assert (wheel.pick(np.ones(10_000), draws) == 2).all()


def test_the_ends_of_the_range_stay_inside_the_row() -> None:
    weights = [[0.1] * 7 + [0.0]] * 40
    ends = np.array([0.0, np.nextafter(np.float32(1), np.float32(0))], dtype=np.float32)
    wheel = Wheel.of(weights)
    for row in range(40):
        assert wheel.pick(np.full(2, row), ends).tolist() == [0, 6]
