from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from enclave.linkage.checks import (
    NO_CODE,
    NO_DATE,
    NO_NUMBER,
    REASONS,
    Setting,
    check_column,
    codebook,
    find_duplicates,
)
from enclave.linkage.quarantine import Reason
from enclave.policy.codelist import Codelist
from enclave.policy.quarter import Quarter
from enclave.policy.source import Column
from tests.lib.delivery_kit import insz

PLACES = Codelist.from_csv(
    "places.csv",
    "code,parent,label_nl,label_fr,label_en,valid_from,valid_to,delivered_as,source,confidence\n"
    "B,,land,pays,country,,,,made up,high\n"
    "B1,B,oud,vieux,old,,2009-05-31,,made up,high\n"
    "B2,B,nieuw,neuf,new,2009-07-01,,,made up,high\n"
    "B3,B,altijd,toujours,always,,,B+3,made up,high\n"
    "B4,B,halfweg,a mi-chemin,midway,2009-05-15,2009-05-20,,made up,high\n",
)
SETTING = Setting({"places": PLACES}, Quarter(2009, 2), synthetic=True)
PLACE = Column(name="place", kind="code", required=True, codelist="places", leaves_only=True)
DAY = Column(name="day", kind="date", required=False, within_period=False)
FormatFree = bytes | str


def check(column: Column, *texts: FormatFree, setting: Setting = SETTING) -> tuple[list[int], list[Reason | None]]:
    array = pa.array([text.encode() if isinstance(text, str) else text for text in texts], pa.binary())
    values, reasons = check_column(array, column, setting)
    return values.tolist(), [REASONS[number] for number in reasons.tolist()]


def reason(column: Column, text: FormatFree, setting: Setting = SETTING) -> Reason | None:
    return check(column, text, setting=setting)[1][0]


