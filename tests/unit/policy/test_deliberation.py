"""The model of deliberations: what holds for any of them, whatever the document."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from enclave.errors import EnclaveBug, PolicyError
from enclave.policy.deliberation.checks_terms import numbered
from enclave.policy.deliberation.model import Deliberation, load_deliberation, text_in_force
from enclave.policy.strict_yaml import read
from tests.lib.policy_files import DELIBERATION, codelists, deliberation, house, load_deliberation_text, put, sources
from tests.lib.policy_files import text_of as shipped

SMALL = "small_deliberation.yaml"
EDITS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("small_deliberation_edits.yaml").read_text(encoding="utf-8")
)
EXTENSION = '[{until: 2018-03-31, decision: "17/020", decided: 2017-01-10}]'
AMENDED = (
    '[{version: 1, effective: 2023-03-07, decision: "23/100", decided: 2023-03-07, change: as authorised,'
    ' replaces: null}, {version: 2, effective: 2024-02-01, decision: "24/010", decided: 2024-01-09,'
    f" change: one more year, replaces: {'ab' * 32}}}]"
)


def small(*edits: tuple[str, str]) -> Deliberation:
    text = Path(__file__).with_name(SMALL).read_text(encoding="utf-8")
    for path, raw in edits:
        text = put(text, path, raw)
    return load_deliberation(SMALL, text, house(), codelists(), sources())


def refused(*edits: tuple[str, str]) -> PolicyError:
    with pytest.raises(PolicyError) as refusal:
        small(*edits)
    return refusal.value


def test_another_deliberation_needs_no_line_of_code() -> None:
    policy = small()
    assert policy.id == "deliberation-23-100"
    assert policy.open_points == {}
    assert policy.derivation("sample", "sex") is None
    assert load_deliberation(SMALL, Path(__file__).with_name(SMALL).read_text("utf-8"), house(), codelists())


def test_after_the_end_of_receipts_none_is_asked_for() -> None:
    assert {one.kind for one in small().required(date(2023, 3, 7))} == {"dpia", "record_of_processing", "contract"}


def test_a_refusal_names_file_line_path_what_to_do_and_the_paragraph() -> None:
    rows = Path(__file__).with_name(SMALL).read_text(encoding="utf-8").splitlines()
    line = next(number for number, row in enumerate(rows, 1) if row.startswith("retention:"))
    assert refused(("retention.until", "2027-01-01")).message == (
        f"small_deliberation.yaml, line {line}, retention.until: the data would be kept longer than was granted; "
        "write the granted date, whatever was asked [paragraph 9]"
    )


def test_the_version_in_force_on_a_day() -> None:
    amended = small(("versions", AMENDED))
    assert [found and found.version for found in map(amended.in_force, (date(2023, 3, 6), date(2024, 1, 31)))] == [
        None,
        1,
    ]
    assert amended.in_force(date(2024, 2, 1)) == amended.versions[1]


def test_the_text_in_force_on_a_day() -> None:
    first, second = small(), small(("versions", AMENDED))
    assert text_in_force([second, first], date(2023, 3, 6)) is None
    assert text_in_force([second, first], date(2024, 1, 31)) is first
    assert text_in_force([first, second], date(2024, 2, 1)) is second


def test_versions_that_are_not_later_than_those_before_are_refused() -> None:
    assert "put them in order" in refused(("versions", AMENDED.replace("2024-02-01", "2023-03-07"))).message


def test_an_extension_in_time_moves_the_end() -> None:
    policy = load_deliberation_text(put(shipped(DELIBERATION), "retention.extensions", EXTENSION))
    assert policy.retention.end == date(2018, 3, 31)
    assert policy.retention.until == date(2017, 3, 31)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit['put'][0]} {edit['code']}")
def test_parts_that_do_not_fit_each_other_are_refused(edit: dict[str, Any]) -> None:
    refusal = refused(tuple(edit["put"]))
    assert refusal.code == edit["code"]
    assert f", {edit['where']}: " in refusal.message


def test_a_place_is_never_finer_than_the_data_set_is_granted() -> None:
    variable = "data_sets.0.variables.1.scheme"
    assert small((variable, "regions"))
    assert refused((variable, "provinces")).code == "MORE_THAN_GRANTED"
    assert refused((variable, "regions"), ("data_sets.0.finest_place", "country")).code == "MORE_THAN_GRANTED"


def test_a_deliberation_cannot_change_and_is_not_made_without_its_house() -> None:
    with pytest.raises(ValidationError):
        deliberation().retention.until = date(2030, 1, 1)  # type: ignore[misc]
    with pytest.raises(TypeError):
        deliberation().open_points["death"] = None  # type: ignore[index]
    with pytest.raises(EnclaveBug):
        Deliberation.model_validate(dict(read(DELIBERATION, shipped(DELIBERATION)).data))


@pytest.mark.parametrize(
    ("paragraph", "wanted"),
    [
        ("6", {6}),
        ("2, 11; 5", {2, 5, 11}),
        ("6, in classes", {6}),
        ("house", set()),
        ("15/018 par. 6", set()),
        ("pre.", set()),
    ],
)
def test_the_numbered_paragraphs_of_a_reference(paragraph: str, wanted: set[int]) -> None:
    assert numbered(paragraph) == wanted
