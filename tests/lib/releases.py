"""A small made-up release, and the folder that it becomes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from enclave.ledger.manifest import MANIFEST, SIGNATURE, Approval, manifest
from enclave.ledger.outbox import publish
from enclave.ledger.release_content import (
    AttackerRun,
    MarkMeaning,
    PolicyReference,
    ReleaseContent,
    ReleaseTable,
    RuleApplied,
    Stage,
)
from enclave.ledger.release_files import render
from enclave.ledger.signing import SigningKey
from enclave.sdc.table import Bools, Hierarchy, Mark, ProtectedTable, Table, TableSpec, Variable
from enclave.sdc.words import Words

SEX = Variable.flat("sex", ["1", "2"])
POSITION = Variable(
    "position",
    (
        Hierarchy((("1", ""), ("11", "1"), ("12", "1"), ("2", ""))),
        Hierarchy((("active", ""), ("11", "active"), ("2", "active"), ("12", ""))),
    ),
)
PERIODS = ("2009-Q2", "2009-Q3")


def words(text: str) -> Words:
    """Return made-up words in three languages."""
    return Words(f"{text} nl", f"{text} é fr", f"{text} en")


def protected(spec: TableSpec, leaves: Sequence[object], hidden: Bools | None = None) -> ProtectedTable:
    """Return a table with its margins and with these cells hidden."""
    table = Table.from_leaves(spec, np.array(leaves, dtype=np.int64))
    hide = np.zeros(spec.shape, dtype=np.bool_) if hidden is None else hidden
    zeros = np.zeros(spec.shape, dtype=np.bool_)
    return ProtectedTable(spec, np.where(hide, 0, table.values), np.where(hide, "C", "F"), zeros)


def by_sex_and_position() -> ProtectedTable:
    """Return t1: two periods, sexes and two hierarchies of positions; four linked cells hidden in the first period."""
    spec = TableSpec("t1", (SEX, POSITION), PERIODS, "clients-2016", constant=frozenset({"sex"}))
    hidden = np.zeros(spec.shape, dtype=np.bool_)
    rows = [SEX.codes.index(code) for code in ("1", "2")]
    for code in ("1", "11", "12", "2", "active"):
        hidden[0, rows, POSITION.codes.index(code)] = True
    return protected(spec, [[[40, 3, 57], [30, 20, 50]], [[30, 20, 50], [50, 25, 25]]], hidden)


def by_sex() -> ProtectedTable:
    """Return t2: a margin of t1 over the same population."""
    spec = TableSpec("t2", (SEX,), PERIODS, "clients-2016", constant=frozenset({"sex"}))
    return protected(spec, [[100, 100], [100, 100]])


def one_position() -> ProtectedTable:
    """Return t3: a filtered selection of t1, in one period."""
    spec = TableSpec("t3", (SEX,), PERIODS[1:], "clients-2016", filters=((POSITION, POSITION.selection(["12", "2"])),))
    return protected(spec, [[70, 50]])


def content(
    *, synthetic: bool = True, tables: Sequence[ProtectedTable] | None = None, marks: Sequence[Mark] = ()
) -> ReleaseContent:
    """Return a whole release over made-up tables; `marks` beside the one for counts."""
    chosen = (by_sex_and_position(), by_sex(), one_position()) if tables is None else tables
    return ReleaseContent(
        project="advice-17-17-2016",
        stage=Stage.INSIDE,
        title=words("Title"),
        policy=PolicyReference("advice-17-17", "SCSZG/17/059", "17/17", 1, "ab" * 32),
        tables=tuple(ReleaseTable(table, words(f"Table {table.spec.id}, with a comma")) for table in chosen),
        names={"sex": words("Sex"), "position": words("Position")},
        labels={v.id: {code: words(f"{v.id} {code}") for code in v.codes[1:]} for v in (SEX, POSITION)},
        marks=(
            MarkMeaning(Mark("C", 0, None), words("fewer than 5, or withheld")),
            *(MarkMeaning(mark, words("a change, perhaps negative")) for mark in marks),
        ),
        rules=(RuleApplied("minimum_frequency", {"value": 5}, "7"),),
        attackers=(AttackerRun("outsider", 10, passed=True),),
        data_snapshot="0f" * 16,
        tools={"enclave": "0.1.0"},
        synthetic=synthetic,
        notes=(words("A note"),),
    )


def release_files(key: SigningKey, made: ReleaseContent, release_id: str = "r1") -> dict[str, bytes]:
    """Return all files of a signed release."""
    files = render(made)
    files[MANIFEST] = manifest(
        made,
        files,
        release_id=release_id,
        created=datetime(2026, 11, 2, 12, tzinfo=UTC),
        approvals=[Approval("output_checker", "a" * 16), Approval("output_checker", "b" * 16)],
        log_head="cd" * 32,
    )
    files[SIGNATURE] = key.sign(files[MANIFEST])
    return files


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files as a recipient's copy holds them: they can be edited."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def published(folder: Path, key: SigningKey, made: ReleaseContent | None = None) -> Path:
    """Return a signed release folder."""
    return publish(folder, "r1", release_files(key, content() if made is None else made))


def changes() -> ProtectedTable:
    """Return t4: changes of t1's total by sex from the first period to the second, one of them hidden."""
    spec = TableSpec("t4", (SEX,), PERIODS[1:], "clients-2016", measure="count:change:1")
    marks = np.array([["F", "X", "X"]])
    values = np.array([[-3, 0, 0]], dtype=np.int64)
    return ProtectedTable(spec, values, marks, np.zeros(spec.shape, dtype=np.bool_))


def with_changes(minimum: int | None = None) -> ReleaseContent:
    """Return a release of a table of counts and one of changes; `minimum` is what the mark of changes says."""
    return content(tables=(by_sex_and_position(), changes()), marks=[Mark("X", minimum, None)])
