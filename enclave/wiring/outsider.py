"""The attack that anybody can make who holds the release folders: no truth goes in, only what was printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from enclave.errors import IntegrityError
from enclave.ledger.read_release import Release, read_release
from enclave.sdc.derivation import Derivation
from enclave.sdc.derive import derive
from enclave.sdc.recheck import attack_printed
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.table import Mark, ProtectedTable
from enclave.wiring.results import declared_in
from enclave.wiring.workers import workers

COUNT = "count"


@dataclass(frozen=True)
class Finding:
    """What the attack on some releases found. Nothing in it tells a hidden figure."""

    cells_attacked: int
    cells_open: int
    results_checked: int

    @property
    def passed(self) -> bool:
        """True when no count below the threshold is shown, and of no hidden cell can it be shown to be one.

        Of a cell that earlier releases had bounded, before anybody asked for it, no later one may say more.
        """
        return self.cells_open == 0

    def lines(self) -> list[str]:
        """Return the finding in sentences."""
        verdict = (
            "of no hidden cell can it be shown that it is below the threshold"
            if self.passed
            else "SOME COUNTS BELOW THE THRESHOLD ARE SHOWN OR CAN BE WORKED OUT"
        )
        return [
            f"attack on everything published: {self.cells_attacked} hidden cells attacked; {verdict}",
            f"derived tables worked out again from published figures alone: {self.results_checked}, all the same",
        ]


def attack_folders(folders: Sequence[Path], public_key_pem: bytes | None) -> Finding:
    """Attack these releases together, in the order in which they were made.

    IntegrityError where one does not verify or a result does not follow.
    """
    releases = [read_release(folder, public_key_pem) for folder in folders]
    releases.sort(key=lambda release: str(release.manifest["created"]))
    results = sum(_check_results(release, releases) for release in releases)
    rules = _rules(releases)
    primary = [(_counts(release), release.marks) for release in releases if not declared_in(release.manifest)]
    shown = sum(_small_and_shown(table, rules) for tables, _ in primary for table in tables)
    with workers() as run:
        found = attack_printed([(tables, marks) for tables, marks in primary if tables], rules, run=run)
    return Finding(found.attacked, len(found.verdict.unproven) + shown, results)


def _small_and_shown(table: ProtectedTable, rules: Rules) -> int:
    return int(np.count_nonzero(table.shown & (table.values > 0) & (table.values < rules.minimum_frequency)))


def _counts(release: Release) -> list[ProtectedTable]:
    return [table for table in release.tables if table.spec.measure == COUNT]


def _rules(releases: Sequence[Release]) -> Rules:
    """Return the strictest need that the releases declare."""
    thresholds = [
        int(rule["parameters"]["value"])
        for release in releases
        for rule in release.manifest["rules"]
        if rule["name"] == "minimum_frequency"
    ]
    two = any(len(_bounded(release.marks)) > 0 for release in releases)
    return Rules(max(thresholds), Zeros.SHOW_OR_SECONDARY, MarkMode.TWO if two else MarkMode.ONE)


def _bounded(marks: Sequence[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.maximum is not None]


def _check_results(release: Release, releases: Sequence[Release]) -> int:
    """Work a release of results out again from the release it names; return how many tables came out the same."""
    declared = declared_in(release.manifest)
    if not declared:
        return 0
    source_id, derivations = declared
    sources = [other for other in releases if other.manifest["release"] == source_id]
    if not sources:
        raise IntegrityError("SOURCE_MISSING", f"give the folder of release '{source_id}' too: results come from it")
    for again, printed in zip(_derived(derivations, sources[0]), release.tables, strict=True):
        if not (np.array_equal(again.values, printed.values) and np.array_equal(again.marks, printed.marks)):
            raise IntegrityError("RESULT_DIFFERS", f"table '{printed.spec.id}' does not follow from its source")
    return len(derivations)


def _derived(derivations: Sequence[Derivation], source: Release) -> tuple[ProtectedTable, ...]:
    return derive(derivations, source.tables)
