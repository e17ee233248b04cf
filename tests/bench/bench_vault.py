"""Ratios of the vault, run by hand: `python -m tests.bench.bench_vault [millions of rows]`.

Coding against a loop of HMAC-SHA256 cut to 64 bits (the usual home-made coding), and the encrypted store against the
same code on plain files: reading alone, and the counting pass (one `bincount` over six category columns) that reading
is for. Everything is made up and thrown away. Each figure is the best of several turns, taken in alternation.
"""

import hmac
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.lib.vault_kit import make_vault

_TURNS = 5
_SIZES = {"group": 4, "sex": 3, "region": 4, "household": 9, "origin": 7, "position": 20}
_HMAC_LOOP = 300_000


def _best(**actions: Callable[[], object]) -> dict[str, float]:
    """Return the shortest time of each action, run in turn so that a busy moment hits them all."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(_TURNS):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            times[name].append(time.perf_counter() - start)
    return {name: min(seconds) for name, seconds in times.items()}


def _say(what: str) -> None:
    sys.stdout.write(what + "\n")


def _hmac_loop(numbers: NDArray[np.int64]) -> list[int]:
    key = secrets.token_bytes(32)
    return [int.from_bytes(hmac.digest(key, b"%011d" % number, "sha256")[:8]) for number in numbers.tolist()]


def _coding(base: Path, rows: int) -> None:
    draw = np.random.default_rng(1)
    numbers = np.cumsum(draw.integers(1, 8000, rows))
    shuffled = draw.permutation(numbers)
    vault = make_vault(base)
    coder = vault.coder("p", "person")
    start = time.perf_counter()
    coder.code(numbers)
    built = rows / (time.perf_counter() - start)
    best = _best(
        sorted=lambda: coder.code(numbers),
        shuffled=lambda: coder.code(shuffled),
        loop=lambda: _hmac_loop(shuffled[:_HMAC_LOOP]),
        load=lambda: vault.coder("p", "person"),
    )
    loop = min(_HMAC_LOOP, rows) / best["loop"]
    _say(f"HMAC loop                    {loop / 1e6:8.2f} M/s")
    for name in ("sorted", "shuffled", "load"):
        _say(f"coding, {name:21}{rows / best[name] / 1e6:8.2f} M/s   {rows / best[name] / loop:6.1f} x the loop")
    _say(f"coding, first sight (kept)   {built / 1e6:8.2f} M/s   {built / loop:6.1f} x the loop")


def _count(columns: dict[str, NDArray[Any]]) -> NDArray[np.intp]:
    """Count into one cube, in blocks that stay in the cache."""
    rows = columns["sex"].size
    cube = np.zeros(int(np.prod(list(_SIZES.values()))), np.intp)
    for start in range(0, rows, 1 << 18):
        code = np.zeros(min(1 << 18, rows - start), np.int32)
        for name, size in _SIZES.items():
            code *= size
            code += columns[name][start : start + (1 << 18)]
        cube += np.bincount(code, minlength=cube.size)
    return cube


def _store(base: Path, rows: int) -> None:
    draw = np.random.default_rng(2)
    columns = {name: draw.integers(0, size, rows).astype(np.int8) for name, size in _SIZES.items()}
    vault = make_vault(base)
    vault.write("p", "persons", "2009-Q2", columns, meta={})
    for name, column in columns.items():
        column.tofile(base / name)
    reader = vault.reader("p", "persons")

    def plain() -> dict[str, NDArray[Any]]:
        return {name: np.fromfile(base / name, np.int8) for name in _SIZES}

    best = _best(
        plain=plain,
        encrypted=lambda: reader.read("2009-Q2"),
        counted_plain=lambda: _count(plain()),
        counted_encrypted=lambda: _count(reader.read("2009-Q2")),
    )
    gibi = rows * len(_SIZES) / 2**30
    _say(f"plain read                   {gibi / best['plain']:8.2f} GiB/s")
    _say(
        f"encrypted read               {gibi / best['encrypted']:8.2f} GiB/s"
        f"   {best['encrypted'] / best['plain']:6.2f} x the time of plain"
    )
    _say(
        f"read and counted, encrypted  {rows / best['counted_encrypted'] / 1e6:8.2f} M rows/s"
        f" {best['counted_encrypted'] / best['counted_plain']:5.2f} x the time of plain"
    )


def main() -> None:
    """Print the ratios."""
    rows = int(float(sys.argv[1] if len(sys.argv) > 1 else 10) * 1e6)
    for part in (_coding, _store):
        with tempfile.TemporaryDirectory() as folder:
            part(Path(folder), rows)


if __name__ == "__main__":
    main()
