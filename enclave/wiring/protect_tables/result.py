"""The folder of a result: written, read back, attacked as it stands there, and only then given its name."""

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from enclave.errors import EnclaveBug, RequestError
from enclave.gateway.canonical import NO_HEAD
from enclave.ledger.manifest import MANIFEST, manifest
from enclave.ledger.read_release import read_release
from enclave.ledger.release_content import ReleaseContent
from enclave.ledger.release_files import render
from enclave.sdc.attacker import Verdict, Witness, intervals
from enclave.sdc.earlier import Printed
from enclave.sdc.history import outside_view
from enclave.sdc.need import Target, attack_target
from enclave.sdc.protection import Protection
from enclave.sdc.recheck import attack_printed
from enclave.sdc.safety_rules import Rules
from enclave.sdc.table import Bools, Knowledge
from enclave.wiring.ports import now
from enclave.wiring.protect_tables.tables import scaled_results


@dataclass(frozen=True, slots=True)
class Attack:
    """What the attack on a written result found."""

    exact: int
    below_threshold: int
    cells_attacked: int

    @property
    def passed(self) -> bool:
        """Whether it found nothing."""
        return not self.exact and not self.below_threshold


def write_files(folder: Path, content: ReleaseContent) -> None:
    """Write the result, its manifest unsigned."""
    files = render(content)
    files[MANIFEST] = manifest(
        content,
        files,
        release_id=f"{content.project}-{secrets.token_hex(8)}",
        created=now(),
        approvals=(),
        log_head=NO_HEAD,
    )
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def require_free(out: Path) -> None:
    """RequestError where something stands already at the place of the result."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RequestError("FOLDER_NOT_EMPTY", f"'{out}' is there already; choose another folder")
    if not out.absolute().parent.is_dir():
        raise RequestError("FOLDER_MISSING", f"the folder above '{out}' is not there; make it first")


def keep(folder: Path, out: Path) -> None:
    """Give a result that was found safe its name, in one step."""
    if out.exists():
        out.rmdir()
    folder.rename(out)


def drop(folder: Path) -> None:
    """Leave nothing of a result that is not safe."""
    shutil.rmtree(folder, ignore_errors=True)


def read_back(folder: Path, decimals: int, expected: Protection) -> Printed:
    """Read a result from its folder; EnclaveBug where it does not hold the tables that it should."""
    release = read_release(folder, None)
    if [table.spec for table in release.tables] != [table.spec for table in expected.tables]:
        raise EnclaveBug("RESULT_DIFFERS", "the result holds other tables than it should; nothing is given out")
    return scaled_results([release], decimals)[0]


@dataclass(frozen=True, eq=False)
class Seen:
    """What anybody holds who has a result and the earlier ones; beside it, which cells should not be shown."""

    earlier: Sequence[Printed]
    result: Printed
    primary: tuple[Bools, ...]

    @property
    def printed(self) -> list[Printed]:
        """All results in their order."""
        return [*self.earlier, self.result]

    @property
    def shown_though_primary(self) -> int:
        """How many primary cells are shown. Zero, unless an earlier result shows them too."""
        pairs = zip(self.result[0], self.primary, strict=True)
        return sum(int(np.count_nonzero(table.shown & hidden)) for table, hidden in pairs)

    def attack_counts(self, rules: Rules) -> Attack:
        """Attack as anybody can who holds the results: no truth goes in."""
        found = attack_printed(self.printed, rules, list(rules.structural))
        return Attack(self.shown_though_primary, len(found.verdict.unproven), found.attacked)

    def attack_sums(self, target: Target, hints: Sequence[Witness]) -> Attack:
        """Attack what an outsider holds; the truth says only how far off a primary cell must be able to be."""
        knowledge, _ = outside_view(self.printed, joint=False)
        verdict = attack_target(knowledge, target, hints)
        exact = self.shown_though_primary + _exact(knowledge, target, verdict)
        return Attack(exact, len(verdict.unproven), int(np.count_nonzero(target.cells)))


def _exact(knowledge: Knowledge, target: Target, verdict: Verdict) -> int:
    """Count the cells without a proof that are known exactly."""
    bounds = intervals(knowledge, [cell for cell in verdict.unproven if target.cells[cell]])
    return int(np.count_nonzero(bounds[:, 0] == bounds[:, 1]))
