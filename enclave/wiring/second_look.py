"""The second look before a commit: attack what was approved with the history as it is now, in both stages.

Stage 1 is attacked with the truth that was sealed beside its package, together with everything released about the same
population. Stage 2 holds only figures worked out from figures that stage 1 shows: it is worked out again from the
release itself and must come out the same, byte for byte; then both stages are attacked together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import IntegrityError
from enclave.gateway.binding import Binding, Package
from enclave.gateway.records import HistoryEntry, Proposal
from enclave.gateway.request import Request, Stage
from enclave.ledger.read_release import Release, read_release
from enclave.policy.model import Policy
from enclave.sdc.derivation import Derivation
from enclave.sdc.history import History, Released
from enclave.sdc.protection import Protection, protect
from enclave.sdc.recheck import Derived, attack_together
from enclave.wiring.content import package_of, pattern_digest, policy_year, sdc_rules, stage_one_content
from enclave.wiring.reference import Reference
from enclave.wiring.results import attacked_cells, derived_cells, expressions, stage_two_content
from enclave.wiring.sealed import SealedPackages, SealedTruth
from enclave.wiring.workers import workers


@dataclass(frozen=True)
class SecondLook:
    """Judges a package by everything that would be public together with it."""

    reference: Reference
    packages: SealedPackages
    truth: SealedTruth
    inside_outbox: Path
    release_key_pem: bytes
    synthetic: bool

    def is_safe(self, request: Request, package: Package, history: Sequence[HistoryEntry]) -> bool:
        """Say whether nothing below the threshold can be worked out once the package is public too."""
        policy, _ = policy_year(self.reference, request.project)
        if request.stage is Stage.OUTSIDE:
            release_id, derivations = expressions(package)
            release = self.release_inside(release_id)
            again = package_of(stage_two_content(policy, release, derivations, attacked_cells(package)))
            if again.digest != package.digest:
                raise IntegrityError("RESULT_DIFFERS", "a result is not what its expressions give; release nothing")
            return self.attack_results(policy, request.population, release_id, derivations, history)[0]
        new = self.truth.read(request.project, package.digest)
        hints = self.truth.proof(request.project, package.digest)
        releases = (*self._inside(request.population, history), new)
        with workers() as run:
            return attack_together(releases, sdc_rules(policy), hints=hints, run=run).passed

    def attack_results(
        self,
        policy: Policy,
        population: str,
        release_id: str,
        derivations: Sequence[Derivation],
        history: Sequence[HistoryEntry],
    ) -> tuple[bool, int]:
        """Attack both stages together; return whether nothing was found, and how many cells were attacked."""
        derived = self._derived(population, release_id, derivations, history)
        hints = [hint for entry in _of(population, history) for hint in self.truth.proof(entry.project, entry.package)]
        releases = self._inside(population, history)
        with workers() as run:
            found = attack_together(releases, sdc_rules(policy), derived, hints=hints, run=run)
        return found.passed, found.attacked

    def protect_again(self, request: Request, history: Sequence[HistoryEntry]) -> Proposal:
        """Find a pattern for the same tables that is safe next to the history as it is now, and seal it."""
        if request.stage is Stage.OUTSIDE:
            raise IntegrityError("STAGE_ONE_MOVED", "the tables that a result was worked out from are no longer safe")
        policy, year = policy_year(self.reference, request.project)
        tables = [entry.table for entry in self.truth.read(request.project, request.binding.tables)]
        with workers() as run:
            protection = protect(tables, sdc_rules(policy), self.history(request.population, history), run=run)
        return Proposal(self.seal(policy, year, protection, request.binding.snapshot))

    def seal(self, policy: Policy, year: int, protection: Protection, snapshot: str) -> Binding:
        """Seal the package of protected tables with the truth behind them; return what an approval would bind to."""
        content = stage_one_content(
            self.reference, policy, year, protection, snapshot=snapshot, synthetic=self.synthetic
        )
        digest = self.packages.seal(package_of(content))
        self.truth.seal(policy.project_id(year), digest, protection.released(), protection.verdict.witnesses)
        return Binding(digest, pattern_digest(protection.tables), policy.sha256, snapshot)

    def history(self, population: str, entries: Sequence[HistoryEntry]) -> History:
        """Return what was released about a population, with the truth behind it."""
        return History(tuple(table for release in self._inside(population, entries) for table in release))

    def release_inside(self, release_id: str) -> Release:
        """Return a release of stage 1, verified."""
        return read_release(self.inside_outbox / release_id, self.release_key_pem)

    def _inside(self, population: str, entries: Sequence[HistoryEntry]) -> tuple[tuple[Released, ...], ...]:
        """Return the tables of each stage-1 release. Stage 2 adds only figures that follow from what these show."""
        return tuple(self._truth_of(entry) for entry in _of(population, entries))

    def _truth_of(self, entry: HistoryEntry) -> tuple[Released, ...]:
        return self.truth.read(entry.project, entry.package)

    def _derived(
        self,
        population: str,
        release_id: str,
        derivations: Sequence[Derivation],
        entries: Sequence[HistoryEntry],
    ) -> tuple[Derived, ...]:
        """Return the results as further cells beside the stage-1 tables, in the order of `_inside`."""
        before = 0
        for entry in _of(population, entries):
            tables = [released.protected for released in self._truth_of(entry)]
            if entry.release == release_id:
                return derived_cells(derivations, tables, before)
            before += len(tables)
        raise IntegrityError("RESULT_SOURCE", "a result was worked out from a release that is not in the history")


def _of(population: str, entries: Sequence[HistoryEntry]) -> Iterator[HistoryEntry]:
    return (entry for entry in entries if entry.population == population and entry.stage is Stage.INSIDE)
