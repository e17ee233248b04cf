"""Project files: who is on a project, strictly read."""

import pytest

from enclave.errors import PolicyError
from enclave.policy.project import load_project
from enclave.wiring.settings import POLICIES

SHIPPED = POLICIES / "projects" / "advice-17-17-2016.yaml"


def test_the_file_that_ships_says_who_is_on_the_project() -> None:
    found = load_project(SHIPPED.name, SHIPPED.read_text(encoding="utf-8"))
    assert found.roles == {"staff.one": "cbss_staff", "analyst.one": "analyst"}


def test_a_role_that_is_left_out_has_nobody() -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace("  analyst: [analyst.one]\n", "")
    assert load_project(SHIPPED.name, text).roles == {"staff.one": "cbss_staff"}


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("year: 2016", "year: 2017", "PROJECT_NAME", "write advice-17-17-2017"),
        ("project: advice-17-17-2016", "project: ../../etc", "POLICY_VALUE", "does not have the form"),
        ("year: 2016", 'year: "2016"', "POLICY_TYPE", "a whole number"),
        ("year: 2016", "year: 2016\nyear: 2016", "YAML_DUPLICATE_KEY", "stands twice"),
        ("groups:", "group:", "POLICY_MISSING_KEY", "missing"),
        ("  analyst:", "  output_checker:", "POLICY_UNKNOWN_KEY", "not known"),
        ("[analyst.one]", "analyst.one", "POLICY_TYPE", "a list"),
        ("[analyst.one]", "[Analyst One]", "POLICY_VALUE", "does not have the form"),
        ("[analyst.one]", "[analyst.one, analyst.one]", "PROJECT_TWICE", "stands twice"),
        ("[analyst.one]", "[staff.one]", "PROJECT_TWICE", "in one group"),
        ("schema: project/1", "schema: project/2", "POLICY_VALUE", "project/1"),
        ("purpose:", "purpose: ''\n#", "POLICY_EMPTY", "empty"),
    ],
)
def test_what_does_not_hold_is_refused_with_file_and_line(old: str, new: str, code: str, says: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert text.count(old) == 1
    with pytest.raises(PolicyError) as refusal:
        load_project(SHIPPED.name, text.replace(old, new))
    assert refusal.value.code == code
    assert says in refusal.value.message
    assert f"{SHIPPED.name}, line " in refusal.value.message


def test_a_file_under_another_name_is_refused() -> None:
    with pytest.raises(PolicyError) as refusal:
        load_project("other.yaml", SHIPPED.read_text(encoding="utf-8"))
    assert refusal.value.code == "PROJECT_NAME"
    assert "advice-17-17-2016.yaml" in refusal.value.message
