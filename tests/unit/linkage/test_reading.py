import pyarrow as pa
import pytest
from pyarrow import parquet

from enclave.errors import DeliveryError
from enclave.linkage.quarantine import Reason
from enclave.linkage.reading import Taken, take_in
from enclave.policy.quarter import Quarter
from tests.lib import policy_files
from tests.lib.delivery_kit import ANTWERP, GHENT, REGISTER, SUPPORT, csv, insz, spell

QUARTER = Quarter(2009, 2)


def take(data: bytes, source: str = "support", ending: str = "csv") -> Taken:
    file = f"{source}_2009-Q2.{ending}"
    schema = policy_files.sources()[source]
    return take_in(data, file, schema, QUARTER, policy_files.codelists(), synthetic=True)


def support(*rows: str) -> Taken:
    return take(csv(SUPPORT, rows))


def found(taken: Taken) -> set[tuple[int, str, Reason]]:
    return {(fault.line, fault.column, fault.reason) for fault in taken.quarantine.faults}


def test_good_rows_become_numbers() -> None:
    taken = support(spell(0, "2009-Q2", GHENT, regime="RMH"), spell(1, "2009-Q2"))
    assert taken.columns["insz"].tolist() == [int(insz(0)), int(insz(1))]
    assert [taken.codebook["regime"][index] for index in taken.columns["regime"]] == ["RMH", "RMI"]
    assert [taken.codebook["municipality"][index] for index in taken.columns["municipality"]] == [GHENT, ANTWERP]
    assert (taken.rows, taken.good_rows, taken.quarantine.rows) == (2, 2, 0)
    assert {name: values.dtype.name for name, values in taken.columns.items()} == {
        "insz": "int64",
        "regime": "int16",
        "form": "int16",
        "start": "int32",
        "end": "int32",
        "municipality": "int16",
    }


def test_every_fault_of_a_row_is_named_and_the_row_is_bad_once() -> None:
    taken = support(spell(0, "2009-Q2"), "123,RMX,living_wage,2009-04-31,2009-07-01,=1", spell(1, "2009-Q2"))
    assert found(taken) == {
        (3, "insz", Reason.INSZ_FORMAT),
        (3, "regime", Reason.UNKNOWN_CODE),
        (3, "start", Reason.NOT_A_DATE),
        (3, "end", Reason.OUTSIDE_PERIOD),
        (3, "municipality", Reason.FORMULA),
    }
    assert (taken.quarantine.rows, taken.good_rows) == (1, 2)
    assert {fault.text for fault in taken.quarantine.faults} == {"123,RMX,living_wage,2009-04-31,2009-07-01,=1"}


def test_line_numbers_after_a_quoted_line_end() -> None:
    taken = support('"a\nb\nc",RMI,living_wage,2009-04-01,2009-06-30,11002', "x", spell(0, "2009-Q2", "99999"))
    assert found(taken) == {
        (2, "insz", Reason.CONTROL),
        (5, "", Reason.RAGGED),
        (6, "municipality", Reason.UNKNOWN_CODE),
    }
    assert taken.quarantine.rows == taken.rows == 3


def test_same_row_again_changes_nothing() -> None:
    once = support(spell(0, "2009-Q2"), spell(1, "2009-Q2"))
    twice = support(spell(0, "2009-Q2"), spell(1, "2009-Q2"), spell(0, "2009-Q2"), spell(0, "2009-Q2"))
    assert {name: values.tolist() for name, values in twice.columns.items()} == {
        name: values.tolist() for name, values in once.columns.items()
    }
    assert found(twice) == {(4, "", Reason.DUPLICATE_ROW), (5, "", Reason.DUPLICATE_ROW)}


def test_contradicting_rows_all_go() -> None:
    taken = support(spell(0, "2009-Q2", ANTWERP), spell(1, "2009-Q2"), spell(0, "2009-Q2", GHENT))
    assert taken.columns["insz"].tolist() == [int(insz(1))]
    assert found(taken) == {(2, "", Reason.DUPLICATE_CONFLICT), (4, "", Reason.DUPLICATE_CONFLICT)}


def test_a_bad_row_does_not_take_a_good_one_along() -> None:
    taken = support(spell(0, "2009-Q2", "99999"), spell(0, "2009-Q2", GHENT))
    assert found(taken) == {(2, "municipality", Reason.UNKNOWN_CODE)}
    assert taken.good_rows == 1


def test_error_limit_is_a_share_of_all_rows_delivered() -> None:
    good = [spell(person, "2009-Q2") for person in range(98)]
    assert not support(*good, "ragged", spell(0, "2009-Q2", "99999")).is_over_limit, "2 of 100"
    assert support(*good, "ragged", "ragged", "ragged").is_over_limit, "3 of 101"


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(DeliveryError, match=r"DELIVERY_EMPTY: support_2009-Q2\.csv"):
        support()


def test_parquet_and_csv_give_the_same() -> None:
    rows = [f"{insz(0)},F,{ANTWERP},SING,BE,", f"{insz(1)},M,,,VR,2009-05-01", f"{insz(2)},X,{GHENT},MAR+,BE,"]
    fields = [row.split(",") for row in rows]
    table = {name: [row[index] or None for row in fields] for index, name in enumerate(REGISTER.split(","))}
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({name: pa.array(values, pa.string()) for name, values in table.items()}), sink)
    from_csv = take(csv(REGISTER, rows), "register")
    from_parquet = take(bytes(sink.getvalue()), "register", "parquet")
    for name, values in from_csv.columns.items():
        assert values.tolist() == from_parquet.columns[name].tolist()
    assert found(from_csv) == {(4, "sex", Reason.UNKNOWN_CODE)}
    assert found(from_parquet) == {(3, "sex", Reason.UNKNOWN_CODE)}, "rows, not lines"
    assert from_parquet.quarantine.faults[0].text == rows[2]


def test_delivered_forms_of_a_code_are_known() -> None:
    taken = take(csv(REGISTER, [f"{insz(0)},F,{ANTWERP},MAR+,BE,"]), "register")
    assert taken.codebook["lipro"][int(taken.columns["lipro"][0])] == "MARP"
