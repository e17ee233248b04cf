"""Check that outbox, log and state tell the same story. It shares no code with the path that writes them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from enclave.errors import IntegrityError
from enclave.gateway.binding import MANIFEST, SIGNATURE, Binding
from enclave.gateway.canonical import NO_HEAD
from enclave.gateway.log_entry import LogAction
from enclave.gateway.request import TRANSITIONS, RequestState, Stage
from enclave.ledger.audit_log import SignedHead
from enclave.ledger.book import Book
from enclave.ledger.schema import (
    accounts,
    conflicts,
    history,
    intents,
    log,
    memberships,
    persons,
    requests,
    roles,
    votes,
)
from enclave.ledger.signing import check_signature
from enclave.ledger.verify_log import canonical

Entry = Mapping[str, Any]


def fsck(
    book: Book, outboxes: Mapping[Stage, Path], release_key_pem: bytes, anchor: SignedHead | None = None
) -> list[str]:
    """Return what is wrong, as sentences with ids; nothing when all is well and every release is published.

    `outboxes` gives the folder where releases of each stage appear; `release_key_pem` the key that signs manifests.
    """
    with book.connection(reading=True) as connection:
        problems = [f"log: {problem}" for problem in book.audit.problems(connection, anchor)]
        if problems:
            return problems  # a log that does not verify proves nothing
        entries = [json.loads(entry) for entry in connection.execute(select(log.c.entry).order_by(log.c.seq)).scalars()]
        problems += _people(connection, entries)
        problems += _states(connection, entries)
        problems += _votes(connection, entries)
        problems += _history(connection, entries)
        problems += _releases(connection, entries, outboxes, release_key_pem)
    return problems


def _people(connection: Connection, entries: list[Entry]) -> Iterator[str]:
    """Compare the register with what the log says was enrolled: nobody gains a role or loses a project unseen."""
    told: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry["action"] == LogAction.PERSON_ENROLLED:
            told[entry["subject"]] = dict(entry["details"])
        elif entry["action"] == LogAction.MEMBERS_CHANGED:
            _change_members(told, entry)
    held: dict[str, dict[str, Any]] = {}
    for row in connection.execute(select(persons)):
        held[row.id] = {"accounts": [], "roles": [], "projects": [], "conflicts": []}
        held[row.id] |= {"trained_until": row.trained_until} if row.trained_until else {}
    for fact, table in (("accounts", accounts), ("roles", roles), ("projects", memberships), ("conflicts", conflicts)):
        value = next(column for column in table.c if column.name != "person")
        for person, found in connection.execute(select(table.c.person, value).order_by(value)):
            held[person][fact].append(found)
    yield from (f"person {person}: register and log differ" for person in _differing(held, told))


def _change_members(told: dict[str, dict[str, Any]], entry: Entry) -> None:
    """Take over who came to a project and who went by its file."""
    project, details = entry["subject"], entry["details"]
    for fact, goes in (("added", False), ("withdrawn", True)):
        for person in details[fact]:
            kept = set(told[person]["projects"]) - {project}
            told[person]["projects"] = sorted(kept if goes else kept | {project})


def _states(connection: Connection, entries: list[Entry]) -> Iterator[str]:
    """Replay the log: each request begins pending, takes only known steps, and stands where the log leaves it."""
    told: dict[str, tuple[str, int, str]] = {}
    for entry in entries:
        details, request = entry["details"], entry["subject"]
        if "state" not in details:
            continue
        before, _, binding = told.get(request, (None, 0, ""))
        if before is None and details["state"] != RequestState.PENDING:
            yield f"log entry {entry['seq']}: request {request} does not begin pending"
        if before is not None and details["state"] not in TRANSITIONS[RequestState(before)].values():
            yield f"log entry {entry['seq']}: request {request} cannot become {details['state']} from {before}"
        told[request] = (details["state"], details["turn"], details.get("binding", binding))
    held = {
        row.id: (row.state, row.turn, Binding(row.tables, row.pattern, row.policy, row.snapshot).digest)
        for row in connection.execute(select(requests))
    }
    yield from (f"request {request}: book and log differ" for request in _differing(held, told))


def _votes(connection: Connection, entries: list[Entry]) -> Iterator[str]:
    told = {
        (entry["subject"], entry["details"]["turn"], entry["actor"]): (
            entry["details"]["decision"],
            entry["details"]["binding"],
        )
        for entry in entries
        if entry["action"] == LogAction.VOTED
    }
    held = {
        (row.request, row.turn, row.person): (row.decision, row.binding) for row in connection.execute(select(votes))
    }
    yield from (f"vote of {person} on {request}: book and log differ" for request, _, person in _differing(held, told))


def _history(connection: Connection, entries: list[Entry]) -> Iterator[str]:
    """Check that each release has one history entry, in a chain, and that the log names its head."""
    told = {
        entry["details"]["release"]: (entry["details"]["history_head"], entry["details"]["history_attacked"])
        for entry in entries
        if entry["action"] == LogAction.RELEASED
    }
    held, previous = {}, NO_HEAD
    for row in connection.execute(select(history).order_by(history.c.seq)).mappings():
        facts = {name: value for name, value in row.items() if name != "head"}
        if row["previous"] != previous or row["head"] != hashlib.sha256(canonical(facts)).hexdigest():
            yield f"history entry {row['seq']} was changed or does not follow the one before it"
        previous = row["head"]
        held[row["release"]] = (row["head"], row["previous"])
    yield from (f"release {release}: history and log differ" for release in _differing(held, told))
    decided = set(connection.execute(select(intents.c.release)).scalars())
    yield from (f"release {release}: no intent or no history" for release in sorted(decided ^ set(held)))


def _releases(
    connection: Connection, entries: list[Entry], outboxes: Mapping[Stage, Path], release_key_pem: bytes
) -> Iterator[str]:
    """Check that the outboxes hold exactly the decided releases, whole, signed, and each logged as published once."""
    said = [(entry["subject"], entry["seq"]) for entry in entries if entry["action"] == LogAction.PUBLISHED]
    known: dict[Stage, set[str]] = {stage: set() for stage in outboxes}
    for row in connection.execute(select(intents).order_by(intents.c.number)):
        known[Stage(row.stage)].add(row.release)
        if [(row.release, row.done)] != [one for one in said if one[0] == row.release]:
            yield f"release {row.release}: decided, but not logged as published once"
        if hashlib.sha256(row.manifest).hexdigest() != _manifest_told(entries, row.release):
            yield f"release {row.release}: the manifest is not the one that the log names"
        if not _signed(release_key_pem, row.signature, row.manifest):
            yield f"release {row.release}: the signature of the manifest is wrong"
        yield from _folder(outboxes[Stage(row.stage)] / row.release, row.manifest, row.signature)
    for stage, outbox in outboxes.items():
        found = {path.name for path in outbox.iterdir()} if outbox.is_dir() else set()
        yield from (f"outbox {stage}: {name} was never decided" for name in sorted(found - known[stage]))


def _signed(public_key_pem: bytes, signature: bytes, manifest: bytes) -> bool:
    try:
        check_signature(public_key_pem, signature, manifest)
    except IntegrityError:
        return False
    return True


def _manifest_told(entries: list[Entry], release: str) -> str | None:
    told = [entry["details"] for entry in entries if entry["details"].get("release") == release]
    return told[0]["manifest"] if len(told) == 1 else None


def _folder(folder: Path, manifest: bytes, signature: bytes) -> Iterator[str]:
    """Compare a published folder with its intent: manifest and signature, and each file by the manifest's hash."""
    if not folder.is_dir() or folder.is_symlink():
        yield f"release {folder.name}: decided, but not in the outbox"
        return
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}
    due = json.loads(manifest)["files"]
    due |= {MANIFEST: hashlib.sha256(manifest).hexdigest(), SIGNATURE: hashlib.sha256(signature).hexdigest()}
    yield from (f"release {folder.name}: {name} is missing, added or changed" for name in _differing(hashes, due))


def _differing(left: Mapping[Any, object], right: Mapping[Any, object]) -> list[Any]:
    return [key for key in sorted(set(left) | set(right)) if left.get(key) != right.get(key)]
