"""Deliberation 15/018 as it is shipped: what the text says, requirement by requirement. `A5.2` is one of them."""

import hashlib
from datetime import date, timedelta

import pytest

from enclave.policy.deliberation.data_sets import DataSet
from enclave.policy.deliberation.model import Deliberation
from enclave.policy.deliberation.variables import AS_DELIVERED, DataVariable
from enclave.policy.expression.evaluate import Column, evaluate
from enclave.policy.expression.nodes import Missing, Value
from tests.lib.policy_files import DELIBERATION, codelists, deliberation, text_of

NOT_APPLICABLE, UNKNOWN, BY_DESIGN = Missing.NOT_APPLICABLE, Missing.UNKNOWN, Missing.BY_DESIGN


def data_set(name: str) -> DataSet:
    found = deliberation().data_set(name)
    assert found is not None
    return found


def variable(data_set_id: str, name: str) -> DataVariable:
    found = data_set(data_set_id).variable(name)
    assert found is not None, f"{data_set_id} does not list {name}"
    return found


def derived(data_set_id: str, name: str, **columns: Column) -> list[Value]:
    """Evaluate the shipped derivation of a variable."""
    found = deliberation().derivation(data_set_id, name)
    assert found is not None
    tables = deliberation().tables(data_set(data_set_id), codelists())
    return evaluate(found[1], columns, len(next(iter(columns.values()))), tables)


def ids(data_set_id: str) -> set[str]:
    return {one.id for one in data_set(data_set_id).variables}


def test_a1_1_it_rests_on_articles_5_and_15_and_was_asked_and_reported_in_february() -> None:
    texts = " ".join(basis.text for basis in deliberation().legal_basis)
    assert "article 5" in texts
    assert "article 15" in texts
    application = deliberation().application
    assert (application.asked_on, application.reported_on) == (date(2015, 2, 16), date(2015, 2, 18))


def test_a1_2_purpose_commissioner_recipient_and_predecessor() -> None:
    policy = deliberation()
    assert policy.purpose.text.nl == "ontwikkelen van een monitor voor de sociale inschakelingseconomie in Vlaanderen"
    assert policy.actors.commissioner.name.nl == "Vlaams Departement Werk en Sociale Economie"
    assert policy.actors.requester.name.nl == "Steunpunt Werk en Sociale Economie"
    assert policy.earlier is not None
    assert (policy.earlier.decision, policy.earlier.date) == ("09/02", date(2009, 1, 13))


def test_a1_3_every_actor_and_supplier_of_the_text_is_there_and_the_others_are_said_to_be_unnamed() -> None:
    actors = deliberation().actors
    assert {one.id for one in actors.suppliers if one.named} == {
        "vsawse",
        "nrc",
        "kbo",
        "ugent",
        "rsz",
        "dibiss",
        "cbss",
    }
    assert {one.id for one in actors.suppliers if not one.named} == {"nbb", "rva", "podmi", "riziv", "rsvz", "vdab"}
    assert actors.linker.name.en == "Crossroads Bank for Social Security"
    assert actors.authoriser.paragraph == "9, disp."
    assert actors.receipt_issuer.name.en == "Privacy Commission"


def test_a1_4_and_a1_5_the_findings_of_the_committee_stand_with_their_paragraphs() -> None:
    found = {paragraph for finding in deliberation().findings for paragraph in finding.paragraph.split(", ")}
    assert {"10", "13", "14", "15"} <= found


def test_a2_1_and_a2_2_the_work_forms_are_listed_and_signed() -> None:
    family = next(one for one in deliberation().families if one.id == "work_forms")
    assert family.codes == codelists()["work_forms"].codes
    assert {"BW", "SW", "WEP", "LDE", "INV"} < set(family.codes)
    assert {"PWA", "ART60", "ART61"} < set(family.codes)
    assert family.signed_by


def test_a2_3_workers_have_two_reference_dates_and_employers_one() -> None:
    workers, employers = deliberation().source("vsawse_workers"), deliberation().source("vsawse_employers")
    assert workers is not None
    assert employers is not None
    days = [deliberation().moment(name) for name in workers.moments]
    assert [one.days for one in days if one] == [(date(2008, 12, 31),), (date(2013, 12, 31),)]
    assert employers.moments == ("list_2013",)


