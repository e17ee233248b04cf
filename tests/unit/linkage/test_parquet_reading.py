from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from enclave.errors import DeliveryError
from enclave.linkage import parquet_reading
from enclave.linkage.parquet_reading import read_parquet
from enclave.linkage.rows import RawRows

COLUMNS = {"code": False, "day": True}


def file(**columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def read(data: bytes) -> RawRows:
    return read_parquet(data, COLUMNS, "made.parquet")


def test_text_dates_and_nulls_become_bytes() -> None:
    raw = read(file(day=pa.array([date(2009, 6, 30), None]), code=["M", None]))
    assert raw.column("code").to_pylist() == [b"M", b""]
    assert raw.column("day").to_pylist() == [b"2009-06-30", b""]
    assert raw.lines.tolist() == [1, 2]
    assert raw.total == 2


def test_coded_and_large_text_are_text() -> None:
    coded = pa.array(["M", "F", None]).dictionary_encode()
    raw = read(file(code=coded, day=pa.array(["2009-06-30", "", None], pa.large_string())))
    assert raw.column("code").to_pylist() == [b"M", b"F", b""]
    assert raw.column("day").to_pylist() == [b"2009-06-30", b"", b""]


@pytest.mark.parametrize("names", [("code",), ("code", "day", "name"), ("code", "dag"), ("code", "Day")])
def test_other_columns_are_refused_whole(names: tuple[str, ...]) -> None:
    with pytest.raises(DeliveryError, match=r"DELIVERY_COLUMNS: made.parquet"):
        read(file(**{name: ["x"] for name in names}))


def test_a_column_twice_is_refused_whole() -> None:
    sink = pa.BufferOutputStream()
    table = pa.table([pa.array(["x"])] * 3, names=["code", "day", "day"])
    parquet.write_table(table, sink)
    with pytest.raises(DeliveryError, match="DELIVERY_COLUMNS"):
        read(bytes(sink.getvalue()))


@pytest.mark.parametrize("values", [[1], [1.0], [date(2009, 6, 30)], [["x"]], [b"x"]])
def test_codes_must_be_text(values: list[Any]) -> None:
    with pytest.raises(DeliveryError, match=r"DELIVERY_COLUMN_TYPE: made.parquet: column 'code'"):
        read(file(code=values, day=["2009-06-30"]))


def test_what_is_not_parquet_is_refused_whole() -> None:
    good = file(code=["M"] * 100, day=["2009-06-30"] * 100)
    for data in (b"", b"PAR1", b"code,day\nM,2009-06-30\n", good[:-1], good[: len(good) // 2], good[4:]):
        with pytest.raises(DeliveryError, match=r"DELIVERY_PARQUET: made.parquet"):
            read(data)


def test_a_claim_of_too_many_rows_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_reading, "MOST_ROWS", 99)
    with pytest.raises(DeliveryError, match=r"DELIVERY_SIZE: made.parquet"):
        read(file(code=["M"] * 100, day=["2009-06-30"] * 100))
