"""What operators and stewards do with a house: make it, look at its door, enrol people, extend a retention."""

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from enclave.errors import RequestError
from enclave.gateway import permissions
from enclave.gateway.log_entry import SYSTEM, LogAction
from enclave.gateway.permissions import Person, Role
from enclave.gateway.retention import Extension
from enclave.policy.strict_yaml import read as read_yaml
from enclave.wiring.house import House, make_house, open_house
from enclave.wiring.keys import operator_client
from enclave.wiring.keys.door import DoorStatus
from enclave.wiring.keys.key_holder import Protect, master_key
from enclave.wiring.settings import Settings


def make(root: Path, *, synthetic: bool, protect: Protect) -> None:
    """Make a house."""
    make_house(root, synthetic=synthetic, protect=protect)


def door(root: Path) -> Iterator[str]:
    """Tell how the vault of a house stands: in its running gateway, or on disk."""
    told = operator_client.status(operator_client.socket_of(root))
    running = told is not None
    if told is None:
        master = master_key(Settings.read(root))
        told = DoorStatus(locked=True, since=None, protection=master.protection.words, generation=master.generation)
        yield "vault: locked (no gateway runs)"
    elif told.locked or told.since is None:
        yield "vault: locked in the running gateway"
    else:
        yield f"vault: unlocked in the running gateway since {told.since:%Y-%m-%d %H:%M:%S %Z}"
    yield f"master key: opened by {told.protection}; generation {told.generation}"
    if running:
        yield from operator_client.projects(operator_client.socket_of(root))
    else:
        yield from _terms(root)


def _terms(root: Path) -> Iterator[str]:
    """Tell when projects close, as the owner of the house; to others, who may tell it."""
    if root.stat().st_uid != os.geteuid():
        yield "when projects close: type this as the owner of the house, or start the workbench"
        return
    with open_house(root) as house:
        yield from house.retention.lines()


def extend(house: House, account: str, project: str, extension: Extension) -> str:
    """Record a decision that a project's data may be kept longer; a decision that does not count is refused."""
    person = house.allow(account, "extend", lambda one: permissions.check_extend(one, project))
    try:
        term = house.retention.extend(project, extension, person.id, account)
    except RequestError as refusal:
        house.log(SYSTEM, LogAction.REFUSED, "extend", account=account, operation="extend", code=refusal.code)
        raise
    return f"{project}: its data may be used until {term.until}, by decision {extension.ruling}"


def enrol(house: House, account: str, people: Path) -> str:
    """Enrol the persons of a file; the first persons of a house are enrolled by whoever made it."""
    if not house.register.is_empty:
        house.allow(account, "enrol", permissions.check_enrol)
    data = read_yaml(people.name, people.read_text(encoding="utf-8")).data
    listed = data.get("people") if isinstance(data, Mapping) else None
    if not isinstance(listed, tuple):
        raise RequestError("PEOPLE_FILE", f"{people.name}: write one list under `people:`")
    persons = [_person(entry, f"{people.name}, entry {number}") for number, entry in enumerate(listed, start=1)]
    house.register.enrol(persons, account)
    return f"enrolled {', '.join(person.id for person in persons)}"


def _person(entry: Any, where: str) -> Person:
    known = {"id", "accounts", "roles", "projects", "conflicts", "trained_until"}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str) or set(entry) - known:
        raise RequestError("PERSON", f"{where}: a person has an id and perhaps {', '.join(sorted(known - {'id'}))}")
    trained = entry.get("trained_until")
    if trained is not None and not isinstance(trained, date):
        raise RequestError("PERSON", f"{where}: trained_until must be a date such as 2027-01-31")
    try:
        roles = frozenset(Role(role) for role in entry.get("roles", ()))
    except ValueError as error:
        raise RequestError("PERSON", f"{where}: roles are {', '.join(Role)}") from error
    names = {name: frozenset(entry.get(name, ())) for name in ("accounts", "projects", "conflicts")}
    return Person(entry["id"], names["accounts"], roles, names["projects"], names["conflicts"], trained)