def test_a2_4_workers_are_listed_under_their_employers_with_four_attributes() -> None:
    source = deliberation().source("vsawse_workers")
    assert source is not None
    assert source.identifiers == ("insz", "enterprise_number")
    assert {"staff_kind", "list_origin", "education", "work_fitness"} <= ids("workers")
    assert {"list_activity", "list_sector", "work_form"} <= ids("employers")


def test_a2_5_of_cooperatives_only_the_number_is_supplied_and_only_those_with_staff_stay() -> None:
    for name in ("cooperatives", "social_purpose"):
        delivered = {one.from_ for ds in deliberation().data_sets for one in ds.variables if one.source == name}
        assert delivered == set()
        source = deliberation().source(name)
        assert source is not None
        assert source.identifiers == ("enterprise_number",)
    steps = data_set("employers").steps
    assert [(step.do, step.source, step.rows) for step in steps[:4]] == [
        ("select", "cooperatives", None),
        ("select", "social_purpose", None),
        ("join", "employment", "matched"),
        ("select", "vsawse_employers", None),
    ]
    assert any(step.do == "look_up" and step.finds == "insz" for step in data_set("workers").steps)


def test_a2_6_people_in_pwa_or_article_60_or_61_count_on_any_day_of_the_quarter() -> None:
    source, moment = deliberation().source("assisted_workers"), deliberation().moment("in_q4_2013")
    assert source is not None
    assert moment is not None
    assert moment.id in source.moments
    assert (moment.taken, [str(quarter) for quarter in moment.quarters]) == ("any_day_in_quarter", ["2013-Q4"])


def test_a2_7_origin_arrives_twice_and_stays_two_variables() -> None:
    assert variable("workers", "list_origin").from_ == "vsawse_workers.origin"
    assert variable("workers", "origin_class").from_ == "register.origin_class"
    for name in ("education", "work_fitness"):
        assert variable("workers", name).source == "vsawse_workers"
        assert "12" in variable("workers", name).paragraph


def test_a3_1_the_survey_is_joined_without_losing_who_did_not_answer() -> None:
    step = next(step for step in data_set("employers").steps if step.source == "survey")
    assert (step.do, step.rows, step.by) == ("join", "all", "enterprise_number")
    survey = [one for one in data_set("employers").variables if one.source == "survey"]
    assert all(one.gaps == ("by_design", "not_answered") and one.unit == "employer" for one in survey)
    assert not [
        one for name in ("workers", "trajectories") for one in data_set(name).variables if one.source == "survey"
    ]


def test_a3_2_each_thing_that_the_survey_sentence_names_is_one_variable() -> None:
    survey = [one for one in data_set("employers").variables if one.source == "survey"]
    assert len(survey) == 31 == deliberation().open_points["survey_split"].choice
    assert len([one for one in survey if one.id.startswith("hiring_")]) == 5
    assert len([one for one in survey if one.id.startswith("partners_")]) == 5
    assert all(one.paragraph == "4" for one in survey)


def test_a4_1_employers_have_what_paragraph_5_lists() -> None:
    wanted = {"employer", "nace", "activity_sector", "size", "organisation_type", "work_form"}
    assert wanted <= ids("employers")
    assert variable("employers", "employer").scheme == "enterprises"
    moment = deliberation().moment(variable("employers", "nace").moment)
    assert moment is not None
    assert (moment.taken, moment.first, moment.last) == ("last_day_of_quarter", "2013-Q4", "2013-Q4")
    assert codelists()["organisation_types"].codes == ("SIE", "COOP", "VSO", "NONE")


def test_a4_1_the_type_of_organisation_is_the_first_list_that_fits() -> None:
    given = derived(
        "employers",
        "organisation_type",
        listed_by_vsawse=["Y", BY_DESIGN, BY_DESIGN, BY_DESIGN],
        listed_as_cooperative=["Y", "Y", BY_DESIGN, BY_DESIGN],
        listed_as_social_purpose=[BY_DESIGN, "Y", "Y", BY_DESIGN],
    )
    assert given == ["SIE", "COOP", "VSO", "NONE"]


