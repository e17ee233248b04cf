"""Raw counts are what the plain reference of the house counts."""

from collections.abc import Sequence

import dask.dataframe as dd
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.sdc.table import Hierarchy, TableSpec, Variable
from enclave.tabulation.reference import count_plainly
from kernels.workbench.codebook import Codebook
from kernels.workbench.counting import count_persons
from tests.lib.small_project import PERIODS, VARIABLES

CODEBOOK = Codebook.of(VARIABLES, "en")
DIMENSIONS = ("sex", "position")
SPEC = TableSpec(
    "t1",
    (
        Variable.flat("sex", ("M", "F")),
        Variable("position", (Hierarchy((("1", ""), ("11", "1"), ("12", "1"), ("2", ""))),)),
    ),
    PERIODS,
    "clients",
)

person = st.tuples(st.sampled_from(["M", "F"]), st.sampled_from(["11", "12", "2"]), st.integers(1, 3))


def _data(quarters: Sequence[Sequence[tuple[str, str, int]]]) -> pd.DataFrame:
    rows = [
        (number, period, sex, position)
        for period, persons in zip(PERIODS, quarters, strict=True)
        for number, (sex, position, times) in enumerate(persons)
        for _ in range(times)
    ]
    frame = pd.DataFrame(rows, columns=["person", "TIME_PERIOD", *DIMENSIONS]).astype({"person": "int64"})
    kinds = {name: pd.CategoricalDtype(list(CODEBOOK[name].leaves)) for name in DIMENSIONS}
    return frame.astype(kinds | {"TIME_PERIOD": pd.CategoricalDtype(list(PERIODS))})


@given(quarters=st.tuples(st.lists(person, max_size=12), st.lists(person, max_size=12)))
@settings(max_examples=25, deadline=None)
def test_counts_are_those_of_the_reference(quarters: tuple[list[tuple[str, str, int]], ...]) -> None:
    frame = _data(quarters)
    parts = [frame[frame["TIME_PERIOD"] == period] for period in PERIODS]
    data = dd.concat([dd.from_pandas(part, npartitions=1) for part in parts])  # type: ignore[no-untyped-call]
    counted = count_persons(data, DIMENSIONS, CODEBOOK)
    names = ("person", "period", *DIMENSIONS)
    rows = [dict(zip(names, row, strict=True)) for row in frame.astype(str).itertuples(index=False, name=None)]
    expected = count_plainly(SPEC, rows)
    keys = counted[["TIME_PERIOD", *DIMENSIONS]].itertuples(index=False, name=None)
    assert dict(zip(keys, counted["OBS_VALUE"], strict=True)) == expected
