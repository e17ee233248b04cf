"""Made-up deliveries for advice 17/17: what the institutions would send for one year, of one made-up world."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from enclave.synthetic import faults, identifiers, rows
from enclave.synthetic.files import STAMP, SourceFolder, new_folder, write_json
from enclave.synthetic.presets import FileFormat, Preset, Span
from enclave.synthetic.references import References
from enclave.synthetic.world import World, simulate

FAULTS_FILE: Final = "faults.json"
_SOURCES: Final = ("support", "register", "positions", "clusters")
_FIRST_LINE: Final = {FileFormat.CSV: 2, FileFormat.PARQUET: 1}
"""How the first row is counted: in CSV the header is line 1."""


@dataclass(frozen=True, slots=True)
class _File:
    """One file to be written; the period is empty where the source has one file for all time."""

    source: str
    period: str
    file_format: FileFormat
    content: rows.Rows

    def chance(self, seed: int) -> np.random.Generator:
        """Return what plants this file's bad rows: the same for one file, whatever else is written."""
        return np.random.default_rng((seed, *f"{self.source} {self.period}".encode()))


def write_deliveries(
    preset: Preset,
    out: Path,
    *,
    year: int,
    seed: int,
    references: References,
    progress: Callable[[str], None],
    with_faults: bool = True,
) -> None:
    """Write the deliveries for one year of the advice: `<out>/<source>/` for each of the four sources.

    Support for the quarters of the four groups; register and positions for the twenty quarters, for everybody whom the
    world knows (so also for persons outside the year's groups); the cluster of each municipality once. One seed is one
    world: a quarter's file is the same, byte for byte, whichever year it is delivered for.
    `faults.json` in `out` lists the bad rows planted: file, kind, and line (CSV, the header is line 1) or row (Parquet,
    from 1). Without `with_faults` there are none; the good rows are the same.

    RequestError SYNTHETIC_YEAR for a year that the world does not reach; SetupError SYNTHETIC_FOLDER where `out` is not
    empty. `progress` is told, in words, each step.
    """
    span = Span(year)
    new_folder(out)
    world = simulate(preset, references, span=span, seed=seed, progress=progress)
    folders = {source: SourceFolder(out, source) for source in _SOURCES}
    planted: list[dict[str, object]] = []
    for file in _files(world, span, preset, references):
        content = file.content
        # The typology has an error limit of nought: one bad row and it would be refused whole.
        found: tuple[faults.Fault, ...] = ()
        if with_faults and file.source != "clusters":
            content, found = faults.plant(content, file.file_format, file.chance(seed))
        name = folders[file.source].add(file.period, content, file.file_format)
        first = _FIRST_LINE[file.file_format]
        planted += [{"file": name, "line": first + fault.row, "kind": fault.kind} for fault in found]
        progress(f"written {name}")
    for folder in folders.values():
        folder.seal()
    write_json(out / FAULTS_FILE, {"stamp": STAMP, "faults": planted})


def _files(world: World, span: Span, preset: Preset, references: References) -> Iterator[_File]:
    """Make the files one at a time: the rows of all together would fill the memory."""
    for index in span.cohorts:
        content = rows.support_rows(world, world.spells[index], references)
        yield _File("support", str(world.snapshots[index].quarter), FileFormat.CSV, content)
    members = world.members
    insz = identifiers.as_texts(world.people.number[members])
    for snapshot in (world.snapshots[index] for index in span.window):
        period = str(snapshot.quarter)
        content = rows.register_rows(world, snapshot, members, insz, references)
        yield _File("register", period, preset.snapshot_format, content)
        yield _File("positions", period, preset.snapshot_format, rows.position_rows(snapshot, members, insz))
    yield _File("clusters", "", FileFormat.CSV, rows.cluster_rows(references))
