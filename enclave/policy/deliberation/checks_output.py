"""What must hold of places, counts and amounts, and between answers to open points and the rest."""

from collections.abc import Iterator, Mapping

from enclave.policy.base import Fault
from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.checks_terms import misfit, numbered
from enclave.policy.deliberation.data_sets import DataSet
from enclave.policy.deliberation.document import DeliberationDocument
from enclave.policy.deliberation.geography import Ladder
from enclave.policy.frame import below_floor
from enclave.policy.house import HousePolicy

_REGIONS = "regions"


def output_faults(
    policy: DeliberationDocument, house: HousePolicy, codelists: Mapping[str, Codelist]
) -> Iterator[Fault]:
    """Yield where places, counts and amounts are not protected."""
    yield from _ladder_needed(policy)
    if policy.geography is not None:
        yield from _ladder_faults(policy, policy.geography, house.floors.minimum_frequency)
        yield from _rung_faults(policy, policy.geography, codelists)
    yield from _zero_faults(policy, codelists)
    yield from _amount_faults(policy, house.floors.minimum_frequency)
    yield from _count_faults(policy, house.floors.minimum_frequency, codelists)
    yield from _answer_faults(policy)


def _ladder_needed(policy: DeliberationDocument) -> Iterator[Fault]:
    ladder = policy.geography
    for number, data_set in enumerate(policy.data_sets):
        for position, variable in enumerate(data_set.variables):
            held = ladder is not None and (ladder.data_set, ladder.variable) == (data_set.id, variable.id)
            if variable.geography == "municipality" and not held:
                sentence = "a municipality is delivered through the ladder of places only; put it there or remove it"
                yield Fault("LADDER_MISSING", ("data_sets", number, "variables", position), sentence)


def _ladder_faults(policy: DeliberationDocument, ladder: Ladder, floor: int) -> Iterator[Fault]:
    data_set = policy.data_set(ladder.data_set)
    variable = None if data_set is None else data_set.variable(ladder.variable)
    if data_set is None or variable is None or variable.geography != ladder.rungs[0].level:
        sentence = "the ladder starts at the place that a variable of its data set tells; correct one of the two"
        yield misfit(("geography", "variable"), sentence)
    else:
        yield from _beside_faults(data_set, ladder)
    if ladder.minimum.value < floor:
        yield below_floor(("geography", "minimum", "value"), floor)


def _rung_faults(policy: DeliberationDocument, ladder: Ladder, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    regions = codelists[_REGIONS].codes if _REGIONS in codelists else ()
    for position, rung in enumerate(ladder.rungs):
        here = ("geography", "rungs", position)
        if rung.table is not None and policy.source(rung.table) is None:
            sentence = f"there is no source '{rung.table}'; list it under sources"
            yield Fault("SOURCE_MISSING", (*here, "table"), sentence)
        if not set(rung.only_in) <= set(regions):
            yield Fault("UNKNOWN_CODE", (*here, "only_in"), f"this is no code of '{_REGIONS}'; correct it")
        if not numbered(rung.paragraph) and rung.point is None:
            sentence = "the text does not name this rung; say which open point added it"
            yield Fault("OPEN_POINT_MISSING", (*here, "point"), sentence)


def _beside_faults(data_set: DataSet, ladder: Ladder) -> Iterator[Fault]:
    places = {v.id for v in data_set.variables if v.geography and v.unit == "person" and v.id != ladder.variable}
    if places != set(ladder.beside.variables):
        sentence = "other variables tell where the person lives and would undo the ladder; name exactly those"
        yield Fault("PLACE_BESIDE_LADDER", ("geography", "beside", "variables"), sentence)
    for name in ladder.subgroup.variables:
        if data_set.variable(name) is None:
            sentence = f"'{name}' is no variable of the data set; correct the subgroup"
            yield misfit(("geography", "subgroup", "variables"), sentence)


def _zero_faults(policy: DeliberationDocument, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    """Yield structural zeros of variables or codes that no data set has."""
    schemes = {(v.id, v.scheme or "") for data_set in policy.data_sets for v in data_set.variables}
    known = {(name, code) for name, scheme in schemes if scheme in codelists for code in codelists[scheme].codes}
    for position, combination in enumerate(policy.rules.structural_zeros):
        for name, code in combination:
            if (name, code) not in known:
                at = ("rules", "structural_zeros", position)
                yield Fault("UNKNOWN_CODE", at, f"'{code}' is not a code of a variable '{name}'; correct it")


def _amount_faults(policy: DeliberationDocument, floor: int) -> Iterator[Fault]:
    amounts = {v.id for data_set in policy.data_sets for v in data_set.variables if v.kind == "amount"}
    rule = policy.employer_amounts
    if amounts != set(() if rule is None else rule.variables):
        sentence = "the amounts of a small employer are those of a person; name all amounts, and no other, here"
        yield Fault("AMOUNT_UNPROTECTED", ("employer_amounts",), sentence)
    if rule is not None and rule.minimum_workers.value < floor:
        yield below_floor(("employer_amounts", "minimum_workers", "value"), floor)


def _count_faults(policy: DeliberationDocument, floor: int, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    for position, count in enumerate(policy.counts):
        here = ("counts", position)
        if count.minimum_frequency < floor:
            yield below_floor((*here, "minimum_frequency"), floor)
        if (count.unit == "person") != (count.contributors is not None):
            sentence = "behind a count of persons stand their employers, behind one of employers nobody; correct it"
            yield misfit((*here, "contributors"), sentence)
        if policy.moment(count.moment) is None:
            yield misfit((*here, "moment"), f"there is no moment '{count.moment}'; list it under moments")
        for number, dimension in enumerate(count.dimensions):
            if dimension.codelist not in codelists:
                at = (*here, "dimensions", number)
                yield Fault("CODELIST_MISSING", at, f"there is no code list '{dimension.codelist}'; add its file")


def _answer_faults(policy: DeliberationDocument) -> Iterator[Fault]:
    """Yield where the answer to a point and the field that carries it out differ."""
    for name, shown in _carried_out(policy):
        point = policy.open_points.get(name)
        if point is not None and shown not in {point.choice, None}:
            sentence = f"the policy does '{shown}' instead; change the choice or what it decides"
            yield misfit(("open_points", name, "choice"), sentence)


def _carried_out(policy: DeliberationDocument) -> Iterator[tuple[str, str | int | None]]:
    """Yield open points with what the rest of the policy does; None where it says nothing."""
    for data_set in policy.data_sets:
        window = policy.moment(data_set.snapshots or "")
        yield "trajectory_snapshots", None if window is None else len(window.quarters)
    for count in policy.counts:
        yield count.point, count.minimum_frequency
    ladder = policy.geography
    if ladder is not None:
        yield ladder.counting.point, ladder.counting.value
        yield ladder.subgroup.point, "place_and_work_form" if ladder.subgroup.variables else "place_alone"
    yield "zeros", policy.rules.zeros.value
    yield "survey_split", _from_source(policy, "survey") or None
    workers = policy.data_set("workers")
    age = None if workers is None else workers.variable("age_class")
    yield "age_classes", None if age is None else age.scheme


def _from_source(policy: DeliberationDocument, source: str) -> int:
    fields = [variable for data_set in policy.data_sets for variable in data_set.variables]
    return sum(field.source == source and field.kind != "identifier" for field in fields)
