"""Primary rules for sums, on examples worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from enclave.errors import RequestError
from enclave.sdc.contributions import ContributionRules, Contributions, Dominance, reasons, sensitive_cells
from enclave.sdc.table import Ints


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


CELLS = Contributions(
    total=ints(100, 100, 100, 100, 0, 100),
    count=ints(5, 1, 3, 2, 0, 9),
    largest=ints(85, 100, 86, 60, 0, 50),
    second=ints(10, 0, 10, 40, 0, 44),
    holdings=ints(3, 1, 2, 2, 0, 5),
)


@pytest.mark.parametrize(
    ("rules", "hidden"),
    [
        (ContributionRules(minimum_frequency=3), [0, 1, 0, 1, 0, 0]),
        (ContributionRules(minimum_holdings=3), [0, 1, 1, 1, 0, 0]),
        (ContributionRules(dominance=Dominance(1, Fraction(85))), [0, 1, 1, 0, 0, 0]),
        (ContributionRules(dominance=Dominance(2, Fraction(95))), [0, 1, 1, 1, 0, 0]),
        (ContributionRules(dominance=Dominance(2, Fraction("93.9"))), [1, 1, 1, 1, 0, 1]),
        # X - x1 - x2 is 5, 0, 4, 0, 0, 6; 10 % of x1 is 8.5, 10, 8.6, 6, 0, 5
        (ContributionRules(p_percent=Fraction(10)), [1, 1, 1, 1, 0, 0]),
        (ContributionRules(p_percent=Fraction(12)), [1, 1, 1, 1, 0, 0]),
        (ContributionRules(p_percent=Fraction("12.1")), [1, 1, 1, 1, 0, 1]),
        (ContributionRules(), [0, 0, 0, 0, 0, 0]),
    ],
)
def test_each_rule_hides_what_it_says(rules: ContributionRules, hidden: list[int]) -> None:
    assert sensitive_cells(CELLS, rules).astype(int).tolist() == hidden


def test_every_rule_gives_its_reason() -> None:
    rules = ContributionRules(3, Dominance(1, Fraction(85)), Fraction(10), 3)
    found = reasons(CELLS, rules)
    assert {name: cells.astype(int).tolist() for name, cells in found.items()} == {
        "minimum_frequency": [0, 1, 0, 1, 0, 0],
        "dominance": [0, 1, 1, 0, 0, 0],
        "p_percent": [1, 1, 1, 1, 0, 0],
        "minimum_holdings": [0, 1, 1, 1, 0, 0],
    }


def test_negative_figures_count_by_their_absolute_value() -> None:
    cells = Contributions(total=ints(-100), largest=ints(-90), second=ints(-1))
    assert sensitive_cells(cells, ContributionRules(dominance=Dominance(1, Fraction(85)))).tolist() == [True]


def test_percentages_are_exact_for_large_sums() -> None:
    total = 10**15
    at, above = ints(total // 100 * 85), ints(total // 100 * 85 + 1)
    rules = ContributionRules(dominance=Dominance(1, Fraction(85)))
    assert not sensitive_cells(Contributions(ints(total), largest=at), rules).any()
    assert sensitive_cells(Contributions(ints(total), largest=above), rules).all()


def test_how_many_of_the_largest_a_rule_needs() -> None:
    assert ContributionRules().largest_needed == 0
    assert ContributionRules(dominance=Dominance(1, Fraction(85))).largest_needed == 1
    assert ContributionRules(dominance=Dominance(2, Fraction(85))).largest_needed == 2
    assert ContributionRules(p_percent=Fraction(10)).largest_needed == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Dominance(3, Fraction(85)),
        lambda: Dominance(0, Fraction(85)),
        lambda: Dominance(1, Fraction(0)),
        lambda: Dominance(1, Fraction(101)),
        lambda: ContributionRules(minimum_frequency=0),
        lambda: ContributionRules(minimum_holdings=0),
        lambda: ContributionRules(p_percent=Fraction(0)),
        lambda: ContributionRules(p_percent=Fraction(101)),
        lambda: sensitive_cells(Contributions(ints(1)), ContributionRules(minimum_frequency=3)),
    ],
)
def test_rules_that_say_nothing_are_refused(wrong: "object") -> None:
    with pytest.raises(RequestError):
        wrong()  # type: ignore[operator]
