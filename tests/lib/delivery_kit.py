"""Small deliveries written by hand: numbers that cannot exist, rows in a few words, folders with their manifest."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from enclave.policy.quarter import Quarter

SUPPORT = "insz,regime,form,start,end,municipality"
REGISTER = "insz,sex,municipality,lipro,origin,death"
POSITIONS = "insz,position"
CLUSTERS = "municipality,cluster,valid_from,valid_to"

ANTWERP, GHENT, NAMUR, BRUSSELS = "11002", "44021", "92094", "21004"


def insz(person: int, *, month: int = 61, year: int = 70) -> str:
    """Return the made-up number of person 0, 1, 2 ... (or a real-looking one, with another month), born in 19xx."""
    nine = (year * 10_000 + month * 100 + person // 900 + 1) * 1000 + person % 900 + 1
    return f"{nine:09d}{97 - nine % 97:02d}"


def csv(header: str, rows: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in [header, *rows]).encode()


def spell(person: int, quarter: str, municipality: str = ANTWERP, *, regime: str = "RMI", days: str = "") -> str:
    """Return a support record over all of the quarter, or from ... to ("2009-04-01..2009-04-01")."""
    whole = Quarter.parse(quarter)
    start, _, end = (days or f"{whole.first_day}..{whole.last_day}").partition("..")
    return f"{insz(person)},{regime},living_wage,{start},{end},{municipality}"


def write_folder(folder: Path, files: Mapping[str, bytes], *, stamp: str | None = "SYNTHETIC") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    manifest = {"institution": "made up", "files": hashes} | ({} if stamp is None else {"stamp": stamp})
    (folder / "delivery.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
