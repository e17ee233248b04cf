"""A delivery as it lies in its folder: its files, their source and period, and what `delivery.json` says of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import DeliveryError, PolicyError, SetupError
from enclave.linkage.rows import LONGEST_FILE
from enclave.policy.quarter import Quarter
from enclave.policy.source import SourceSchema

MANIFEST = "delivery.json"
STAMP = "SYNTHETIC"
ONCE = "once"
"""The period label of a source that is delivered once, not per quarter."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the name of a file says: its source, and its quarter (None for a source delivered once)."""

    file: str
    schema: SourceSchema
    period: Quarter | None

    @property
    def label(self) -> str:
        """The period as text: "2009-Q2", or ONCE."""
        return period_label(self.period)


def period_label(period: Quarter | None) -> str:
    """Return "2009-Q2", or ONCE where there is no quarter."""
    return ONCE if period is None else str(period)


def describe(file: str, schemas: Mapping[str, SourceSchema]) -> Described:
    """Read a file name: `support_2009-Q2.csv`, `clusters.csv`; DeliveryError DELIVERY_NAME for any other.

    `schemas` holds the source schemas by id.
    """
    stem, _, ending = file.rpartition(".")
    source, _, label = stem.rpartition("_")
    schema = schemas.get(stem) or schemas.get(source)
    if schema is None or ending not in schema.formats or (schema.period == "once") != (schema.id == stem):
        raise _refuse_name(file, schemas)
    if schema.period == "once":
        return Described(file, schema, None)
    try:
        return Described(file, schema, Quarter.parse(label))
    except PolicyError:
        raise _refuse_name(file, schemas) from None


def _refuse_name(file: str, schemas: Mapping[str, SourceSchema]) -> DeliveryError:
    return DeliveryError(
        "DELIVERY_NAME",
        f"{file!r} names no source and period that are expected; name it <source>_<period>.<format>, such as"
        f" support_2009-Q2.csv, or <source>.<format> for one delivered once; sources: {', '.join(sorted(schemas))}",
    )


def read_folder(folder: Path, *, synthetic: bool) -> Mapping[str, str]:
    """Return the SHA-256 that `delivery.json` gives for each file of the folder, which holds no other files.

    DeliveryError where it is missing or not to be read, names other files than the folder holds, or bears the stamp of
    the other world: made-up data is taken in only with the explicit switch, and with it nothing else.
    """
    if not (folder / MANIFEST).is_file():
        raise DeliveryError("DELIVERY_MANIFEST", f"{folder.name}: there is no {MANIFEST}; have it delivered too")
    content = _parse(folder.name, read_file(folder / MANIFEST))
    _check_stamp(folder.name, content.get("stamp"), synthetic=synthetic)
    files = content.get("files")
    if not isinstance(files, dict) or not files or not all(isinstance(digest, str) for digest in files.values()):
        raise _refuse_manifest(folder.name)
    if {path.name for path in folder.iterdir()} != {MANIFEST, *files}:
        message = f"{folder.name}: {MANIFEST} and the folder do not name the same files; have the delivery completed"
        raise DeliveryError("DELIVERY_FILES", message)
    return files


def read_file(path: Path) -> bytes:
    """Return the content of a plain file; DeliveryError for a link, a folder, or too many bytes for a delivery.

    SetupError where the operating system does not let us read it.
    """
    if path.is_symlink() or not path.is_file():
        raise DeliveryError("DELIVERY_FILES", f"{path.name} is not a plain file; put the file itself into the folder")
    if path.stat().st_size > LONGEST_FILE:
        raise DeliveryError("DELIVERY_SIZE", f"{path.name} is larger than a delivery can be; have it split by period")
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path.name} cannot be read ({error.strerror}); let the user of this process read it, then try again"
        raise SetupError("DELIVERY_UNREADABLE", message) from error


def check_hash(file: str, data: bytes, promised: str) -> str:
    """Return the SHA-256 of a file; DeliveryError DELIVERY_HASH if it is not what `delivery.json` promised."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != promised.lower():
        message = f"{file}: its SHA-256 is not the one in {MANIFEST}; the file was changed or cut, have it sent again"
        raise DeliveryError("DELIVERY_HASH", message)
    return digest


def _check_stamp(folder: str, stamp: object, *, synthetic: bool) -> None:
    if synthetic and stamp != STAMP:
        message = (
            f"{folder}: {MANIFEST} is not stamped {STAMP}; take real deliveries in without the switch for made-up data"
        )
        raise DeliveryError("DELIVERY_NOT_SYNTHETIC", message)
    if not synthetic and stamp is not None:
        message = f"{folder}: {MANIFEST} bears a stamp, so this is not real data; use the switch for made-up data"
        raise DeliveryError("DELIVERY_SYNTHETIC", message)


def _parse(folder: str, data: bytes) -> Mapping[str, object]:
    try:
        content = json.loads(data.decode(), object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError):
        raise _refuse_manifest(folder) from None
    if not isinstance(content, dict):
        raise _refuse_manifest(folder)
    return content


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_manifest(folder: str) -> DeliveryError:
    return DeliveryError(
        "DELIVERY_MANIFEST",
        f"{folder}: {MANIFEST} cannot be read; it must be JSON in UTF-8 with `files`: file name and SHA-256 of each",
    )
