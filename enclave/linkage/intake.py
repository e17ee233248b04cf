"""Taking deliveries in, each file once: what was taken in before is known, quarantines are sealed, good rows are kept.

The good rows of a file become one partition of the store, which is there whole or not at all; its facts say which file
it was. So a kill leaves nothing half, and the same folder can be taken in again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from enclave.errors import DeliveryError
from enclave.linkage.deliveries import STAMP, Described, check_hash, describe, read_file, read_folder
from enclave.linkage.ports import Store
from enclave.linkage.quarantine import Quarantine
from enclave.linkage.reading import Taken, take_in
from enclave.linkage.report import FileReport, IntakeReport, Outcome
from enclave.linkage.taken import PROJECT, partition_name, versions
from enclave.policy.codelist import Codelist
from enclave.policy.source import SourceSchema


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes deliveries in, each file once.

    `schemas` and `codelists` are by id. `synthetic` is the explicit switch for made-up data: with it nothing else is
    taken, without it no made-up data is.
    """

    store: Store
    schemas: Mapping[str, SourceSchema]
    codelists: Mapping[str, Codelist]
    synthetic: bool = field(kw_only=True)

    def take_folder(
        self, folder: Path, *, correction: bool = False, progress: Callable[[str], None] = lambda _: None
    ) -> IntakeReport:
        """Take in every file of a delivery folder and report on each, refused ones included.

        DeliveryError, before anything is taken in, if the folder as a whole is not in order. `correction` lets new
        content replace what was delivered before for the same source and period. `progress` hears each file's name.
        """
        promised = read_folder(folder, synthetic=self.synthetic)
        described = [describe(file, self.schemas) for file in sorted(promised)]
        self._check_world()
        reports = []
        for file in described:
            progress(file.file)
            reports.append(self._report_on(folder, file, promised[file.file], correction=correction))
        return IntakeReport(folder.name, tuple(reports))

    def quarantine(self, name: str) -> Quarantine:
        """Open a quarantine that a report names, for a steward."""
        return Quarantine.from_bytes(self.store.unseal(PROJECT, name))

    def _report_on(self, folder: Path, described: Described, promised: str, *, correction: bool) -> FileReport:
        try:
            return self._take(folder, described, promised, correction=correction)
        except DeliveryError as refusal:
            return FileReport(described.file, Outcome.REFUSED, refusal=refusal)

    def _take(self, folder: Path, described: Described, promised: str, *, correction: bool) -> FileReport:
        data = read_file(folder / described.file)
        sha256 = check_hash(described.file, data, promised)
        known = versions(self.store, described.schema.id, described.label)
        if sha256 in {version.sha256 for version in (known[-1:] if correction else known)}:
            return FileReport(described.file, Outcome.ALREADY_TAKEN_IN)
        if known and not correction:
            raise DeliveryError(
                "DELIVERY_CHANGED",
                f"{described.file}: something else was taken in for this source and period; if this is meant to replace"
                " it, take it in as a correction",
            )
        taken = take_in(
            data, described.file, described.schema, described.period, self.codelists, synthetic=self.synthetic
        )
        name = self._seal(taken, described, sha256)
        report = FileReport(
            described.file, Outcome.REFUSED, taken.rows, taken.quarantine.rows, taken.quarantine.counts, name
        )
        if taken.is_over_limit:
            return replace(report, refusal=_over_limit(taken, name))
        self._write(taken, described, sha256, version=len(known) + 1, quarantine=name)
        return replace(report, outcome=Outcome.CORRECTED if known else Outcome.TAKEN_IN)

    def _seal(self, taken: Taken, described: Described, sha256: str) -> str:
        """Keep the quarantine and return its name; "" where no row is bad."""
        if not taken.quarantine.rows:
            return ""
        name = f"quarantine.{described.schema.id}.{described.label}.{sha256[:12]}"
        self.store.seal(PROJECT, name, taken.quarantine.to_bytes())
        return name

    def _write(self, taken: Taken, described: Described, sha256: str, *, version: int, quarantine: str) -> None:
        facts = {
            "file": taken.file,
            "sha256": sha256,
            "period": described.label,
            "stamp": STAMP if self.synthetic else "",
            "codebook": json.dumps(taken.codebook),
            "quarantine": quarantine,
        }
        partition = partition_name(described.label, version)
        self.store.write(PROJECT, described.schema.id, partition, taken.columns, meta=facts)

    def _check_world(self) -> None:
        """Refuse to mix: a store that holds made-up deliveries takes no real ones, and the other way round."""
        for source in self.schemas:
            for partition in self.store.partitions(PROJECT, source)[:1]:
                is_synthetic = self.store.meta(PROJECT, source, partition)["stamp"] == STAMP
                if is_synthetic != self.synthetic:
                    message = (
                        "this vault holds made-up and real data never together; use another vault for this delivery"
                    )
                    raise DeliveryError("DELIVERY_WORLDS", message)


def _over_limit(taken: Taken, quarantine: str) -> DeliveryError:
    return DeliveryError(
        "DELIVERY_ERROR_LIMIT",
        f"{taken.file}: more rows are bad than the error limit of source '{taken.schema.id}' allows; nothing was taken"
        f" in. Lines and reasons are in quarantine '{quarantine}'; have the institution mend them and deliver again",
    )
