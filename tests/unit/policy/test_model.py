"""The policy of advice 17/17: what it holds, what follows from the year, and how a refusal reads."""

import hashlib

import pytest
from pydantic import ValidationError

from enclave.errors import EnclaveBug, PolicyError
from enclave.policy.model import Policy, load_house, load_policy
from enclave.policy.quarter import Quarter
from enclave.sdc.table import TOTAL
from tests.lib.policy_files import ADVICE, advice, codelists, house, load_advice, put, replace, text_of


def _refused(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as refusal:
        load_advice(text)
    return refusal.value


def test_the_groups_of_2016_and_2017() -> None:
    assert {code: str(quarter) for code, quarter in advice().cohorts(2016).items()} == {
        "G1": "2009-Q2",
        "G2": "2009-Q3",
        "G3": "2009-Q4",
        "G4": "2010-Q1",
    }
    assert [str(quarter) for quarter in advice().cohorts(2017).values()] == ["2010-Q2", "2010-Q3", "2010-Q4", "2011-Q1"]


def test_the_windows_of_2016_and_2017_share_sixteen_quarters() -> None:
    first, second = advice().window(2016), advice().window(2017)
    assert (str(first[0]), str(first[-1]), len(first)) == ("2009-Q2", "2014-Q1", 20)
    assert (str(second[0]), str(second[-1]), len(second)) == ("2010-Q2", "2015-Q1", 20)
    assert len(set(first) & set(second)) == 16


@pytest.mark.parametrize("year", [2015, 0, -1])
def test_a_year_before_the_first_delivery_is_refused(year: int) -> None:
    for ask in (advice().cohorts, advice().window):
        with pytest.raises(PolicyError) as refusal:
            ask(year)
        assert refusal.value.code == "YEAR_NOT_COVERED"


def test_a_year_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(PolicyError):
        advice().window(99_999)


def test_names_of_project_and_population() -> None:
    assert advice().project_id(2016) == "advice-17-17-2016"
    assert advice().population_id(2016) == "advice-17-17/2016"


def test_the_hash_is_that_of_the_text() -> None:
    assert advice().sha256 == hashlib.sha256(text_of(ADVICE).encode()).hexdigest()
    assert load_advice(text_of(ADVICE) + "# a remark\n").sha256 != advice().sha256


def test_six_tables_over_twenty_quarters() -> None:
    specs = advice().table_specs(2016, codelists(), "delivery-1")
    assert [spec.id for spec in specs] == ["t1", "t2", "t3", "t4", "t5", "t6"]
    assert [tuple(variable.id for variable in spec.dimensions) for spec in specs] == [
        ("group", "position"),
        ("cluster", "position"),
        ("sex", "region", "position"),
        ("household", "region", "position"),
        ("origin", "region", "position"),
        ("sex", "household", "region", "position"),
    ]
    for spec in specs:
        assert spec.periods == tuple(str(Quarter(2009, 2) + step) for step in range(20))
        assert (spec.population, spec.unit, spec.measure) == ("advice-17-17/2016", "person", "count")
        assert spec.constant == {"group", "cluster", "sex"}
        assert spec.data_date == "delivery-1"
        assert spec.dimensions[-1].leaves == codelists()["positions"].leaves


def test_the_number_of_all_persons_is_one_cell_in_all_tables_and_quarters() -> None:
    specs = advice().table_specs(2016, codelists(), "")
    keys = {spec.key(period, (TOTAL,) * len(spec.dimensions)) for spec in specs for period in spec.periods}
    assert len(keys) == 1


def test_another_year_is_another_population() -> None:
    first, second = (advice().table_specs(year, codelists(), "")[0] for year in (2016, 2017))
    assert first.key("2010-Q2", ("G1", "4")) != second.key("2010-Q2", ("G1", "4"))


def test_pooling_per_group_adds_the_group_to_every_table() -> None:
    text = put(text_of(ADVICE), "open_points.pooling.choice", "per_group")
    for table, rest in enumerate(
        ("cluster, position", "sex, region, position", "household, region, position", "origin, region, position"), 1
    ):
        text = put(text, f"tables.{table}.dimensions", f"[group, {rest}]")
    text = put(text, "tables.5.dimensions", "[group, sex, household, region, position]")
    specs = load_advice(text).table_specs(2016, codelists(), "")
    assert all(spec.dimensions[0].id == "group" for spec in specs)


def test_a_refusal_reads_as_a_sentence_with_place_and_advice() -> None:
    text = put(text_of(ADVICE), "rules.minimum_frequency.value", '"5 "')
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "minimum_frequency:" in row)
    assert _refused(text).message == (
        f"advice-17-17.yaml, line {line}, rules.minimum_frequency.value: "
        "is text, and must be a whole number such as 5, without quotes [paragraph 7; 15/018 par. 6]"
    )


def test_a_threshold_below_the_floor_names_the_floor() -> None:
    refusal = _refused(put(text_of(ADVICE), "rules.minimum_frequency.value", "4"))
    assert refusal.code == "BELOW_HOUSE_FLOOR"
    assert "rules.minimum_frequency.value: this is below the floor of the house; write 5 or more" in refusal.message


def test_all_faults_are_told_at_once() -> None:
    text = put(put(text_of(ADVICE), "version", "true"), "date", '"x"')
    assert _refused(text).message.count("\n") == 1


