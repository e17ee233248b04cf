"""Verify a release without the enclave: `python3 verify_release.py FOLDER --key PUBLIC_KEY.pem`.

Needs only Python 3.11 and `cryptography`. Checks the signature, the hash of every file, that none is missing or added,
that every table holds each combination of its codes once and in order, that figures and marks are well-formed, and that
what is shown adds up and agrees between tables and periods. Exit code 0: verified, 1: not, 2: used in a wrong way.
"""

import argparse
import csv
import hashlib
import io
import json
import math
import re
from itertools import product
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

TOTAL, SIGNED, SIGNATURE, MOST_BYTES, MOST_FILES = "_T", "manifest.json", "manifest.json.sig", 512 * 2**20, 2000
CHECKED = "signature, hashes, no file missing or added, all codes in order, marks, sums, cells shared by tables"
PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")

Cells = dict[tuple[str, ...], int | None]  # codes and period -> figure as a whole number, None where there is none
Codelist = tuple[list[str], list[tuple[str, list[str]]]]  # codes in canonical order, and every (parent, its children)


class Refused(ValueError):  # noqa: N818  reads as what happens
    """A problem that makes further checks pointless."""


def verify(folder: str | Path, public_key_pem: bytes | None) -> list[str]:
    """Return the problems of a release folder as sentences; none means verified. No key: unsigned on purpose."""
    return examine(Path(folder), public_key_pem)[0]


def examine(folder: Path, public_key_pem: bytes | None) -> tuple[list[str], dict[str, bytes]]:
    """Return the problems and the very bytes, by path, that were checked."""
    files = dict[str, bytes]()
    try:
        files = load(folder)
        check_signature(files, public_key_pem)
        manifest = json.loads(files[SIGNED])
        if json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() != files[SIGNED]:
            return ["manifest.json is not canonical: a key stands twice, or it was spelled by another program"], files
        return check_files(manifest, files) or [*check_about(manifest), *check_tables(manifest, files)], files
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError, csv.Error) as error:
        return [f"{type(error).__name__}: {str(error)[:300]}"], files


def load(folder: Path) -> dict[str, bytes]:
    """Return path -> bytes of every file; refuses links, special files, unsafe names and too much data."""
    files, room = dict[str, bytes](), MOST_BYTES
    for path in sorted(folder.rglob("*")):
        name, size = path.relative_to(folder).as_posix(), path.lstat().st_size
        if path.is_symlink() or not (path.is_dir() or path.is_file()) or not PATH.fullmatch(name):
            raise Refused(f"{name!a} is a link, a special file or an unsafe name")
        room -= size
        if room < 0 or len(files) > MOST_FILES:
            raise Refused("the folder holds more than a release can")
        if path.is_file():
            with path.open("rb") as file:
                files[name] = file.read(size + 1)
    return files


def check_signature(files: dict[str, bytes], public_key_pem: bytes | None) -> None:
    """Refuse a missing or wrong signature over the bytes of manifest.json."""
    if SIGNED not in files or (SIGNATURE in files) != (public_key_pem is not None):
        raise Refused("manifest.json or its signature is missing, or there is a signature where none was expected")
    if public_key_pem is not None:
        try:
            key: Any = load_pem_public_key(public_key_pem)
            key.verify(files[SIGNATURE], files[SIGNED])
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError) as error:
            raise Refused("the signature does not belong to manifest.json and this public key") from error