def test_a4_2_the_contradiction_on_the_financial_profile_is_declared_and_settled() -> None:
    source = deliberation().source("annual_accounts")
    assert source is not None
    assert source.conflicts[0].between == ("5", "11")
    assert deliberation().open_points[source.conflicts[0].point].choice == "annual_accounts"
    ratios = {one.id for one in data_set("employers").variables if one.source == "annual_accounts"}
    assert ratios == {"liquidity", "solvency", "profitability", "credit_policy", "investment_policy"}


def test_a4_3_the_place_of_an_employer_is_a_district_or_a_centre_city() -> None:
    assert data_set("employers").finest_place == "centre_city"
    for place in ("establishment", "local_unit"):
        assert variable("employers", f"{place}_district").scheme == "districts"
        assert variable("employers", f"{place}_centre_city").scheme == "centre_cities"


def test_a5_1_personal_characteristics_of_paragraph_6() -> None:
    wanted = {"person", "age_class", "sex", "nationality", "origin_class", "municipality", "province", "lipro"}
    assert wanted | {"position", "death_quarter"} <= ids("workers")
    position = deliberation().moment(variable("workers", "position").moment)
    assert position is not None
    assert position.taken == "last_day_of_quarter"
    family = next(one for one in deliberation().families if one.id == "derived_nomenclature")
    assert set(family.variables) <= ids("workers")
    assert variable("workers", "age_class").scheme == "age_5"


def test_a5_1_no_derived_nomenclature_variable_is_there_but_the_signed_ones() -> None:
    family = next(one for one in deliberation().families if one.id == "derived_nomenclature")
    from_nomenclature = {one.id for one in data_set("workers").variables if one.source == "positions"}
    assert from_nomenclature == {"position", *family.variables}


def test_a5_2_employment_of_paragraph_6() -> None:
    wanted = {
        "employer", "nace", "activity_sector", "public_body_type", "jobs", "fte_jobs", "turnover",
        "establishment_district", "establishment_centre_city", "local_unit_district", "local_unit_centre_city",
        "organisation_type", "work_form", "worker_type", "work_status", "work_regime", "part_time_percentage",
        "daily_wage", "fte_days", "contribution_amount", "reduction_kind", "reduction_amount", "special_measures",
        "service_vouchers", "temporary_agency", "social_maribel",
    }  # fmt: skip
    assert wanted <= ids("workers")


def test_a5_2_turnover_has_the_later_number_below_the_line_and_is_undefined_at_zero() -> None:
    before, after = [10, 12, 5, 0, 4, UNKNOWN], [12, 10, 0, 4, 4, 4]
    given = derived("workers", "turnover", jobs_end_2012=before, jobs_end_2013=after)
    assert given == [pytest.approx(100 / 6), -20, NOT_APPLICABLE, 100, 0, UNKNOWN]
    moment = deliberation().moment(variable("workers", "turnover").moment)
    assert moment is not None
    assert moment.days == (date(2012, 12, 31), date(2013, 12, 31))


def test_a5_2_amounts_are_those_of_the_whole_employer_and_protected() -> None:
    given = derived(
        "workers", "contribution_amount", contribution_of_job=[100, 250, 40, 0], employer=["a", "a", "b", "a"]
    )
    assert given == [350, 350, 40, 350]
    rule = deliberation().employer_amounts
    assert rule is not None
    assert set(rule.variables) == {"contribution_amount", "reduction_amount"}
    assert (rule.minimum_workers.value, rule.largest_share.value, rule.otherwise) == (5, 50, "not_delivered")
    assert {one.unit for ds in deliberation().data_sets for one in ds.variables if one.kind == "amount"} == {"employer"}


def test_a5_2_wage_full_time_jobs_and_benefit_are_classed_and_the_rest_is_not() -> None:
    for name in ("daily_wage", "fte_jobs", "benefit_class"):
        assert variable("workers", name).kind == "class"
        assert "in classes" in variable("workers", name).paragraph
    for name in ("jobs", "fte_days", "part_time_percentage", "incapacity_days"):
        assert variable("workers", name).kind == "number"
    wages = derived("workers", "daily_wage", daily_wage_euro=[59.99, 60, 199.99, 1000, NOT_APPLICABLE])
    assert wages == ["W0", "W1", "W7", "W9", NOT_APPLICABLE]


