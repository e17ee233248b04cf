"""Code lists: reading, refusing, climbing; and the facts of the shipped lists."""

import csv
from collections import Counter
from datetime import date

import pytest

from enclave.errors import PolicyError
from enclave.policy.codelist import Code, Codelist, read_codelists
from tests.lib.policy_files import FOLDER, codelists

HEADER = "code,parent,label_nl,label_fr,label_en,valid_from,valid_to,delivered_as,source,confidence\n"
TREE = HEADER + (
    "A,,a nl,a fr,a en,,,,here,high\n"
    "A1,A,a1 nl,a1 fr,a1 en,2003-03-31,2018-12-31,,here,high\n"
    'A2,A,"a2, nl",a2 fr,a2 en,,,A+,here,low\n'
    "B,,b nl,b fr,b en,,,,here,high\n"
)


def _refused(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as refusal:
        Codelist.from_csv("some/where/tree.csv", text)
    return refusal.value


def test_codes_leaves_hierarchy_and_rows() -> None:
    tree = Codelist.from_csv("some/where/tree.csv", TREE)
    assert tree.id == "tree"
    assert tree.codes == ("A", "A1", "A2", "B")
    assert tree.leaves == ("A1", "A2", "B")
    assert tree.hierarchy().parents == (("A", ""), ("A1", "A"), ("A2", "A"), ("B", ""))
    assert tree.by_code["A2"].label_nl == "a2, nl"
    assert tree.by_code["A1"].valid_from == date(2003, 3, 31)
    assert tree.by_code["A1"].valid_to == date(2018, 12, 31)
    assert tree.by_code["A"].valid_from is None


def test_delivered_forms_name_leaves() -> None:
    tree = Codelist.from_csv("tree.csv", TREE)
    assert dict(tree.delivered) == {"A1": "A1", "A2": "A2", "B": "B", "A+": "A2"}


def test_ancestor_in_takes_the_nearest() -> None:
    tree = Codelist.from_csv("tree.csv", TREE)
    assert tree.ancestor_in("A2", {"A", "B"}) == "A"
    assert tree.ancestor_in("A2", {"A", "A2"}) == "A2"
    for code, wanted, refusal in (("C", {"A"}, "UNKNOWN_CODE"), ("B", {"A"}, "NO_ANCESTOR")):
        with pytest.raises(PolicyError) as refused:
            tree.ancestor_in(code, wanted)
        assert refused.value.code == refusal


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("B,,b nl", "A1,,b nl", "CODELIST_DUPLICATE", 5),
        ("A1,A,", "A1,Z,", "CODELIST_PARENT", 3),
        ("A1,A,", "A1,B,", "CODELIST_PARENT", 3),
        ("A1,A,", "A1,A1,", "CODELIST_PARENT", 3),
        ("B,,b nl", "_T,,b nl", "CODELIST_CODE", 5),
        ("B,,b nl", "B+C,,b nl", "CODELIST_CODE", 5),
        ("B,,b nl", ",,b nl", "CODELIST_CODE", 5),
        ("b nl", "", "CODELIST_TEXT", 5),
        ("b nl", " b nl", "CODELIST_TEXT", 5),
        ("b nl", "=1+1", "CODELIST_TEXT", 5),
        ("b nl", "@b", "CODELIST_TEXT", 5),
        ("b nl", "b\u202enl", "CODELIST_TEXT", 5),
        ("b en,,,,here,high", "b en,,,,,high", "CODELIST_TEXT", 5),
        ("b en,,,,here,high", "b en,,,,here", "CODELIST_CSV", 5),
        ("b en,,,,here,high", "b en,,,,here,high,more", "CODELIST_CSV", 5),
        ('"a2, nl"', '"a2, nl', "CODELIST_CSV", 5),
        ("2003-03-31", "31/03/2003", "CODELIST_VALIDITY", 3),
        ("2003-03-31", "20030331", "CODELIST_VALIDITY", 3),
        ("2003-03-31", "2003-02-31", "CODELIST_VALIDITY", 3),
        ("2018-12-31", "2002-12-31", "CODELIST_VALIDITY", 3),
        ("A+,here", "B,here", "CODELIST_DELIVERED", 5),
        ("a en,,,,here", "a en,,,a,here", "CODELIST_DELIVERED", 5),
        ("confidence\n", "trust\n", "CODELIST_HEADER", 1),
        ("delivered_as", "code", "CODELIST_HEADER", 1),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(old: str, new: str, code: str, line: int) -> None:
    assert old in TREE
    refusal = _refused(TREE.replace(old, new, 1))
    assert refusal.code == code
    assert refusal.message.startswith(f"some/where/tree.csv, line {line}: ")


def test_empty_files_and_lists_are_refused() -> None:
    assert _refused("").code == "CODELIST_HEADER"
    assert _refused(HEADER).code == "CODELIST_EMPTY"


def test_a_list_needs_a_proper_name() -> None:
    with pytest.raises(PolicyError) as refusal:
        Codelist.from_csv("Some List.csv", TREE)
    assert refusal.value.code == "CODELIST_ID"


def test_two_files_may_not_have_one_name() -> None:
    with pytest.raises(PolicyError) as refusal:
        read_codelists({"a/tree.csv": TREE, "b/tree.csv": TREE})
    assert refusal.value.code == "CODELIST_ID"


def test_a_list_made_by_hand_is_checked_too() -> None:
    row = Code("A", "Z", "nl", "fr", "en", "here", "high")
    with pytest.raises(PolicyError) as refusal:
        Codelist("tree", (row,))
    assert refusal.value.code == "CODELIST_PARENT"


def test_the_lists_of_the_advice_have_their_sizes() -> None:
    leaves = {name: len(codelists()[name].leaves) for name in codelists()}
    assert leaves["groups"] == 4
    assert leaves["clusters"] == 13
    assert leaves["sex"] == 2
    assert leaves["regions"] == 4
    assert leaves["lipro"] == 13
    assert leaves["origin"] == 2
    assert leaves["positions"] == 25
    assert leaves["municipalities"] == 589
    assert leaves["districts"] == 43
    assert len(codelists()["provinces"].codes) == 3 + 10


def test_leaves_fit_the_integers_that_the_store_uses() -> None:
    for codelist in codelists().values():
        assert len(codelist.leaves) <= (32_767 if codelist.id == "municipalities" else 127)


def test_clusters_are_stamped_as_made_up() -> None:
    for row in codelists()["clusters"].rows:
        if row.code != "XX":
            assert "SYNTHETIC" in row.source
            assert all("SYNTHETIC" in label for label in (row.label_nl, row.label_fr, row.label_en))


def test_municipalities_lie_in_their_regions() -> None:
    municipalities, regions = codelists()["municipalities"], codelists()["regions"]
    found = Counter(municipalities.ancestor_in(leaf, regions.codes) for leaf in municipalities.leaves)
    assert found == {"02000": 308, "03000": 262, "04000": 19}


def test_brussels_has_a_district_and_no_province() -> None:
    municipalities = codelists()["municipalities"]
    assert municipalities.by_code["21004"].parent == "21000"
    assert municipalities.by_code["21000"].parent == "04000"
    assert municipalities.by_code["44021"].parent == "44000"
    assert municipalities.by_code["44000"].parent == "40000"
    assert municipalities.by_code["40000"].parent == "02000"


def test_geographical_lists_agree() -> None:
    municipalities = codelists()["municipalities"].by_code
    for name in ("provinces", "districts", "regions"):
        for row in codelists()[name].rows:
            if row.code != "XX":
                assert municipalities[row.code].parent == row.parent
                assert municipalities[row.code].label_nl == row.label_nl
    for row in codelists()["centre_cities"].rows:
        assert row.code == "XX" or municipalities[row.code].label_nl == row.label_nl


def test_changes_turn_589_municipalities_into_581_and_565() -> None:
    with (FOLDER / "classifications/tables/nis_changes.csv").open(encoding="utf-8", newline="") as file:
        changes = list(csv.DictReader(file))
    codes = set(codelists()["municipalities"].leaves)
    for day, count in (("2019-01-01", 581), ("2025-01-01", 565)):
        today = [change for change in changes if change["date"] == day]
        assert {change["nis_old"] for change in today} <= codes
        codes = (codes - {change["nis_old"] for change in today}) | {change["nis_new"] for change in today}
        assert len(codes) == count


def test_codes_that_ended_are_dated() -> None:
    municipalities = codelists()["municipalities"].by_code
    assert municipalities["12030"].valid_to == date(2018, 12, 31)
    assert municipalities["46013"].valid_to == date(2024, 12, 31)
    assert municipalities["11002"].valid_to is None
    assert municipalities["44021"].valid_from == date(1983, 1, 1)


def test_positions_have_three_levels_and_one_unknown() -> None:
    positions = codelists()["positions"]
    assert [code for code in positions.codes if not positions.by_code[code].parent] == ["1", "2", "3", "4"]
    assert positions.ancestor_in("331", {"1", "2", "3", "4"}) == "3"
    assert "4" in positions.leaves


def test_register_forms_with_a_plus_sign_are_understood() -> None:
    assert codelists()["lipro"].delivered["MAR+"] == "MARP"
    assert codelists()["lipro"].delivered["UNM+"] == "UNMP"
