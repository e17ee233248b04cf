import numpy as np
import pytest

from enclave.errors import DeliveryError
from enclave.linkage import csv_reading
from enclave.linkage.csv_reading import LONGEST_RECORD, read_csv
from enclave.linkage.quarantine import Reason
from enclave.linkage.rows import RawRows

Found = dict[int, tuple[str, ...]]


def read(text: str | bytes) -> RawRows:
    return read_csv(text if isinstance(text, bytes) else text.encode(), ("a", "b"), "made.csv")


def rows(raw: RawRows) -> Found:
    columns = [column.to_pylist() for column in raw.table.columns]
    fields = zip(*columns, strict=True)
    return {line: tuple(field.decode() for field in row) for line, row in zip(raw.lines.tolist(), fields, strict=True)}


def faults(raw: RawRows) -> dict[int, Reason]:
    return {fault.line: fault.reason for fault in raw.faults.quarantine("made.csv", raw.broken).faults}


def test_clean_lines_have_their_numbers() -> None:
    raw = read("a,b\n1,2\n3,\n,\n")
    assert rows(raw) == {2: ("1", "2"), 3: ("3", ""), 4: ("", "")}
    assert (raw.broken, raw.total) == (0, 3)


def test_last_line_may_lack_its_end() -> None:
    assert rows(read("a,b\n1,2")) == {2: ("1", "2")}


@pytest.mark.parametrize("text", ["a,b\n", "a,b"])
def test_header_alone_is_no_row(text: str) -> None:
    assert read(text).total == 0


@pytest.mark.parametrize("header", ["", "b,a", "a", "a,b,c", "a,b\r", "\ufeffa,b", '"a","b"', "A,B", "a, b", "a;b"])
def test_another_header_is_refused_whole(header: str) -> None:
    with pytest.raises(DeliveryError, match=r"DELIVERY_COLUMNS: made.csv.*deliver exactly a, b"):
        read(f"{header}\n1,2\n")


def test_utf16_is_refused_whole() -> None:
    with pytest.raises(DeliveryError, match="DELIVERY_COLUMNS"):
        read("a,b\n1,2\n".encode("utf-16"))


def test_ragged_lines_are_found_where_they_stand() -> None:
    raw = read("a,b\n1,2\n1\n1,2,3\n\n5,6\n")
    assert rows(raw) == {2: ("1", "2"), 6: ("5", "6")}
    assert faults(raw) == dict.fromkeys((3, 4, 5), Reason.RAGGED)
    assert raw.broken == 3


def test_quoted_fields_are_fields() -> None:
    raw = read('a,b\n"1,5","say ""x"""\n"",2\n')
    assert rows(raw) == {2: ("1,5", 'say "x"'), 3: ("", "2")}


def test_line_numbers_are_right_after_quoted_line_ends() -> None:
    raw = read('a,b\n1,2\n"3\n3\n",4\n5\n6,7\n')
    assert rows(raw) == {2: ("1", "2"), 3: ("3\n3\n", "4"), 7: ("6", "7")}
    assert faults(raw) == {6: Reason.RAGGED}


def test_quoted_record_of_the_wrong_width_costs_its_first_line() -> None:
    raw = read('a,b\n"1\n2,3\n4"\n5,6\n')
    assert rows(raw) == {3: ("2", "3"), 5: ("5", "6")}
    assert faults(raw) == {2: Reason.RAGGED, 4: Reason.QUOTE}
    assert raw.faults.quarantine("made.csv", 1).faults[0].text == '"1\n'


@pytest.mark.parametrize("line", ['"1,2', '1"2,3', '"1"x,2', '1,"'])
def test_quotation_mark_that_is_not_closed_costs_its_line_only(line: str) -> None:
    raw = read(f"a,b\n{line}\n" + "3,4\n" * 5_000)
    assert faults(raw) == {2: Reason.QUOTE}
    assert raw.lines.tolist() == list(range(3, 5_003))


def test_two_stray_marks_do_not_swallow_what_is_between() -> None:
    raw = read('a,b\n"1,2\n3,4\n5,6\n"7",8\n')
    assert faults(raw) == {2: Reason.QUOTE}
    assert rows(raw) == {3: ("3", "4"), 4: ("5", "6"), 5: ("7", "8")}


@pytest.mark.parametrize("line", ["1,2\r", "1\r,2", '"1\r",2'])
def test_carriage_returns_are_no_line_ends(line: str) -> None:
    raw = read(f"a,b\n{line}\n3,4\n")
    assert faults(raw) == {2: Reason.CONTROL}
    assert rows(raw) == {3: ("3", "4")}


@pytest.mark.parametrize("filling", ["x", '"', ","])
def test_huge_line_is_not_parsed_and_not_kept_whole(filling: str) -> None:
    raw = read("a,b\n" + filling * (LONGEST_RECORD + 2) + "\n3,4\n")
    (fault,) = raw.faults.quarantine("made.csv", 1).faults
    assert (fault.line, fault.reason, len(fault.text)) == (2, Reason.TOO_LONG, 1_000)
    assert rows(raw) == {3: ("3", "4")}


def test_bytes_of_all_kinds_reach_the_columns_unchanged() -> None:
    raw = read(b"a,b\n\xff\xfe,\x00\n\xc3\xa9,\t\n")
    assert raw.column("a").to_pylist() == [b"\xff\xfe", b"\xc3\xa9"]
    assert raw.column("b").to_pylist() == [b"\x00", b"\t"]


def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a,b\n" + "".join(f"{i},x\n" if i % 7 else f'"{i}\n",y\n' if i % 2 else f"{i}\n" for i in range(200))
    whole = read(text)
    for size in (1, 2, 3, 10, 64, 1_000):
        monkeypatch.setattr(csv_reading, "BLOCK_BYTES", size)
        cut = read(text)
        assert rows(cut) == rows(whole)
        assert faults(cut) == faults(whole)


def test_rows_are_written_again_as_lines() -> None:
    raw = read('a,b\n1,2\n"x,""y",3\n')
    assert list(raw.texts(np.arange(2))) == [b"1,2", b'"x,""y",3']