def test_a5_3_the_four_counts_have_units_thresholds_and_employers_behind_persons() -> None:
    counts = {one.id: one for one in deliberation().counts}
    assert {name: tuple(dimension.id for dimension in one.dimensions) for name, one in counts.items()} == {
        "workers_by_municipality": ("municipality",),
        "employers_by_municipality": ("municipality",),
        "employers_by_work_form": ("municipality", "work_form"),
        "employers_by_size": ("municipality", "size"),
    }
    assert [one.unit for one in counts.values()] == ["person", "employer", "employer", "employer"]
    assert {one.minimum_frequency for one in counts.values()} == {5}
    behind = counts["workers_by_municipality"].contributors
    assert behind is not None
    assert (behind.unit, behind.minimum, behind.largest_share) == ("employer", 3, 85)


def test_a5_4_work_intensity_is_that_of_the_household() -> None:
    names = {"wi_def1", "wi_def2", "fte_def1", "fte_def2", "fte_max"}
    assert {one.id for one in data_set("workers").variables if one.unit == "household"} == names
    given = derived("workers", "wi_def1", fte_def1=[1.5, 0, 1, 0], fte_max=[2, 2, 0, UNKNOWN])
    assert given == [0.75, 0, NOT_APPLICABLE, UNKNOWN]
    assert derived("workers", "wi_def2", fte_def2=[1.2], fte_max=[2]) == [pytest.approx(0.6)]


def test_a5_5_and_a5_6_social_welfare_and_unemployment() -> None:
    names = {"assistance_law", "assistance_kind", "activation_kind", "programme_kind", "article_60_purpose"}
    assert {one.id for one in data_set("workers").variables if one.source == "assistance"} == names
    assert {"benefit_measure", "benefit_class"} <= ids("workers")


def test_a5_7_days_of_incapacity_are_those_of_the_whole_year() -> None:
    moment = deliberation().moment(variable("workers", "incapacity_days").moment)
    assert moment is not None
    assert (moment.taken, moment.year) == ("over_year", 2013)
    assert "zero" in variable("workers", "incapacity_days").gaps


def test_a6_1_trajectories_have_29_snapshots_around_the_last_day_of_2008() -> None:
    moment = deliberation().moment(data_set("trajectories").snapshots or "")
    assert moment is not None
    quarters = [str(quarter) for quarter in moment.quarters]
    assert (len(quarters), quarters[0], quarters[-1]) == (29, "2006-Q4", "2013-Q4")
    assert quarters.index("2008-Q4") == 8
    assert deliberation().open_points["trajectory_snapshots"].choice == 29


def test_a6_2_the_position_is_one_of_seven() -> None:
    given = derived(
        "trajectories",
        "position",
        nomenclature=[
            "111",
            "112",
            "141",
            "121",
            "132",
            "142",
            "143",
            "211",
            "213",
            "34",
            "35",
            "37",
            "38",
            "331",
            "36",
        ],
    )
    assert given == ["EMP"] * 3 + ["SELF"] * 4 + ["UNE"] * 2 + ["PEN", "EARLY", "INV", "INV", "OTH", "OTH"]


def test_a6_2_every_position_of_the_nomenclature_has_one_of_seven() -> None:
    leaves = codelists()["positions"].leaves
    assert set(derived("trajectories", "position", nomenclature=leaves)) == set(
        codelists()["trajectory_positions"].leaves
    )


def test_a6_2_only_who_works_is_inside_or_outside() -> None:
    given = derived(
        "trajectories",
        "inside_social_economy",
        position=["EMP", "EMP", "SELF", "UNE", "EMP"],
        organisation_type=["SIE", "NONE", NOT_APPLICABLE, NOT_APPLICABLE, "COOP"],
    )
    assert given == ["IN", "OUT", "OUT", NOT_APPLICABLE, "IN"]


