"""Who is who: persons with their accounts, roles, projects and conflicts, kept in the book beside the votes.

The store's guards read the same tables, so a vote is checked against the same truth twice.
"""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, Table, delete, insert, select, update

from enclave.errors import PermissionDenied, RequestError
from enclave.gateway.log_entry import LogAction, LogDraft
from enclave.gateway.permissions import Person, Role
from enclave.ledger.book import Book
from enclave.ledger.schema import accounts, conflicts, memberships, persons, roles


class Register:
    """See `enclave.gateway.ports.People`."""

    def __init__(self, book: Book) -> None:
        self._book = book

    @property
    def is_empty(self) -> bool:
        """Whether nobody is enrolled yet."""
        with self._book.connection(reading=True) as connection:
            return connection.execute(select(persons.c.id).limit(1)).first() is None

    def person(self, person_id: str) -> Person:
        """Return the person as enrolled now; PermissionDenied UNKNOWN_PERSON."""
        with self._book.connection(reading=True) as connection:
            return _person(connection, person_id)

    def by_account(self, account: str) -> Person:
        """Return whose account this is; PermissionDenied UNKNOWN_ACCOUNT."""
        with self._book.connection(reading=True) as connection:
            query = select(accounts.c.person).where(accounts.c.account == account)
            found = connection.execute(query).scalar_one_or_none()
            if found is None:
                raise PermissionDenied(
                    "UNKNOWN_ACCOUNT", "this account belongs to nobody here; ask a steward to enrol you"
                )
            return _person(connection, found)

    def everybody(self) -> tuple[Person, ...]:
        """Return all persons as enrolled now, by id."""
        with self._book.connection(reading=True) as connection:
            ids = connection.execute(select(persons.c.id).order_by(persons.c.id)).scalars().all()
            return tuple(_person(connection, person_id) for person_id in ids)

    def enrol(self, people: Iterable[Person], actor: str) -> None:
        """Store these persons as given, in place of what was known: all, or none. Who did it stands in the audit log.

        Raises RequestError ACCOUNT_TAKEN when an account is another person's: one account, one person.
        """
        with self._book.connection() as connection:
            for person in people:
                _store(connection, person)
                self._book.audit.append(connection, _draft(person, actor))

    def set_members(self, project: str, members: frozenset[str], actor: str, file: str) -> None:
        """Let exactly these persons be on the project, whose file has this digest; who came and went is logged.

        Do nothing where they are on it already.
        """
        with self._book.connection() as connection:
            query = select(memberships.c.person).where(memberships.c.project == project)
            before = frozenset(connection.execute(query).scalars())
            if before == members:
                return
            added, withdrawn = sorted(members - before), sorted(before - members)
            for person in withdrawn:
                here = (memberships.c.person == person, memberships.c.project == project)
                connection.execute(delete(memberships).where(*here))
            for person in added:
                connection.execute(insert(memberships).values({"person": person, "project": project}))
            details: dict[str, str | tuple[str, ...]] = {
                "added": tuple(added),
                "withdrawn": tuple(withdrawn),
                "file": file,
            }
            self._book.audit.append(connection, LogDraft(actor, LogAction.MEMBERS_CHANGED, project, details))


def _person(connection: Connection, person_id: str) -> Person:
    row = connection.execute(select(persons).where(persons.c.id == person_id)).one_or_none()
    if row is None:
        raise PermissionDenied("UNKNOWN_PERSON", "this person is not enrolled; ask a steward")
    return Person(
        id=row.id,
        accounts=_values(connection, accounts, "account", person_id),
        roles=frozenset(Role(role) for role in _values(connection, roles, "role", person_id)),
        projects=_values(connection, memberships, "project", person_id),
        conflicts=_values(connection, conflicts, "project", person_id),
        trained_until=date.fromisoformat(row.trained_until) if row.trained_until else None,
    )


def _values(connection: Connection, table: Table, column: str, person_id: str) -> frozenset[str]:
    query = select(table.c[column]).where(table.c.person == person_id)
    return frozenset(connection.execute(query).scalars())


def _store(connection: Connection, person: Person) -> None:
    trained = {"trained_until": person.trained_until.isoformat() if person.trained_until else None}
    changed = connection.execute(update(persons).where(persons.c.id == person.id).values(trained))
    if changed.rowcount == 0:
        connection.execute(insert(persons).values({"id": person.id} | trained))
    taken = select(accounts.c.account).where(accounts.c.account.in_(person.accounts), accounts.c.person != person.id)
    if connection.execute(taken).first() is not None:
        raise RequestError("ACCOUNT_TAKEN", "one of these accounts belongs to another person; one account, one person")
    _replace(connection, accounts, "account", person.id, person.accounts)
    _replace(connection, roles, "role", person.id, [role.value for role in person.roles])
    _replace(connection, memberships, "project", person.id, person.projects)
    _replace(connection, conflicts, "project", person.id, person.conflicts)


def _replace(
    connection: Connection, table: Table, column: str, person_id: str, values: frozenset[str] | list[str]
) -> None:
    connection.execute(delete(table).where(table.c.person == person_id))
    for value in sorted(values):
        connection.execute(insert(table).values({"person": person_id, column: value}))


def _draft(person: Person, actor: str) -> LogDraft:
    details: dict[str, str | tuple[str, ...]] = {
        "accounts": tuple(sorted(person.accounts)),
        "roles": tuple(sorted(role.value for role in person.roles)),
        "projects": tuple(sorted(person.projects)),
        "conflicts": tuple(sorted(person.conflicts)),
    }
    if person.trained_until:
        details["trained_until"] = person.trained_until.isoformat()
    return LogDraft(actor, LogAction.PERSON_ENROLLED, person.id, details)