def check_files(manifest: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """Compare names and hashes with the manifest."""
    listed, present = manifest["files"], set(files) - {SIGNED, SIGNATURE}
    found = [] if manifest["format"] == "release/1" else ["the format is not release/1, which this program knows"]
    found += [f"{path!a} is not a safe path" for path in listed if not PATH.fullmatch(path)]
    found += [f"{path!a} is missing" for path in sorted(set(listed) - present)]
    found += [f"{path!a} is not in the manifest" for path in sorted(present - set(listed))]
    wrong = [path for path in sorted(present & set(listed)) if hashlib.sha256(files[path]).hexdigest() != listed[path]]
    return found + [f"{path!a} was changed: its sha256 is another" for path in wrong]


def check_about(manifest: dict[str, Any]) -> list[str]:
    """Check that marks are explained, that attackers were run and found nothing, and that the stamp is a known one."""
    marks, runs = manifest["marks"], manifest["attackers"]
    found = [] if manifest["stamp"] in {None, "SYNTHETIC"} else ["the stamp is unknown"]
    if not runs or any(run["passed"] is not True for run in runs):
        found.append("no attacker was run, or one found something")
    for mark in marks:
        words, least, most = mark["meaning"], mark["minimum"], mark["maximum"]
        if {*words} != {"nl", "fr", "en"} or not all(words.values()) or (None not in {least, most} and least > most):
            found.append(f"mark {mark['code']!a} is not explained in nl, fr and en with what it can stand for")
    return found if marks else [*found, "no mark is explained"]


def check_tables(manifest: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """Check every table by itself (only a hidden change can be negative), then the cells that they share."""
    found, shared, tables = [], dict[Any, int](), manifest["tables"]
    if not tables or len({table["id"] for table in tables}) != len(tables):
        raise Refused("the manifest lists no tables, or one twice")
    for table in tables:
        lists = [read_codelist(files, name) for name in table["dimensions"]]
        marks = {m["code"] for m in manifest["marks"] if (m["minimum"] is None) == (":change:" in table["measure"])}
        cells = read_table(files, table, [codes for codes, _ in lists], marks)
        found += [] if ":share" in table["measure"] else check_sums(table, lists, list(cells.values()))
        found += check_shared(table, cells, shared)
    return found


def read_codelist(files: dict[str, bytes], name: str) -> Codelist:
    """Return the codes of all hierarchies of a dimension, the total first, and what they add up."""
    codes, sums, number = {TOTAL: ""}, list[tuple[str, list[str]]](), 1
    while (path := f"codelists/{name}.{number}.csv") in files or number == 1:
        rows = list(csv.DictReader(io.StringIO(files[path].decode(), newline=""), strict=True))
        parents, children = {row["code"]: row["parent"] for row in rows}, dict[str, list[str]]()
        for code, parent in parents.items():
            children.setdefault(parent or TOTAL, []).append(code)
        if not rows or len(parents) != len(rows) or TOTAL in parents or set(children) - {TOTAL, *parents}:
            raise Refused(f"{path!a} is empty, or holds a code twice or an unknown parent")
        codes |= dict.fromkeys(parents, "")
        sums += children.items()
        number += 1
    return list(codes), sums


def read_table(files: dict[str, bytes], table: dict[str, Any], codes: list[list[str]], marks: set[str]) -> Cells:
    """Return the cells of a table; refuses any flaw in its file."""
    columns = [*table["dimensions"], "TIME_PERIOD", "UNIT", "OBS_VALUE", "CONF_STATUS", "OBS_STATUS"]
    fraction = rf"\.[0-9]{{{table['decimals']}}}" if table["decimals"] else ""
    spelling = re.compile(rf"-?(0|[1-9][0-9]{{0,17}}){fraction}")
    top, *rows = csv.reader(io.StringIO(files[table["file"]].decode(), newline=""), strict=True)
    axes, cells, hidden = [*codes, table["periods"]], Cells(), 0
    shown, empty = {("F", "A"), ("F", "Z")}, {("F", "N"), ("F", "L"), *((mark, "A") for mark in marks)}
    if top != columns or len(rows) != math.prod(map(len, axes)) or len(rows) != table["cells"]:
        raise Refused(f"table {table['id']!a} does not hold one row for each combination of its codes and periods")
    for line, (place, row) in enumerate(zip(product(*axes), rows, strict=True), start=2):
        *found, unit, text, conf, status = row
        cells[place] = figure = int(text.replace(".", "")) if spelling.fullmatch(text) else None
        fits = (conf, status) in empty and not text if figure is None else (conf, status) in shown
        if found != list(place) or unit != table["unit"] or not fits or (status == "Z" and figure):
            raise Refused(f"table {table['id']!a}, line {line}: wrong place, figure, mark or status")
        hidden += conf != "F"
    if len(cells) != len(rows) or hidden != table["hidden"]:
        raise Refused(f"table {table['id']!a} holds a cell twice, or hides more or fewer cells than it says")
    return cells


def check_sums(table: dict[str, Any], lists: list[Codelist], figures: list[int | None]) -> list[str]:
    """Check that every shown parent is the sum of its children where all are shown, along each hierarchy."""
    sizes, found = [*(len(codes) for codes, _ in lists), len(table["periods"])], []
    for axis, (codes, sums) in enumerate(lists):
        step = math.prod(sizes[axis + 1 :])
        starts = [i + j for i in range(0, len(figures), step * len(codes)) for j in range(step)]
        for parent, children in sums:
            offsets = [codes.index(code) * step for code in (parent, *children)]
            for whole, *parts in ([figures[start + offset] for offset in offsets] for start in starts):
                shown = [part for part in parts if part is not None]
                if whole is not None and len(shown) == len(parts) and whole != sum(shown):
                    found.append(f"table {table['id']!a}: {parent!a} of {table['dimensions'][axis]!a} is not a sum")
                    break
    return found


def check_shared(table: dict[str, Any], cells: Cells, shared: dict[Any, int]) -> list[str]:
    """Check that cells of the same meaning show the same figure, in all tables and, where constant, in all periods."""
    context = [table[key] for key in ("population", "unit", "measure", "data_date", "decimals")]
    for (*codes, period), figure in cells.items():
        classified = {**table["filter"], **dict(zip(table["dimensions"], codes, strict=True))}
        pairs = frozenset((name, code) for name, code in classified.items() if code != TOTAL)
        always = table["constant"] and all(name in table["constant"] for name, _ in pairs)
        key = (*context, "" if always else period, pairs)
        if figure is not None and shared.setdefault(key, figure) != figure:
            return [f"table {table['id']!a} disagrees with another table or period about a cell that they share"]
    return []


def main() -> int:
    """Verify, and say what was checked or found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="the publisher's public key (PEM)")
    options = parser.parse_args()
    key = options.key.read_bytes() if options.key.is_file() else parser.error("there is no key there")
    found, files = examine(options.folder, key)
    print("\n".join(f"PROBLEM: {problem}" for problem in found) or f"VERIFIED: {CHECKED} ({len(files)} files)")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