def test_a6_2_without_an_employer_there_is_no_type_of_organisation() -> None:
    nobody = [BY_DESIGN, BY_DESIGN]
    given = derived(
        "trajectories",
        "organisation_type",
        employer=["e", NOT_APPLICABLE],
        listed_by_vsawse=nobody,
        listed_as_cooperative=nobody,
        listed_as_social_purpose=nobody,
    )
    assert given == ["NONE", NOT_APPLICABLE]


def test_a6_3_people_in_pwa_or_article_60_or_61_are_followed_in_the_same_way() -> None:
    selected = [step.source for step in data_set("trajectories").steps if step.do == "select"]
    assert selected == ["vsawse_workers", "assisted_workers"]
    given = derived(
        "trajectories",
        "work_form",
        list_work_form=["SW", BY_DESIGN, BY_DESIGN],
        assisted_form_quarterly=["PWA", "PWA", BY_DESIGN],
    )
    assert given == ["SW", "PWA", BY_DESIGN]
    assert deliberation().open_points["assisted_inside"].choice == "outside"


def test_a6_4_trajectories_have_classes_of_two_years_and_no_municipality() -> None:
    ages = derived("trajectories", "age_class", age_2008=[15, 16, 17, 18, 69, 70, 99])
    assert ages == ["00-15", "16-17", "16-17", "18-19", "68-69", "70plus", "70plus"]
    assert variable("trajectories", "age_class").scheme == "age_2"
    assert {one.id for ds in deliberation().data_sets for one in ds.variables if one.scheme == "age_2"} == {"age_class"}
    levels = {one.geography for one in data_set("trajectories").variables if one.geography}
    assert levels == {"centre_city", "district", "province"}


def test_a6_4_workers_and_trajectories_share_no_coding_domain() -> None:
    domains = deliberation().coding.domains
    assert not [one for one in domains if {"workers", "trajectories"} <= set(one.data_sets)]
    assert {one.identifier for one in domains if "trajectories" in one.data_sets} == {"insz", "enterprise_number"}


def test_a6_5_movers_have_the_employment_that_was_signed_and_self_employed_activity() -> None:
    family = next(one for one in deliberation().families if one.id == "trajectory_employment")
    assert "turnover" not in ids("trajectories")
    assert {one.id for one in data_set("trajectories").variables if one.source == "employment"} <= set(family.variables)
    own = {one.id for one in data_set("trajectories").variables if one.source == "self_employed"}
    assert len(own) == 4


def test_a6_6_what_par_12_does_not_name_and_par_7_does_not_date_is_answered() -> None:
    points = deliberation().open_points
    assert points["trajectory_of_assisted"].choice == "same_reference_day"
    assert points["incapacity_days"].choice == "delivered"
    assert points["cooperative_workers"].choice == "included"
    survey = deliberation().source("survey")
    assert survey is not None
    assert survey.held_by[0].name.en == "Ghent University"
    assert "risk report" in survey.held_by[0].effect


def test_a7_1_the_ladder_of_places() -> None:
    ladder = deliberation().geography
    assert ladder is not None
    assert [(rung.level, rung.shows) for rung in ladder.rungs[:3]] == [
        ("municipality", ("municipality",)),
        ("job_centre_area", ("job_centre_area", "district")),
        ("district", ("district",)),
    ]
    assert [rung.level for rung in ladder.rungs[3:]] == ["province", "region", "country"]
    assert ladder.rungs[1].only_in == ("02000",)
    assert (ladder.minimum.value, ladder.counting.value, ladder.subgroup.variables) == (5, "displayed", ("work_form",))
    assert ladder.beside.variables == ("province",)
    assert ladder.municipalities_of == date(2013, 12, 31)


def test_a7_2_what_is_published_hides_less_than_five_under_one_mark_and_says_what_zero_is() -> None:
    rules = deliberation().rules
    assert (rules.minimum_frequency.value, rules.minimum_frequency.paragraph) == (5, "6")
    assert (rules.mark.value, rules.zeros.value) == ("one", "show_or_secondary")


def test_a7_3_results_are_published_in_anonymous_form_only() -> None:
    assert deliberation().conduct.publication.paragraph == "6, 18"
    assert "article 23" in deliberation().conduct.publication.text.en


