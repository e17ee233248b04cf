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
from enclave.wiring.workbench.layout import Layout

_KIND = {
    "advice": {"nl": "Advies", "fr": "Avis", "en": "Advice"},
    "deliberation": {"nl": "Beraadslaging", "fr": "Délibération", "en": "Deliberation"},
}
_YEAR = {"nl": "jaar", "fr": "année", "en": "year"}


def write_directory(house: House, path: Path, *, vault_open: bool) -> None:
    """Write who has which account, roles and projects now, and whether projects are open."""
    people = house.register.everybody()
    accounts = {account: _member(person) for person in people for account in person.accounts}
    Directory(house.settings.synthetic, vault_open, accounts, dict(_projects(house, people))).write(path)


def _member(person: Person) -> Member:
    return Member(person.id, frozenset(role.value for role in person.roles), person.projects)


def _projects(house: House, people: Iterable[Person]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the title of each project that somebody is on and whose policy is in this house."""
    used = sorted({project for person in people for project in person.projects})
    for kind, words in _KIND.items():
        for file in sorted(house.settings.policies.glob(f"{kind}-*.yaml")):
            policy = house.reference.policy_file(file)
            for project in used:
                year = project.removeprefix(f"{policy.id}-")
                if year != project:
                    number = policy.numbers.decision
                    yield project, {tag: f"{words[tag]} {number}, {_YEAR[tag]} {year}" for tag in words}


if __name__ == "__main__":
    layout = Layout(Path(sys.argv[1]))
    try:
        with open_house(layout.house) as opened:
            write_directory(opened, layout.directory, vault_open=True)
    except EnclaveError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
