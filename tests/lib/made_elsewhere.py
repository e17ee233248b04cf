"""Problems for `enclave protect`: made-up tables of contributors, written as files of somebody else's."""

import csv
import itertools
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

Levels = Mapping[str, str]
"""Parent of each code; "" means directly under the total."""

Contributor = tuple[tuple[str, ...], int, str]
"""Codes of the finest level, contribution, holding."""


def write_codelist(path: Path, levels: Levels) -> None:
    rows = [("code", "parent", "label_en"), *((code, parent, f"{code} in words") for code, parent in levels.items())]
    write_csv(path, rows)


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def write_problem(path: Path, **entries: object) -> Path:
    path.write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")
    return path


def leaves_of(levels: Levels) -> list[str]:
    return [code for code in levels if code not in levels.values()]


def above(levels: Levels, leaf: str) -> list[str]:
    """A leaf, its parents, and the total."""
    found = [leaf]
    while levels[found[-1]]:
        found.append(levels[found[-1]])
    return [*found, "_T"]


def tree(prefix: str, *widths: int) -> dict[str, str]:
    """A code list with this many children at each level."""
    found: dict[str, str] = {}

    def grow(parent: str, rest: Sequence[int]) -> None:
        for number in range(rest[0] if rest else 0):
            code = f"{parent or prefix}{chr(65 + number) if rest[0] <= 26 else f'{number:03}'}"
            found[code] = parent
            grow(code, rest[1:])

    grow("", widths)
    return found


def contributors(dimensions: Mapping[str, Levels], number: int, seed: int) -> list[Contributor]:
    """Contributors with skewed sizes and places, many of them alone."""
    chance = random.Random(seed)
    every = [leaves_of(levels) for levels in dimensions.values()]
    found = []
    for i in range(number):
        codes = tuple(leaves[min(int(chance.expovariate(3) * len(leaves)), len(leaves) - 1)] for leaves in every)
        found.append((codes, int(chance.lognormvariate(5, 2)) + 1, f"h{i // 2}"))
    return found


def write_table(
    path: Path, dimensions: Mapping[str, Levels], of: Sequence[Contributor], which: Sequence[str] | None = None
) -> None:
    """Write every non-empty cell, totals included, of the dimensions named in `which`."""
    names = list(which or dimensions)
    places = [list(dimensions).index(name) for name in names]
    cells: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    for codes, size, holding in of:
        for cell in itertools.product(
            *(above(dimensions[name], codes[i]) for name, i in zip(names, places, strict=True))
        ):
            cells.setdefault(cell, []).append((size, holding))
    rows: list[Sequence[object]] = [(*names, "TOT", "N_OBS", "MAX", "MAX2", "N_HOLD")]
    for cell, behind in sorted(cells.items()):
        sizes = sorted((size for size, _ in behind), reverse=True)
        second = sizes[1] if len(sizes) > 1 else 0
        rows.append((*cell, sum(sizes), len(sizes), sizes[0], second, len({h for _, h in behind})))
    write_csv(path, rows)


def write_all(
    folder: Path,
    dimensions: Mapping[str, Levels],
    of: Sequence[Contributor],
    tables: Mapping[str, Sequence[str]],
    **entries: object,
) -> Path:
    """Write code lists, tables and the problem; return the path of the problem."""
    for name, levels in dimensions.items():
        write_codelist(folder / f"{name}.1.csv", levels)
    listed = []
    for table, names in tables.items():
        write_table(folder / f"{table}.csv", dimensions, of, names)
        listed.append(
            {
                "id": table,
                "file": f"{table}.csv",
                "dimensions": {name: [f"{name}.1.csv"] for name in names},
                "value": "TOT",
                "count": "N_OBS",
                "largest": "MAX",
                "second": "MAX2",
                "holdings": "N_HOLD",
            }
        )
    return write_problem(folder / "PROBLEM.yaml", tables=listed, **entries)
