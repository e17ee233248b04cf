"""Terms of projects: days in Brussels, warnings, and decisions that come in time or too late."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from enclave.errors import PolicyError, RequestError
from enclave.gateway.retention import Extension, Term, day_of, latest

END = date(2027, 4, 4)
TERM = Term("advice-17-17-2016", END)
WARNED = (90, 30, 7)


def extension(dated: date, until: date = date(2028, 4, 4), ruling: str = "18/042", by: str = "committee") -> Extension:
    return Extension(ruling, dated, by, until)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2027, 4, 3, 21, 59, 59, tzinfo=UTC), date(2027, 4, 3)),  # summer: two hours ahead
        (datetime(2027, 4, 3, 22, 0, 0, tzinfo=UTC), date(2027, 4, 4)),
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), date(2026, 12, 31)),  # winter: one hour ahead
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2027, 4, 3, 12, 0, 0, tzinfo=timezone(timedelta(hours=-11))), date(2027, 4, 4)),
        (datetime(2027, 4, 4, 11, 0, 0, tzinfo=timezone(timedelta(hours=14))), date(2027, 4, 3)),
    ],
)
def test_a_day_is_a_day_in_brussels_whatever_zone_a_clock_tells(moment: datetime, day: date) -> None:
    assert day_of(moment) == day


def test_a_clock_that_was_set_back_counts_less_than_what_was_seen() -> None:
    seen, back = datetime(2027, 4, 5, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    assert latest(back, seen) == latest(seen, back) == seen
    assert latest(back, None) == back


def test_it_is_open_until_the_eve_and_closed_from_the_day_on() -> None:
    TERM.require_open(END - timedelta(days=1))
    for late in (END, END + timedelta(days=1), date(2099, 1, 1)):
        with pytest.raises(PolicyError, match="RETENTION_PASSED"):
            TERM.require_open(late)


@pytest.mark.parametrize(
    ("days", "warning"),
    [(400, None), (91, None), (90, 90), (31, 90), (30, 30), (8, 30), (7, 7), (1, 7), (0, 0), (-5, 0)],
)
def test_warnings_come_90_30_and_7_days_ahead(days: int, warning: int | None) -> None:
    assert TERM.warning(END - timedelta(days=days), WARNED) == warning


def test_a_decision_of_the_eve_extends_also_where_it_is_recorded_later() -> None:
    decided = extension(END - timedelta(days=1))
    assert TERM.extended(decided, END + timedelta(days=10)).until == date(2028, 4, 4)
    assert decided.counts_against(END)


@pytest.mark.parametrize(
    ("decided", "code"),
    [
        (extension(END), "EXTENSION_TOO_LATE"),
        (extension(END + timedelta(days=3)), "EXTENSION_TOO_LATE"),
        (extension(date(2027, 5, 1)), "EXTENSION_AHEAD"),
        (extension(date(2027, 1, 1), until=END), "EXTENSION_SHORTENS"),
        (extension(date(2027, 1, 1), until=date(2026, 1, 1)), "EXTENSION_SHORTENS"),
    ],
)
def test_any_other_decision_is_refused_with_the_reason(decided: Extension, code: str) -> None:
    with pytest.raises(RequestError) as refusal:
        TERM.extended(decided, date(2027, 4, 20))
    assert refusal.value.code == code
    if code != "EXTENSION_AHEAD":
        assert not decided.counts_against(END)


def test_a_second_decision_is_measured_by_the_day_that_the_first_one_gave() -> None:
    once = TERM.extended(extension(date(2027, 1, 1)), date(2027, 1, 2))
    twice = once.extended(extension(date(2028, 4, 3), until=date(2029, 1, 1)), date(2028, 4, 5))
    assert twice.until == date(2029, 1, 1)
    assert len(twice.extensions) == 2


@pytest.mark.parametrize(("ruling", "by"), [("", "committee"), ("a b", "committee"), ("18/042", "The Committee")])
def test_number_and_name_have_a_form_that_holds_no_free_text(ruling: str, by: str) -> None:
    with pytest.raises(RequestError, match="EXTENSION_FORM"):
        extension(date(2027, 1, 1), ruling=ruling, by=by)
