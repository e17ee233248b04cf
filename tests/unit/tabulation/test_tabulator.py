"""The way from a data set to tables, in this process and on a cluster."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from enclave.errors import EnclaveError, IntegrityError, RequestError, SetupError
from enclave.sdc.table import Hierarchy, TableSpec, Variable
from enclave.tabulation.cluster import local_cluster
from enclave.tabulation.tabulator import tabulate
from tests.lib.microdata import DyingReader, MemoryReader, Row, reader_of

SEX = Variable.flat("sex", ("M", "F"))
POSITION = Variable("position", (Hierarchy((("1", ""), ("11", "1"), ("12", "1"), ("2", ""))),))
VARIABLES = (SEX, POSITION)
QUARTERS = ("2009-Q2", "2009-Q3", "2009-Q4")
BY_BOTH = TableSpec("t1", VARIABLES, QUARTERS, "clients")
BY_SEX = TableSpec("t2", (SEX,), ("2009-Q4", "2009-Q2"), "clients", filters=((POSITION, "11|2"),))
PLACES = {"2009-Q2": ("M 11", "M 12", "F 2"), "2009-Q3": ("M 11", "M 11", "F 11"), "2009-Q4": ("F 2", "F 2", "M 2")}


def clients() -> list[Row]:
    return [
        {"period": quarter, "person": str(person), "sex": place.split()[0], "position": place.split()[1]}
        for quarter, places in PLACES.items()
        for person, place in enumerate(places, start=1)
    ]


def quiet(done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with local_cluster(2, 2**30, tmp_path_factory.mktemp("scratch")) as client:
        yield client


@pytest.fixture(params=["here", "cluster"])
def client(request: pytest.FixtureRequest) -> Client | None:
    return None if request.param == "here" else request.getfixturevalue("cluster")


def test_tables_come_in_the_order_of_their_specs_with_margins(client: Client | None) -> None:
    by_sex, by_both = tabulate(reader_of(clients(), VARIABLES), [BY_SEX, BY_BOTH], client=client, progress=quiet)
    assert (by_sex.spec, by_both.spec) == (BY_SEX, BY_BOTH)
    assert by_sex.values.tolist() == [[3, 1, 2], [2, 1, 1]]
    assert by_both.values[0].tolist() == [[3, 2, 1, 1, 1], [2, 2, 1, 1, 0], [1, 0, 0, 0, 1]]


@pytest.mark.parametrize("most_cells", [10**7, 0])
def test_a_small_cube_and_a_sorted_one_give_the_same(most_cells: int) -> None:
    reader = reader_of(clients(), VARIABLES)
    (table,) = tabulate(reader, [BY_BOTH], client=None, progress=quiet, most_cells=most_cells)
    assert table.values[:, 0, :].tolist() == [[3, 2, 1, 1, 1], [3, 3, 3, 0, 0], [3, 0, 0, 0, 3]]


def test_progress_is_told_after_each_period(client: Client | None) -> None:
    told: list[tuple[int, int]] = []
    tabulate(
        reader_of(clients(), VARIABLES),
        [BY_BOTH],
        client=client,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_each_period_is_read_once_and_only_the_columns_that_are_needed() -> None:
    reader = reader_of(clients(), VARIABLES)
    only_sex = replace(BY_SEX, filters=())
    tabulate(reader, [only_sex, replace(only_sex, id="again")], client=None, progress=quiet)
    assert reader.reads == [("2009-Q4", ("person", "sex")), ("2009-Q2", ("person", "sex"))]


def test_a_period_that_the_data_set_does_not_have_is_refused_before_reading() -> None:
    reader = reader_of(clients(), VARIABLES)
    with pytest.raises(RequestError, match=r"PERIOD_MISSING: the data set does not have 2010-Q1;"):
        tabulate(reader, [replace(BY_BOTH, periods=("2009-Q2", "2010-Q1"))], client=None, progress=quiet)
    assert reader.reads == []


def test_wrong_data_are_refused_with_the_period_and_nothing_of_the_data(client: Client | None) -> None:
    twice = [*clients(), {"period": "2009-Q3", "person": "2", "sex": "F", "position": "11"}]
    with pytest.raises(IntegrityError) as caught:
        tabulate(reader_of(twice, VARIABLES), [BY_BOTH], client=client, progress=quiet)
    assert caught.value.code == "RESPONDENT_TWICE"
    assert caught.value.message.startswith("2009-Q3: a person stands twice in one period with different 'sex'")
    assert caught.value.__cause__ is None


def test_a_refusal_of_the_store_comes_through(client: Client | None) -> None:
    bare = MemoryReader({quarter: {"person": np.arange(3)} for quarter in QUARTERS})
    with pytest.raises(EnclaveError, match="COLUMN_MISSING") as caught:
        tabulate(bare, [BY_BOTH], client=client, progress=quiet)
    assert type(caught.value) is RequestError


def test_the_cluster_holds_nothing_when_tables_are_done(cluster: Client) -> None:
    tabulate(reader_of(clients(), VARIABLES), [BY_BOTH], client=cluster, progress=quiet)
    until = time.monotonic() + 30  # letting go is asked for, not waited for
    while cluster.who_has() and time.monotonic() < until:  # type: ignore[no-untyped-call]
        time.sleep(0.05)
    assert cluster.who_has() == {}  # type: ignore[no-untyped-call]


def test_a_lost_worker_is_said_at_once(tmp_path: Path) -> None:
    data = reader_of(clients(), VARIABLES).data
    with local_cluster(1, 2**30, tmp_path) as client, pytest.raises(SetupError, match="WORKER_LOST"):
        tabulate(DyingReader(data), [BY_BOTH], client=client, progress=quiet)