def days(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def test_codes_are_positions_in_the_leaves() -> None:
    assert codebook(PLACE, SETTING) == ("B1", "B2", "B3", "B4")
    assert check(PLACE, "B1", "B3", "B+3") == ([0, 2, 2], [None] * 3)
    assert check_column(pa.array([b"B1"]), PLACE, SETTING)[0].dtype == np.int16


def test_coarser_codes_only_where_the_schema_takes_them() -> None:
    assert reason(PLACE, "B") is Reason.UNKNOWN_CODE
    loose = PLACE.model_copy(update={"leaves_only": False})
    assert codebook(loose, SETTING) == ("B", "B1", "B2", "B3", "B4")
    assert check(loose, "B", "B+3") == ([0, 3], [None, None])


def test_codes_count_only_while_they_are_valid() -> None:
    assert reason(PLACE, "B2") is Reason.UNKNOWN_CODE, "valid from the next quarter on"
    assert check(PLACE, "B1", "B4")[1] == [None, None], "valid on some day of the quarter"
    later = Setting(SETTING.codelists, Quarter(2009, 3), synthetic=True)
    assert check(PLACE, "B1", "B2", setting=later) == ([NO_CODE, 1], [Reason.UNKNOWN_CODE, None])
    once = Setting(SETTING.codelists, None, synthetic=True)
    assert check(PLACE, "B1", "B2", setting=once)[1] == [None, None]


def test_inline_codes() -> None:
    column = Column(name="regime", kind="code", required=True, codes=("RMI", "RMH"))
    assert codebook(column, SETTING) == ("RMI", "RMH")
    assert check(column, "RMH", "RMI") == ([1, 0], [None, None])
    assert reason(column, "rmi") is Reason.UNKNOWN_CODE


def test_empty_fields() -> None:
    assert reason(PLACE, "") is Reason.MISSING
    optional = PLACE.model_copy(update={"required": False})
    assert check(optional, "") == ([NO_CODE], [None])
    assert check(DAY, "") == ([NO_DATE], [None])
    number = Column(name="n", kind="int", required=False)
    assert check(number, "") == ([NO_NUMBER], [None])


@pytest.mark.parametrize(
    "text", ["1850-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "2009-06-30", "2199-12-31", "9999-12-31"]
)
def test_days_of_the_calendar(text: str) -> None:
    assert check(DAY, text) == ([days(text)], [None])


@pytest.mark.parametrize(
    "text",
    [
        "2009-02-29", "1900-02-29", "2009-04-31", "2009-00-10", "2009-13-01", "2009-01-00", "2009-01-32",
        "2009-6-30", "20090630", "30-06-2009", "2009/06/30", "2009-06-3a", "2009-06-30 ", "2009-06-30T0",
        "2009-06-1\x1f",
    ],
)  # fmt: skip
def test_what_is_no_day(text: str) -> None:
    assert reason(DAY, text) in {Reason.NOT_A_DATE, Reason.CONTROL}


@pytest.mark.parametrize("text", ["0000-01-01", "1849-12-31", "2200-01-01", "9998-12-31"])
def test_days_out_of_range(text: str) -> None:
    assert reason(DAY, text) is Reason.DATE_RANGE


def test_days_outside_the_quarter() -> None:
    inside = DAY.model_copy(update={"within_period": True})
    texts = ["2009-03-31", "2009-04-01", "2009-06-30", "2009-07-01", "1700-01-01", "9999-12-31"]
    outside = Reason.OUTSIDE_PERIOD
    assert check(inside, *texts)[1] == [outside, None, None, outside, Reason.DATE_RANGE, outside]
    assert check(DAY, *texts[:4])[1] == [None] * 4


def test_whole_numbers() -> None:
    column = Column(name="n", kind="int", required=True)
    assert check(column, "0", "007", "9" * 18) == ([0, 7, 10**18 - 1], [None] * 3)
    for text in ("9" * 19, "1.5", "1e3", " 1", "1\n", "٣"):
        assert reason(column, text) in {Reason.NOT_A_NUMBER, Reason.CONTROL}


def test_person_numbers() -> None:
    column = Column(name="insz", kind="insz", required=True)
    wrong_check = insz(0)[:-2] + "00"
    texts = [insz(0), wrong_check, insz(0, month=13), insz(0, month=1), insz(0)[1:], insz(0) + " "]
    values, reasons = check(column, *texts)
    assert values[0] == int(insz(0))
    assert reasons == [
        None,
        Reason.INSZ_CHECK_DIGITS,
        Reason.INSZ_MONTH,
        Reason.INSZ_NOT_MADE_UP,
        Reason.INSZ_FORMAT,
        Reason.INSZ_FORMAT,
    ]
    real = Setting({}, Quarter(2009, 2), synthetic=False)
    assert check(column, insz(0), insz(0, month=1), setting=real)[1] == [Reason.INSZ_MADE_UP, None]


def test_nobody_is_born_after_the_quarter() -> None:
    column = Column(name="insz", kind="insz", required=True)
    number = "17073003384"
    for period, expected in ((Quarter(2009, 2), Reason.INSZ_CHECK_DIGITS), (Quarter(2017, 1), None), (None, None)):
        assert reason(column, number, Setting({}, period, synthetic=False)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"M\xff", Reason.ENCODING),
        (b"\x00", Reason.NUL),
        (b"B1\x07", Reason.CONTROL),
        (b"x" * 101, Reason.TOO_LONG),
        *[(start + b"B1", Reason.FORMULA) for start in (b"=", b"+", b"-", b"@", b"\t")],
        (b"B9", Reason.UNKNOWN_CODE),
        ("été".encode(), Reason.UNKNOWN_CODE),
        (b" B1", Reason.UNKNOWN_CODE),
    ],
)
def test_spoiled_values_get_the_better_reason(text: bytes, expected: Reason) -> None:
    assert reason(PLACE, text) is expected


def test_spoiled_values_are_bad_in_columns_of_any_kind() -> None:
    columns = [DAY, Column(name="n", kind="int", required=False), Column(name="insz", kind="insz", required=True)]
    for column in columns:
        for text in (b"\xff\xff", b"\x00", b"=1", b"1" * 101):
            assert reason(column, text) in {Reason.ENCODING, Reason.NUL, Reason.FORMULA, Reason.TOO_LONG}


def duplicates(key: list[int], other: list[int]) -> dict[Reason, list[int]]:
    found = find_duplicates({"key": np.array(key), "other": np.array(other)}, ("key",))
    return {reason: rows.tolist() for reason, rows in found.items()}


def test_no_duplicates() -> None:
    assert duplicates([3, 1, 2], [7, 7, 7]) == {Reason.DUPLICATE_ROW: [], Reason.DUPLICATE_CONFLICT: []}
    assert duplicates([], []) == {Reason.DUPLICATE_ROW: [], Reason.DUPLICATE_CONFLICT: []}


def test_same_rows_keep_the_first_and_contradicting_rows_all_go() -> None:
    found = duplicates([5, 1, 5, 2, 2, 5, 3, 3, 3], [0, 0, 0, 1, 2, 0, 8, 9, 8])
    assert found == {Reason.DUPLICATE_ROW: [2, 5, 8], Reason.DUPLICATE_CONFLICT: [3, 4, 6, 7]}
