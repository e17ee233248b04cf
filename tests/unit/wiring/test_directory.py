"""The directory file names the projects of every kind of policy."""

from pathlib import Path

from enclave.gateway.permissions import Person, Role
from enclave.wiring.house import open_house
from enclave.wiring.workbench.directory import directory_of
from tests.lib.house_kit import made_house


def test_projects_of_advices_and_deliberations_have_titles_and_unknown_ones_have_none(tmp_path: Path) -> None:
    opener = made_house(tmp_path / "house")
    projects = frozenset({"advice-17-17-2016", "deliberation-15-018-2013", "deliberation-99-999-2013"})
    person = Person("staff.one", frozenset({"staff.one"}), frozenset({Role.CBSS_STAFF}), projects, frozenset(), None)
    with open_house(tmp_path / "house", opener) as house:
        house.register.enrol([person], "steward.one")
        titles = directory_of(house).projects
    assert {project: title["fr"] for project, title in titles.items()} == {
        "advice-17-17-2016": "Avis 17/17, année 2016",
        "deliberation-15-018-2013": "Délibération 15/018, année 2013",
    }
