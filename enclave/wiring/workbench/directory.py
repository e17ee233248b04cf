"""The directory file, drawn from the register of the house. Whoever changes the register writes it anew.

`python -m enclave.wiring.workbench.directory ROOT` writes it before the gateway runs, as the gateway's user.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from enclave.errors import EnclaveError
from enclave.gateway.permissions import Person
from enclave.sandbox.directory import Directory, Member
from enclave.wiring.house import House, open_house
from enclave.wiring.project_files import ProjectFiles
from enclave.wiring.workbench.layout import Layout

_KIND = {
    "advice": {"nl": "Advies", "fr": "Avis", "en": "Advice"},
    "deliberation": {"nl": "Beraadslaging", "fr": "Délibération", "en": "Deliberation"},
}
_YEAR = {"nl": "jaar", "fr": "année", "en": "year"}


def directory_of(house: House) -> Directory:
    """Return who has which account, roles and projects now, whether the vault is open, and what is closed for good."""
    people = house.register.everybody()
    accounts = {account: _member(person) for person in people for account in person.accounts}
    projects = dict(_projects(house, people))
    closed = frozenset(project for project in projects if not house.retention.is_open(project))
    return Directory(
        house.settings.synthetic, not house.locked, accounts, projects, closed, house.retention.destroyed()
    )


class DirectoryKeeper:
    """Keeps the file as the house is, whoever changes the register, and from whichever process."""

    def __init__(self, house: House, path: Path) -> None:
        """Know house and file; nothing is written yet."""
        self._house, self._path = house, path
        self._written: Directory | None = None

    def look(self) -> None:
        """Write the file if something changed."""
        found = directory_of(self._house)
        if found != self._written:
            found.write(self._path)
            self._written = found


def _member(person: Person) -> Member:
    return Member(person.id, frozenset(role.value for role in person.roles), person.projects)


def _projects(house: House, people: Iterable[Person]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the title of each project that somebody is on and whose policy is in this house."""
    used = sorted({project for person in people for project in person.projects})
    for kind, words in _KIND.items():
        for file in sorted(house.settings.policies.glob(f"{kind}-*.yaml")):
            years = {project: project.removeprefix(f"{file.stem}-") for project in used}
            years = {project: year for project, year in years.items() if year != project}
            if years:
                number = house.reference.any_policy_file(file).numbers.decision
                for project, year in years.items():
                    yield project, {tag: f"{words[tag]} {number}, {_YEAR[tag]} {year}" for tag in words}


if __name__ == "__main__":
    layout = Layout(Path(sys.argv[1]))
    try:
        with open_house(layout.house) as opened:
            ProjectFiles(opened).look()
            directory_of(opened).write(layout.directory)
    except EnclaveError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
