"""Quarters: parsing, order, counting, days."""

from datetime import date

import pytest

from enclave.errors import PolicyError
from enclave.policy.quarter import Quarter


def test_parse_and_str_are_inverse() -> None:
    assert Quarter.parse("2009-Q2") == Quarter(2009, 2)
    assert str(Quarter(2009, 2)) == "2009-Q2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2009",
        "2009-2",
        "2009-Q0",
        "2009-Q5",
        "2009Q2",
        "2009-q2",
        " 2009-Q2",
        "2009-Q2\n",
        "\uff12009-Q2",
        "0009-Q2",
    ],
)
def test_what_is_not_a_quarter_is_refused(text: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        Quarter.parse(text)
    assert refusal.value.code == "QUARTER_INVALID"
    assert "2009-Q2" in refusal.value.message


@pytest.mark.parametrize(("year", "number"), [(2009, 0), (2009, 5), (999, 1), (9999, 1)])
def test_a_quarter_outside_the_calendar_cannot_exist(year: int, number: int) -> None:
    with pytest.raises(PolicyError):
        Quarter(year, number)


def test_counting_goes_over_the_year_in_both_directions() -> None:
    assert Quarter(2009, 2) + 3 == Quarter(2010, 1)
    assert Quarter(2010, 1) - 3 == Quarter(2009, 2)
    assert Quarter(2009, 4) + 1 == Quarter(2010, 1)
    assert Quarter(2010, 1) - Quarter(2009, 2) == 3
    assert Quarter(2009, 2) - Quarter(2010, 1) == -3


def test_quarters_are_ordered_by_time() -> None:
    assert Quarter(2009, 4) < Quarter(2010, 1) < Quarter(2010, 2)


@pytest.mark.parametrize(
    ("quarter", "first", "last"),
    [
        (Quarter(2009, 1), date(2009, 1, 1), date(2009, 3, 31)),
        (Quarter(2009, 2), date(2009, 4, 1), date(2009, 6, 30)),
        (Quarter(2009, 3), date(2009, 7, 1), date(2009, 9, 30)),
        (Quarter(2009, 4), date(2009, 10, 1), date(2009, 12, 31)),
    ],
)
def test_days_of_a_quarter(quarter: Quarter, first: date, last: date) -> None:
    assert (quarter.first_day, quarter.last_day) == (first, last)


def test_span_starts_with_the_quarter_itself() -> None:
    assert Quarter(2009, 3).span(3) == (Quarter(2009, 3), Quarter(2009, 4), Quarter(2010, 1))
    assert Quarter(2009, 3).span(0) == ()
