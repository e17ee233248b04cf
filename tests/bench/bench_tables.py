"""Six tables of many persons over many quarters: the tabulator against group-bys. Run by hand, never a timed test.

    python -m tests.bench.bench_tables --persons 1500000 --quarters 20 --folder /var/tmp

Prints ratios, and the layout of what was compared: seconds depend on the machine, ratios hardly do. The peer counts
inner cells only; the tabulator adds every margin and subtotal as well, and refuses a person that stands in two cells.
"""

import importlib.util
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from distributed import Client
from numpy.typing import NDArray

from enclave.sdc.table import TableSpec, Variable
from enclave.tabulation.cluster import local_cluster
from enclave.tabulation.tabulator import PartitionReader, tabulate
from enclave.vault.store import Vault
from tests.bench.advice_tables import TABLES, variables
from tests.lib.vault_kit import created_master

MEMORY = 2**31


@dataclass(frozen=True)
class PlainReader:
    """Columns as files of numbers, mapped into memory: what a store without encryption could do at best."""

    folder: Path

    @property
    def partitions(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in self.folder.iterdir()))

    def read(self, partition: str, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        return {name: np.load(self.folder / partition / f"{name}.npy", mmap_mode="r") for name in columns}


def make(persons: int, quarter: int, known: dict[str, Variable]) -> dict[str, NDArray[Any]]:
    """Return the columns of one quarter: skewed categories, persons in ascending order as the store keeps them."""
    rng = np.random.default_rng(quarter)
    columns: dict[str, NDArray[Any]] = {"person": np.cumsum(rng.integers(1, 1000, persons))}
    for name, variable in known.items():
        skew = rng.random(persons, dtype=np.float32) ** 2
        columns[name] = (skew * len(variable.leaves)).astype(np.int8)
    return columns


@contextmanager
def stores(folder: Path, persons: int, quarters: list[str]) -> Iterator[tuple[PlainReader, PartitionReader, Path]]:
    """Write the same data three times: plain columns, the encrypted store, and Parquet (zstd) for the peer."""
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    try:
        master = created_master(root / "master")
        Vault.create(root / "vault", master)
        vault = Vault(root / "vault", master)
        (root / "parquet").mkdir()
        for number, quarter in enumerate(quarters):
            columns = make(persons, number, variables())
            (root / "plain" / quarter).mkdir(parents=True)
            for name, column in columns.items():
                np.save(root / "plain" / quarter / name, column)
            vault.write("bench", "persons", quarter, columns, meta={})
            frame = pd.DataFrame(columns).assign(period=np.int8(number))
            frame.to_parquet(root / "parquet" / f"{quarter}.parquet", compression="zstd", index=False)
        yield PlainReader(root / "plain"), vault.reader("bench", "persons"), root / "parquet"
    finally:
        shutil.rmtree(root)


def seconds(work: Callable[[], object]) -> float:
    """Return the best of three: what the machine does besides only ever adds."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def peak(client: Client) -> float:
    """Return the largest memory of a worker so far, in GiB."""
    used = client.run(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return float(max(used.values())) / 2**20


def peer(folder: Path) -> tuple[str, float]:
    """Return what was compared with, and its seconds for six group-bys over all quarters."""
    if importlib.util.find_spec("duckdb"):
        duckdb: Any = importlib.import_module("duckdb")
        source = f"read_parquet('{folder}/*.parquet')"
        queries = [f"select period, {', '.join(t)}, count(*) from {source} group by all" for t in TABLES]
        return "duckdb, six group-bys straight on Parquet (zstd)", seconds(
            lambda: [duckdb.sql(q).fetchall() for q in queries]
        )
    frame = pd.concat(pd.read_parquet(path) for path in sorted(folder.iterdir()))
    work = lambda: [frame.groupby(["period", *table], sort=False).size() for table in TABLES]  # noqa: E731  a short one
    return "pandas, six group-bys on int8 columns already in memory (reading not counted)", seconds(work)


@click.command(help=__doc__)
@click.option("--persons", default=1_500_000, show_default=True, help="Persons in each quarter.")
@click.option("--quarters", default=20, show_default=True)
@click.option(
    "--folder", default=Path(tempfile.gettempdir()), type=click.Path(path_type=Path), help="Room for the data."
)
def main(persons: int, quarters: int, folder: Path) -> None:
    known = variables()
    periods = [f"{2009 + place // 4}-Q{place % 4 + 1}" for place in range(quarters)]
    specs = [
        TableSpec(f"t{number}", tuple(known[name] for name in names), tuple(periods), "bench")
        for number, names in enumerate(TABLES, start=1)
    ]

    def count(reader: PartitionReader, client: Client | None) -> float:
        return seconds(lambda: tabulate(reader, specs, client=client, progress=lambda _done, _all: None))

    cells = int(np.prod([len(variable.leaves) for variable in known.values()]))
    click.echo(f"{persons} persons x {quarters} quarters = {persons * quarters} rows; a cube of {cells} cells")
    click.echo("layout: one partition per quarter, int64 persons in order, int8 categories")
    with stores(folder, persons, periods) as (plain, encrypted, parquet):
        here = count(encrypted, None)
        with local_cluster(1, MEMORY, folder) as client:
            one = count(encrypted, client)
        with local_cluster(2, MEMORY, folder) as client:
            bare = count(plain, client)
            two = count(encrypted, client)
            most = peak(client)
        name, other = peer(parquet)
    click.echo(f"encrypted store: in this process {here:.2f} s, 1 worker {one:.2f} s, 2 workers {two:.2f} s")
    click.echo(f"2 workers / 1 worker: {one / two:.2f}x as fast")
    click.echo(f"encrypted / plain columns mapped into memory, 2 workers: {two / bare:.2f}x the time")
    click.echo(f"in this process / peer: {here / other:.3f}x the time")
    click.echo(f"2 workers / peer: {two / other:.3f}x the time ({other:.2f} s: {name})")
    click.echo(f"peak of a worker: {most:.2f} GiB")


if __name__ == "__main__":
    main()