def test_a7_4_both_kinds_of_numbers_are_replaced_by_meaningless_ones() -> None:
    coding = deliberation().coding
    assert (coding.codes, coding.successor) == ("drawn_at_random", "same_code")
    for ds in deliberation().data_sets:
        numbers = [one for one in ds.variables if one.kind == "identifier"]
        assert numbers
        assert all(coding.domain(one.scheme) is not None for one in numbers)


def test_a7_5_that_employers_can_be_re_identified_is_held_as_a_finding() -> None:
    assert any(finding.paragraph == "15" and "re-identify" in finding.text for finding in deliberation().findings)


def test_a7_6_and_a7_7_undertaking_and_ban_stand_in_three_languages() -> None:
    conduct = deliberation().conduct
    assert (conduct.ban.shown, conduct.ban.paragraph) == ("at_log_in", "16")
    assert "niet-gecodeerde" in conduct.ban.text.nl
    assert "non codées" in conduct.ban.text.fr
    assert "contract" in conduct.undertaking.text.en


@pytest.mark.parametrize(
    ("day", "kinds"),
    [
        (date(2015, 4, 6), set()),
        (date(2015, 4, 7), {"receipt", "contract"}),
        (date(2018, 5, 24), {"receipt", "contract"}),
        (date(2018, 5, 25), {"dpia", "record_of_processing", "contract"}),
        (date(2030, 1, 1), {"dpia", "record_of_processing", "contract"}),
    ],
)
def test_a8_1_the_receipt_is_asked_for_in_its_time_and_todays_evidence_after_it(day: date, kinds: set[str]) -> None:
    assert {condition.kind for condition in deliberation().required(day)} == kinds


def test_a8_2_the_granted_date_counts_and_not_the_one_that_was_asked() -> None:
    policy = deliberation()
    assert (policy.asked.until, policy.granted.until) == (date(2017, 12, 31), date(2017, 3, 31))
    assert policy.retention.end == policy.retention.until == date(2017, 3, 31)
    assert policy.retention.warning_days == (90, 30, 7)


def test_a8_3_the_laws_to_respect_are_named() -> None:
    assert deliberation().conduct.laws.paragraph == "20"


def test_a8_4_that_the_data_stay_inside_is_declared_as_a_deviation() -> None:
    assert any("par. 8" in deviation.reason for deviation in deliberation().deviations)


def test_both_numbers_and_the_version_in_force() -> None:
    policy = deliberation()
    assert (policy.numbers.dossier, policy.numbers.decision) == ("SCSZG/15/039", "15/018")
    version = policy.in_force(policy.date)
    assert version is not None
    assert version.version == 1
    assert policy.in_force(policy.date - timedelta(days=1)) is None


def test_every_variable_has_a_paragraph_between_2_and_12() -> None:
    for ds in deliberation().data_sets:
        assert set(ds.paragraphs) <= set(range(2, 13))
    assert sum(len(ds.variables) for ds in deliberation().data_sets) == 140


def test_every_open_point_says_why_who_and_when() -> None:
    for name, point in deliberation().open_points.items():
        assert point.decided_by.startswith("proposed by the makers of this house"), name
        assert point.reason, name


@pytest.mark.parametrize("scheme", [one.codelist for one in deliberation().classes])
def test_labels_of_classes_name_their_bounds(scheme: str) -> None:
    found = next(one for one in deliberation().classes if one.codelist == scheme)
    rows = codelists()[scheme].rows
    for bound, row in list(zip(found.bounds, rows, strict=True))[2:]:
        assert str(bound) in row.label_en, row.code


def test_what_is_delivered_in_classes_of_the_supplier_says_so() -> None:
    fields = [one for ds in deliberation().data_sets for one in ds.variables if one.kind == "class"]
    assert all(one.scheme == AS_DELIVERED or one.scheme in codelists() for one in fields)


def test_it_is_a_deliberation_with_the_hash_of_its_text() -> None:
    policy = deliberation()
    assert isinstance(policy, Deliberation)
    assert policy.sha256 == hashlib.sha256(text_of(DELIBERATION).encode()).hexdigest()
