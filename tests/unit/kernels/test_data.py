"""The microdata in the notebook: lazily, by quarter, for CBSS staff only."""

import dask.dataframe as dd
import pandas as pd
import pytest
from dask.dataframe.dask_expr.io.io import FromMapProjectable
from distributed.protocol.pickle import dumps

from kernels import workbench
from kernels.workbench import cluster
from kernels.workbench.data import read_quarter
from kernels.workbench.errors import InputError, LockedError, RefusedError
from tests.lib.small_project import PERIODS, PROJECT, quarter
from tests.lib.unix_server import UnixServer
from tests.unit.kernels.conftest import API, Opened


def _computed(data: dd.DataFrame) -> pd.DataFrame:
    computed: pd.DataFrame = data.compute()  # type: ignore[no-untyped-call]
    return computed


def test_nothing_is_fetched_before_something_is_computed(staff: workbench.Project, server: UnixServer) -> None:
    data = staff.data()
    assert data.npartitions == len(PERIODS)
    assert [path for path in server.paths() if "/data/" in path] == []
    assert len(_computed(data)) == 10


def test_only_the_quarters_asked_for_are_fetched(staff: workbench.Project, server: UnixServer) -> None:
    _computed(staff.data("2009-Q3"))
    assert [path for path in server.paths() if "/data/" in path] == [f"GET {API}/projects/{PROJECT}/data/2009-Q3"]


def test_every_quarter_has_the_types_that_were_said_before(staff: workbench.Project) -> None:
    data = staff.data()
    computed = _computed(data)
    assert computed.dtypes.to_dict() == data._meta.dtypes.to_dict()
    assert list(computed["position"].cat.categories) == ["11", "12", "2"]
    assert set(computed["TIME_PERIOD"]) == set(PERIODS)


def test_a_quarter_is_reduced_to_the_columns_that_are_used(staff: workbench.Project) -> None:
    data = staff.data()[["sex"]]
    (read,) = data.optimize(fuse=False).expr.find_operations(FromMapProjectable)
    assert read.operand("func") is read_quarter
    assert read.operand("columns") == ["sex"], "the choice of columns reaches the reader"
    assert list(_computed(data).columns) == ["sex"]


def test_the_way_to_the_gateway_stands_in_no_task(staff: workbench.Project, server: UnixServer) -> None:
    graph = dict(staff.data().__dask_graph__())  # type: ignore[no-untyped-call]
    assert graph
    assert server.socket.encode() not in dumps(graph)  # type: ignore[no-untyped-call]


def test_analysts_open_no_microdata(analyst: workbench.Project, server: UnixServer) -> None:
    with pytest.raises(RefusedError, match=r"NO_MICRODATA: .*use project.table"):
        analyst.data()
    with pytest.raises(RefusedError, match="NO_MICRODATA"):
        analyst.table("t1", released=False)
    assert [path for path in server.paths() if "/data/" in path] == []


def test_the_gateways_refusal_is_a_sentence_also_from_a_task(staff: workbench.Project, server: UnixServer) -> None:
    server.refuse(f"GET {API}/projects/{PROJECT}/data/2009-Q2", 403, "NOT_ON_PROJECT", "ask its steward")
    with pytest.raises(RefusedError, match=r"^NOT_ON_PROJECT: ask its steward$"):
        _computed(staff.data())


def test_a_locked_house_is_said_so(opened: Opened) -> None:
    with pytest.raises(LockedError, match="ask the operator"):
        opened("microdata", "tables", state="locked").data()


@pytest.mark.parametrize("period", ["2008-Q1", ["2009-Q2", "x"], []])
def test_other_quarters_are_refused_with_those_there_are(staff: workbench.Project, period: str | list[str]) -> None:
    with pytest.raises(InputError, match="2009-Q2 to 2009-Q3"):
        staff.data(period)


def test_persons_are_counted_and_not_rows(staff: workbench.Project) -> None:
    table = staff.table("T1", period="2009-Q2", rows=["sex"], columns=["position"])
    assert table.numbers.to_dict("index")["_T"] == {"_T": 4, "1": 3, "11": 2, "12": 1, "2": 1}
    assert table.numbers.to_dict("index")["F"] == {"_T": 2, "1": 1, "11": 1, "12": 0, "2": 1}


def test_a_raw_table_says_that_it_is_not_checked(staff: workbench.Project) -> None:
    table = staff.table("t1", period="2009-Q2")
    assert table.is_raw
    assert "RAW, not checked" in repr(table)
    assert "Nothing of this may leave" in table._repr_html_()


def test_a_person_in_two_cells_stops_the_count(staff: workbench.Project, server: UnixServer) -> None:
    twice = [(1, "M", "11"), (1, "M", "12")]
    server.answers[f"GET {API}/projects/{PROJECT}/data/2009-Q2"] = quarter(twice)
    with pytest.raises(InputError, match="PERSON_TWICE"):
        staff.table("t1", period="2009-Q2")


def test_a_table_of_several_quarters_has_them_in_its_columns(staff: workbench.Project) -> None:
    numbers = staff.table("t2").numbers
    assert list(numbers.columns) == list(PERIODS)
    assert list(numbers.index) == ["_T", "1", "11", "12", "2"]
    assert numbers.notna().all(axis=None)


def test_threads_and_processes_count_alike(staff: workbench.Project) -> None:
    here = staff.table("t1").frame
    with cluster() as client:
        assert client.scheduler_info()["address"].startswith("inproc://")
        in_threads = staff.table("t1").frame
    pd.testing.assert_frame_equal(here, in_threads)
