"""What the legend of a release of results says: what a hidden sum, share or change can be."""

import pytest

from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.words import Words
from enclave.wiring.results import legend

NAMES = Words("a", "b", "c")
SUM = Derivation("s", NAMES, Kind.SUM, "t1", (("sex", ("M",)),))
SHARE = Derivation("p", NAMES, Kind.SHARE, "t1", denominator=(("sex", "M"),))
CHANGE = Derivation("d", NAMES, Kind.CHANGE, "t1", lag=1)


@pytest.mark.parametrize(
    ("derivations", "marks"),
    [
        ([SUM], [("C", 0, None)]),
        ([SHARE], [("C", 0, None)]),
        ([CHANGE], [("X", None, None)]),
        ([SUM, SHARE, CHANGE], [("C", 0, None), ("X", None, None)]),
    ],
)
def test_a_hidden_sum_or_share_is_not_negative_and_a_hidden_change_can_be_anything(
    derivations: list[Derivation], marks: list[tuple[str, int | None, int | None]]
) -> None:
    found = [explained.mark for explained in legend(derivations)]
    assert [(mark.code, mark.minimum, mark.maximum) for mark in found] == marks