def test_a_higher_threshold_needs_words_that_name_it() -> None:
    text = put(replace(text_of(ADVICE), "choice: 5 ", "choice: 10 "), "rules.minimum_frequency.value", "10")
    assert "readers would be told another number than 10" in _refused(text).message
    words = "{nl: minder dan 10 of weggelaten, fr: moins de 10 ou omis, en: fewer than 10 or withheld}"
    policy = load_advice(put(text, "texts", f"{{mark: {words}}}"))
    assert policy.rules.minimum_frequency.value == 10
    assert policy.legend(house())["C"].en == "fewer than 10 or withheld; it can also be zero"


def test_a_house_with_a_higher_floor_refuses_the_advice() -> None:
    strict = load_house("house.yaml", put(text_of("house.yaml"), "floors.minimum_frequency", "10"))
    with pytest.raises(PolicyError) as refusal:
        load_policy(ADVICE, text_of(ADVICE), strict, codelists())
    assert refusal.value.code == "BELOW_HOUSE_FLOOR"


def test_a_house_that_asks_for_two_marks_refuses_one() -> None:
    strict = load_house("house.yaml", put(text_of("house.yaml"), "floors.marks", "2"))
    with pytest.raises(PolicyError) as refusal:
        load_policy(ADVICE, text_of(ADVICE), strict, codelists())
    assert refusal.value.code == "BELOW_HOUSE_FLOOR"


def test_the_legend_says_whether_a_hidden_cell_can_be_zero() -> None:
    assert "het kan ook nul zijn" in advice().legend(house())["C"].nl
    shown = load_advice(put(text_of(ADVICE), "rules.zeros.value", "show"))
    assert "chaque zéro est affiché" in shown.legend(house())["C"].fr


def test_two_marks_have_two_legends() -> None:
    legend = load_advice(put(text_of(ADVICE), "rules.mark.value", "two")).legend(house())
    assert list(legend) == ["C", "D"]
    assert legend["C"].en.startswith("fewer than 5; ")
    assert legend["D"].en.startswith("withheld so that")


def test_structural_zeros_are_pairs_of_variable_and_code() -> None:
    policy = load_advice(put(text_of(ADVICE), "rules.structural_zeros", '[{region: XX, position: "111"}]'))
    assert policy.rules.structural_zeros == ((("region", "XX"), ("position", "111")),)


def test_a_structural_zero_that_is_no_map_is_refused() -> None:
    assert _refused(put(text_of(ADVICE), "rules.structural_zeros", "[XX]")).code == "POLICY_TYPE"


@pytest.mark.parametrize(
    ("path", "raw", "where"),
    [
        ("population.roll.groups", "3", "population.groups"),
        ("population.groups.1.quarter", "3", "population.groups.1.quarter"),
        ("population.groups.3.code", "G1", "population.groups.3.not_in"),
        ("population.select.forms", "[activation, activation]", "population.select"),
        ("population.window_quarters", "3", "population.window_quarters"),
        ("variables.4.unknown", "null", "variables.4.unknown"),
        ("variables.4.codelist", "living_wage_category", "open_points.household_situation.choice"),
        ("variables.5.codelist", "nationality_6", "open_points.origin.choice"),
        ("variables.0.codelist", "sex", "population.groups"),
        ("variables.1.id", "sex", "variables"),
        ("tables.1.id", "t1", "tables"),
        ("constant", "[group, cluster, group]", "constant"),
        ("retention.until", "2017-01-01", "retention.until"),
        ("numbers.decision", '"17/059"', "numbers"),
        ("numbers.decision", '"17/18"', "id"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(path: str, raw: str, where: str) -> None:
    assert f", {where}: " in _refused(put(text_of(ADVICE), path, raw)).message


def test_a_variable_need_not_be_there_for_its_open_point_to_be_answered() -> None:
    text = text_of(ADVICE)
    start = text.index("  - {id: origin,")
    text = text[:start] + text[text.index("\n", start) + 1 :]
    start = text.index("  - {id: t5,")
    policy = load_advice(text[:start] + text[text.index("\n", start) + 1 :])
    assert policy.variable("origin") is None


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("population.select.source", "register"),
        ("population.select.source", "nowhere"),
        ("variables.2.source", "nowhere"),
        ("variables.2.column", "municipality"),
        ("variables.2.column", "death"),
    ],
)
def test_what_no_source_delivers_is_refused_where_the_sources_are_given(path: str, raw: str) -> None:
    text = put(text_of(ADVICE), path, raw)
    assert _refused(text).code == "SOURCE_MISSING"
    assert load_policy(ADVICE, text, house(), codelists()).id == "advice-17-17"


def test_a_prerequisite_is_typed() -> None:
    contract = "{id: contract, kind: contract, text: a contract with the recipient, paragraph: house}"
    policy = load_advice(put(text_of(ADVICE), "prerequisites", f"[{contract}]"))
    assert policy.prerequisites[0].kind == "contract"
    assert _refused(put(text_of(ADVICE), "prerequisites", f"[{contract}, {contract}]")).code == "POLICY_INCONSISTENT"


def test_a_policy_cannot_change() -> None:
    with pytest.raises(ValidationError):
        advice().rules.minimum_frequency.value = 1  # type: ignore[misc]


def test_a_policy_cannot_be_made_without_its_house() -> None:
    data = advice().model_dump(by_alias=True)
    with pytest.raises(EnclaveBug):
        Policy.model_validate(data)


def test_every_open_point_says_who_decided_and_when() -> None:
    points = dict(advice().open_points.decided())
    assert set(points) == {
        "window",
        "household_situation",
        "origin",
        "cluster",
        "dead_and_emigrated",
        "pooling",
        "threshold",
    }
