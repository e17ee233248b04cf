"""What deliberations leave open. Every point is answered in the policy, with reason, decider and day.

A point can be needed in two ways: a part of the policy names it (a class scheme, a conflict between paragraphs, a rung
of the ladder), or the document is one whose open points are listed here.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from enclave.policy.base import Fault, Slug
from enclave.policy.open_points import Decision


class Choices(NamedTuple):
    """The answers that the text allows to one point: those that the house carries out, and those that it does not."""

    supported: tuple[str | int, ...]
    not_built: tuple[str | int, ...] = ()


class Point(Decision):
    """One point with its answer."""

    choice: Slug | int


ENUMERATED = Choices(("enumerated",))
OF_DELIBERATION_15_018: dict[str, Choices] = {
    "work_forms": ENUMERATED,
    "worker_attributes": ENUMERATED,
    "worker_dates": Choices(("both_dates",), ("last_date_only",)),
    "origin_twice": Choices(("both_kept_apart",), ("one_of_them",)),
    "organisation_type": Choices(("first_that_fits",), ("all_that_fit",)),
    "cooperative_workers": Choices(("included",), ("left_out",)),
    "survey_date": Choices(("not_stated",)),
    "survey_split": Choices((31,), (27, 28, 29, 30)),
    "survey_classes": Choices(("code_book_of_the_supplier",)),
    "survey_holders": Choices(("declared",)),
    "establishment_level": Choices(("district_or_centre_city",), ("municipality",)),
    "financial_profile_source": Choices(("annual_accounts",), ("lists_of_the_suppliers",)),
    "financial_ratios": ENUMERATED,
    "financial_year": Choices(("year_2013",)),
    "jobs_of_whom": Choices(("employer",), ("person",)),
    "age_classes": Choices(("age_5",), ("age_2",)),
    "nationality_and_origin_classes": Choices(("nationality_6",)),
    "derived_nomenclature": ENUMERATED,
    "death": Choices(("delivered",), ("left_out",)),
    "class_bounds": Choices(("proposed_schemes",)),
    "unclassed_numbers": Choices(("as_numbers",), ("in_classes",)),
    "employer_amounts": Choices(("minimum_and_dominance",)),
    "special_measures": Choices(("code_book_of_the_supplier",)),
    "incapacity_days": Choices(("delivered",), ("left_out",)),
    "counts_threshold": Choices((5,)),
    "counts_place": Choices(("establishment",), ("residence",)),
    "trajectory_snapshots": Choices((28, 29)),
    "trajectory_characteristics": Choices(("reference_day",), ("each_quarter",)),
    "trajectory_positions": ENUMERATED,
    "trajectory_of_assisted": Choices(("same_reference_day",), ("fourth_quarter_2013",)),
    "assisted_inside": Choices(("outside",), ("inside",)),
    "trajectory_employers": Choices(("lists_of_2013",)),
    "trajectory_employment": ENUMERATED,
    "trajectory_joining": Choices(("separate_codes",)),
    "ladder_subgroup": Choices(("place_and_work_form", "place_alone")),
    "ladder_counting": Choices(("displayed", "whole_area")),
    "ladder_end": Choices(("province_region_country",)),
    "ladder_without_area": Choices(("district",)),
    "province_beside": Choices(("hidden_when_finer",)),
    "zeros": Choices(("show", "show_or_secondary", "hide", "structural")),
    "receipt_today": Choices(("dpia_record_contract",)),
    "delivery_place": Choices(("inside_the_house",), ("handed_over",)),
}
_BY_DECISION: Mapping[str, Mapping[str, Choices]] = {"15/018": OF_DELIBERATION_15_018}


def point_faults(decision: str, points: Mapping[str, Point]) -> Iterator[Fault]:
    """Yield points of a known document that are left out, and answers that the text does not allow."""
    known = _BY_DECISION.get(decision, {})
    for name, choices in known.items():
        if name not in points:
            sentence = f"the text leaves '{name}' open and it is not answered; add the point"
            yield Fault("OPEN_POINT_MISSING", (), sentence)
        else:
            yield from _choice_faults(name, points[name].choice, choices)
    for name in points:
        if known and name not in known:
            yield Fault("POLICY_UNKNOWN_KEY", (name,), "this is no open point of the document; remove it")


def _choice_faults(name: str, choice: str | int, choices: Choices) -> Iterator[Fault]:
    choose = " or ".join(str(answer) for answer in choices.supported)
    if choice in choices.not_built:
        sentence = f"the text allows '{choice}', but this product does not do it yet; choose {choose}"
        yield Fault("CHOICE_NOT_SUPPORTED", (name, "choice"), sentence)
    elif choice not in choices.supported:
        yield Fault("POLICY_VALUE", (name, "choice"), f"this is no answer to the point; choose {choose}")
