"""Writing the files of a delivery, each stamped SYNTHETIC: the same rows give the same bytes."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import parquet

from enclave.errors import SetupError
from enclave.synthetic.presets import FileFormat
from enclave.synthetic.rows import Rows

STAMP: Final = "SYNTHETIC"
INSTITUTIONS: Final = {
    "support": "PPS Social Integration",
    "register": "National Register and CBSS registers",
    "positions": "Data warehouse Labour Market and Social Protection",
    "clusters": "PPS Social Integration",
}
_DATES: Final = ("start", "end", "death", "valid_from", "valid_to")


class SourceFolder:
    """The delivery of one source: `<out>/<source>/` with its files and, once sealed, delivery.json."""

    def __init__(self, out: Path, source: str) -> None:
        self.source = source
        self._path = out / source
        self._path.mkdir()
        self._hashes: dict[str, str] = {}

    def add(self, period: str, rows: Rows, file_format: FileFormat) -> str:
        """Write `rows` as the file of `period` ("" where the source has one file for all time); return its name."""
        name = f"{self.source}{'_' if period else ''}{period}.{file_format}"
        data = _csv(rows) if file_format is FileFormat.CSV else _parquet(rows, self._about())
        (self._path / name).write_bytes(data)
        self._hashes[name] = hashlib.sha256(data).hexdigest()
        return name

    def seal(self) -> None:
        """Write delivery.json: stamp, source, institution, and the SHA-256 of each file."""
        write_json(self._path / "delivery.json", {**self._about(), "files": self._hashes})

    def _about(self) -> dict[str, str]:
        return {"stamp": STAMP, "source": self.source, "institution": f"{INSTITUTIONS[self.source]} (made up)"}


def new_folder(out: Path) -> None:
    """Make the folder; SetupError SYNTHETIC_FOLDER where something stands in it already."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise SetupError("SYNTHETIC_FOLDER", f"{out} is not empty: name a new folder for the made-up deliveries")


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write `content` as readable JSON."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _csv(rows: Rows) -> bytes:
    """Return header and lines. No field of ours needs quotation marks; bad rows are bad because there are none."""
    lines = map(",".join, zip(*(column.tolist() for column in rows.values()), strict=True))
    return ("\n".join((",".join(rows), *lines)) + "\n").encode("utf-8", "surrogateescape")


def _parquet(rows: Rows, about: Mapping[str, str]) -> bytes:
    columns = {name: pa.array(column, pa.string(), mask=column == "") for name, column in rows.items()}
    for name in set(_DATES) & set(columns):
        columns[name] = columns[name].cast(pa.date32())
    sink = pa.BufferOutputStream()
    table = pa.table(columns).replace_schema_metadata(dict(about))
    # Identification numbers are all different: a dictionary of them would only cost time.
    parquet.write_table(table, sink, compression="zstd", use_dictionary=[name for name in columns if name != "insz"])
    return bytes(sink.getvalue())
