"""Counting tables from the coded microdata: one task per period, in workers of a local cluster or in this process.

Neither rows nor cubes leave the worker: what comes back are the inner cells of the tables, which are small.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from distributed import Client, KilledWorker, as_completed
from numpy.typing import NDArray

from enclave.errors import EnclaveError, RequestError, SetupError
from enclave.sdc.table import Ints, Table, TableSpec
from enclave.tabulation.cube import MOST_CELLS, count
from enclave.tabulation.tables import Plan, assemble, inner_cells

Progress = Callable[[int, int], None]
"""Told after each period: periods counted, periods in all."""


class PartitionReader(Protocol):
    """A data set with one partition per period, one row per respondent; it can be pickled."""

    @property
    def partitions(self) -> tuple[str, ...]:
        """The periods that the data set has."""

    def read(self, partition: str, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return these columns of a partition: respondents, and categories as positions in their code list's leaves."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An error of ours on its way home from a worker: the kind of it, its code and its sentence, and nothing else."""

    kind: type[EnclaveError]
    code: str
    message: str


def tabulate(
    reader: PartitionReader,
    specs: Sequence[TableSpec],
    *,
    client: Client | None,
    progress: Progress,
    most_cells: int = MOST_CELLS,
) -> tuple[Table, ...]:
    """Count distinct respondents and return one table per spec, margins and subtotals included, in the specs' order.

    Each period of the data is read once, whatever the number of tables. Without a client the periods are counted here,
    one after the other; with one, each in a worker. The figures are the same.

    RequestError where the specs cannot be counted together or name a period that the data set does not have;
    IntegrityError where the data are not what the code lists say or a respondent stands in two cells of one period
    (see `cube.count`); SetupError where a worker was lost.
    """
    plan = Plan(tuple(specs))
    missing = sorted(set(plan.periods) - set(reader.partitions))
    if missing:
        raise RequestError(
            "PERIOD_MISSING", f"the data set does not have {', '.join(missing)}; prepare these periods first"
        )
    work = partial(_count_period, reader, plan, most_cells)
    counted: dict[str, tuple[Ints, ...]] = {}
    for period, outcome in map(work, plan.periods) if client is None else _in_workers(client, work, plan.periods):
        if isinstance(outcome, _Refusal):
            raise outcome.kind(outcome.code, outcome.message)
        counted[period] = outcome
        progress(len(counted), len(plan.periods))
    return assemble(plan, counted)


def _count_period(
    reader: PartitionReader, plan: Plan, most_cells: int, period: str
) -> tuple[str, tuple[Ints, ...] | _Refusal]:
    """Read one period and count every table's inner cells; runs in a worker.

    Errors of ours come back as values: raised, the cluster would write them into its own log, arguments and all.
    """
    try:
        columns = reader.read(period, [plan.unit, *(variable.id for variable in plan.variables)])
        cube = count(columns, plan.unit, plan.variables, most_cells=most_cells)
    except EnclaveError as error:
        return period, _Refusal(type(error), error.code, f"{period}: {error.message}")
    return period, tuple(inner_cells(cube, spec) for spec in plan.specs)


def _in_workers(client: Client, work: Callable[[str], Any], periods: Sequence[str]) -> Iterator[Any]:
    """Yield what `work` makes of each period, as it comes; leave nothing behind in the cluster."""
    futures = client.map(work, periods, pure=False)
    try:
        for future in as_completed(futures, loop=client.loop):  # type: ignore[no-untyped-call]
            yield future.result()
    except KilledWorker as error:
        raise SetupError(
            "WORKER_LOST", "a worker died while counting, most likely for want of memory; give each worker more memory"
        ) from error
    finally:
        client.cancel(futures)  # type: ignore[no-untyped-call]
