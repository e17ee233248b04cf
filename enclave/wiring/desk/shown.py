"""What a request shows: its tables as they will be published, and how they differ from the release before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from enclave.gateway.binding import Package
from enclave.ledger.read_release import Release, release_of
from enclave.sdc.table import Bools, Ints, ProtectedTable


@dataclass(frozen=True, eq=False)
class Difference:
    """How one table differs from that of the release before; `places`: which of its cells differ.

    `opened`: hidden before and shown now; `closed`: the other way round; `changed`: another figure. `comparable` is
    False where codes or quarters are others, or the table is new.
    """

    table: str
    comparable: bool
    opened: int = 0
    closed: int = 0
    changed: int = 0
    places: Bools | None = None

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        return self.comparable and not (self.opened or self.closed or self.changed)


def shown_by(package: Package) -> Release:
    """Return what a sealed package will publish."""
    return release_of(json.loads(package.body), package.files)


def table_of(release: Release, table_id: str) -> ProtectedTable | None:
    """Return a table by its id; None where there is none."""
    return next((table for table in release.tables if table.spec.id == table_id), None)


def described(release: Release, table_id: str) -> Mapping[str, Any]:
    """Return what the manifest says of a table."""
    found: Mapping[str, Any] = next(entry for entry in release.manifest["tables"] if entry["id"] == table_id)
    return found


def differences(before: Release, now: Release) -> tuple[Difference, ...]:
    """Compare each table of `now` with the table of the same id in `before`."""
    return tuple(_difference(table_of(before, table.spec.id), table) for table in now.tables)


def _difference(before: ProtectedTable | None, now: ProtectedTable) -> Difference:
    if before is None or not _alike(before, now):
        return Difference(now.spec.id, comparable=False)
    opened, closed = ~before.shown & now.shown, before.shown & ~now.shown
    changed = before.shown & now.shown & (_scaled(before) != _scaled(now))
    return Difference(
        table=now.spec.id,
        comparable=True,
        opened=int(np.count_nonzero(opened)),
        closed=int(np.count_nonzero(closed)),
        changed=int(np.count_nonzero(changed)),
        places=opened | closed | changed,
    )


def _alike(one: ProtectedTable, other: ProtectedTable) -> bool:
    return (
        one.spec.periods == other.spec.periods
        and [(v.id, v.codes) for v in one.spec.dimensions] == [(v.id, v.codes) for v in other.spec.dimensions]
        and one.decimals == other.decimals
    )


def _scaled(table: ProtectedTable) -> Ints:
    return np.where(table.shown, table.values, 0)
