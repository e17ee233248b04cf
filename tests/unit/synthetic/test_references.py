"""Reference tables that the world is laid over."""

import pytest

from enclave.errors import SetupError
from enclave.synthetic.references import References, Region


def test_the_real_municipalities_are_read_with_region_and_inhabitants(references: References) -> None:
    by_code = {one.code: one for one in references.municipalities}
    regions = [one.region for one in references.municipalities]
    assert [regions.count(region) for region in Region] == [308, 262, 19]
    assert (by_code["11002"].population, by_code["11002"].region) == (523_248, Region.FLANDERS)
    assert by_code["73028"].population == 88
    assert by_code["21004"].region is Region.BRUSSELS


def test_codes_are_those_that_institutions_deliver(references: References) -> None:
    assert {"MAR+", "UNM+"} <= references.households
    assert "MARP" not in references.households
    assert "11" not in references.positions
    assert len(references.clusters) == 12


@pytest.mark.parametrize(("table", "line"), [("lipro", "SING,"), ("positions", "143,"), ("municipalities", "04000,")])
def test_a_code_that_the_model_gives_out_must_be_in_the_lists(
    classifications: dict[str, str], table: str, line: str
) -> None:
    kept = [text for text in classifications[table].splitlines() if not text.startswith(line)]
    if table == "municipalities":
        kept = [text for text in kept if not text.startswith("21")]
    with pytest.raises(SetupError, match="SYNTHETIC_REFERENCES"):
        References.from_csv({**classifications, table: "\n".join(kept)})


def test_a_table_that_is_missing_is_named(classifications: dict[str, str]) -> None:
    del (tables := dict(classifications))["clusters"]
    with pytest.raises(SetupError, match=r"clusters\.csv"):
        References.from_csv(tables)
