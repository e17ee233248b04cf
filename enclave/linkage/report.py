"""What stewards read after intake and preparation: raw counts. They are for stewards alone, and go into no log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from enclave.errors import DeliveryError
from enclave.linkage.quarantine import Reason


class Outcome(StrEnum):
    """What became of a delivered file."""

    TAKEN_IN = "taken in"
    CORRECTED = "taken in as a correction"
    ALREADY_TAKEN_IN = "already taken in"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file: rows delivered, bad rows, faults per reason, the name of its quarantine ("": none), why it was refused.

    Counts stand only where the file was read this time.
    """

    file: str
    outcome: Outcome
    rows: int = 0
    bad_rows: int = 0
    counts: Mapping[Reason, int] = field(default_factory=dict)
    quarantine: str = ""
    refusal: DeliveryError | None = None

    def lines(self) -> list[str]:
        """Return the report on this file as lines of text."""
        found = [f"{self.file}: {self.outcome}"]
        if self.refusal:
            found.append(f"  {self.refusal}")
        if self.rows:
            found.append(f"  rows {self.rows}, of which bad {self.bad_rows}")
        found.extend(f"  {count:>9} {reason}: {reason.description}" for reason, count in self.counts.items())
        if self.quarantine:
            found.append(f"  quarantine: {self.quarantine}")
        return found


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """One delivery folder, file by file."""

    folder: str
    files: tuple[FileReport, ...]

    @property
    def refusals(self) -> tuple[DeliveryError, ...]:
        """Why files were refused; empty if none was."""
        return tuple(file.refusal for file in self.files if file.refusal)

    def require_all(self) -> None:
        """Raise the first refusal, if there is one."""
        for refusal in self.refusals:
            raise refusal

    def to_text(self) -> str:
        """Return the report as text, for stewards only: it holds raw counts."""
        lines = [f"Delivery {self.folder}", *(line for file in self.files for line in file.lines())]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class PrepareReport:
    """What became of the deliveries of a year.

    `snapshot` is the id of the state of the data, `is_new` whether the content changed. Persons: `groups` by code,
    `absent` per quarter (dead, no home here, not in the register), `unknown` per variable and quarter, `settled` with a
    sex that registers differed about, `left_out` unknown to every register. `backward` records end before they start.
    """

    project: str
    snapshot: str
    is_new: bool
    groups: Mapping[str, int]
    quarters: Sequence[str]
    absent: Sequence[int]
    unknown: Mapping[str, Sequence[int]]
    settled: int
    left_out: int
    backward: int

    def to_text(self) -> str:
        """Return the report as text, for stewards only: it holds raw counts."""
        sizes = ", ".join(f"{code} {size}" for code, size in self.groups.items())
        lines = [
            f"Data of {self.project}: state {self.snapshot}, {'new' if self.is_new else 'unchanged'}",
            f"  persons: {sum(self.groups.values())} ({sizes})",
            f"  sex differed between registers, the latest was taken: {self.settled}",
            f"  in no register of the window, left out: {self.left_out}",
            f"  support records that end before they start, not counted: {self.backward}",
            "  quarter    absent  unknown: " + "  ".join(f"{name:>9}" for name in self.unknown),
        ]
        for index, quarter in enumerate(self.quarters):
            unknown = "  ".join(f"{counts[index]:>9}" for counts in self.unknown.values())
            lines.append(f"  {quarter}  {self.absent[index]:>8}           {unknown}")
        return "\n".join(lines) + "\n"
