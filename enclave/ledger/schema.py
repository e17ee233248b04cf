"""The tables of the book: requests, votes, remarks, intents, history, people, and the audit log beside them.

One embedded SQLite, so that a state, its log entry and its intent change in one transaction. Tables are STRICT: SQLite
checks the types. What may be written is decided once more by the triggers of triggers.py.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.sql.schema import SchemaItem

from enclave.gateway.request import Stage
from enclave.gateway.review import Decision

metadata = MetaData()


def _text(
    name: str, *rules: SchemaItem, primary: bool = False, unique: bool = False, null: bool = False
) -> Column[str]:
    return Column(name, Text, *rules, primary_key=primary, unique=unique, nullable=null)


def _number(
    name: str, *rules: SchemaItem, primary: bool = False, unique: bool = False, null: bool = False
) -> Column[int]:
    return Column(name, Integer, *rules, primary_key=primary, unique=unique, nullable=null)


def _one_of(column: str, values: type[Stage] | type[Decision]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})")


log = Table(
    "log",
    metadata,
    _number("seq", primary=True),
    _text("entry"),
    _text("head", unique=True),
    _text("signature"),
    sqlite_strict=True,
)

persons = Table(
    "persons",
    metadata,
    _text("id", primary=True),
    _text("trained_until", null=True),
    sqlite_strict=True,
)

accounts = Table(
    "accounts",
    metadata,
    _text("account", primary=True),
    _text("person", ForeignKey("persons.id")),
    sqlite_strict=True,
)


def _of_person(table: str, what: str) -> Table:
    return Table(
        table,
        metadata,
        _text("person", ForeignKey("persons.id")),
        _text(what),
        PrimaryKeyConstraint("person", what),
        sqlite_strict=True,
    )


roles = _of_person("roles", "role")
memberships = _of_person("memberships", "project")
conflicts = _of_person("conflicts", "project")

requests = Table(
    "requests",
    metadata,
    _number("number", primary=True),
    _text("id", unique=True),
    _text("project"),
    _text("stage"),
    _text("author", ForeignKey("persons.id")),
    _text("population"),
    _text("title"),
    _text("purpose"),
    _text("tables"),
    _text("pattern"),
    _text("policy"),
    _text("snapshot"),
    _text("binding"),
    _text("state"),
    _number("turn"),
    _number("logged", ForeignKey("log.seq"), unique=True),
    _one_of("stage", Stage),
    sqlite_strict=True,
)

votes = Table(
    "votes",
    metadata,
    _number("number", primary=True),
    _text("request", ForeignKey("requests.id")),
    _number("turn"),
    _text("person", ForeignKey("persons.id")),
    _text("decision"),
    _text("comment"),
    _text("binding"),
    _text("head_seen"),
    _text("at"),
    _number("logged", ForeignKey("log.seq"), unique=True),
    UniqueConstraint("request", "turn", "person"),
    _one_of("decision", Decision),
    CheckConstraint(f"decision = '{Decision.APPROVE.value}' OR trim(comment) <> ''"),
    sqlite_strict=True,
)

remarks = Table(
    "remarks",
    metadata,
    _number("number", primary=True),
    _text("request", ForeignKey("requests.id")),
    _number("turn"),
    _text("person", ForeignKey("persons.id")),
    _text("text"),
    _text("at"),
    sqlite_strict=True,
)

intents = Table(
    "intents",
    metadata,
    _number("number", primary=True),
    _text("release", unique=True),
    _text("request", ForeignKey("requests.id")),
    _number("turn"),
    _text("stage"),
    _text("package"),
    _text("created"),
    Column("manifest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    _number("done", ForeignKey("log.seq"), unique=True, null=True),
    UniqueConstraint("request", "turn"),
    sqlite_strict=True,
)

history = Table(
    "history",
    metadata,
    _number("seq", primary=True),
    _text("release", ForeignKey("intents.release"), unique=True),
    _text("request", ForeignKey("requests.id")),
    _text("project"),
    _text("stage"),
    _text("population"),
    _text("binding"),
    _text("package"),
    _text("at"),
    _text("previous"),
    _text("head", unique=True),
    sqlite_strict=True,
)
