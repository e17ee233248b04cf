"""Whom a year is about: the persons of the groups, each with group and cluster, which are taken once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enclave.errors import DeliveryError, PolicyError
from enclave.linkage.checks import NO_DATE
from enclave.linkage.cohorts import Spells, assign_groups, centre_of_support
from enclave.linkage.linking import Values
from enclave.linkage.numbers import Ints
from enclave.linkage.year import POPULATION, QUARTER_END, Year
from enclave.policy.content import PolicyVariable
from enclave.policy.quarter import Quarter

_CENTRE = "municipality"
"""Column of the support file with the municipality of the centre, and of the cluster table."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Persons (sorted numbers) and, per variable that is taken once, a value for each.

    `backward` counts support records that end before they start, for the steward.
    """

    persons: Ints
    values: Mapping[str, Values]
    backward: int


def build_population(year: Year) -> Population:
    """Return the persons of all groups, with the variables that the policy takes once, in the quarter of the group."""
    quarters = tuple(year.policy.cohorts(year.year).values())
    delivered = [_spells(year, quarter) for quarter in quarters]
    spells = [found.within(quarter) for found, quarter in zip(delivered, quarters, strict=True)]
    persons, groups = assign_groups([found.insz for found in spells])
    values: dict[str, Values] = {}
    for variable in year.policy.variables:
        if variable.source == POPULATION:
            values[variable.id] = groups.astype(np.int64)
        elif variable.reference != QUARTER_END:
            of_all = np.empty(len(persons), dtype=np.int64)
            for index, (found, quarter) in enumerate(zip(spells, quarters, strict=True)):
                mine = groups == index
                centres = centre_of_support(found, persons[mine])
                of_all[mine] = _class_of_centre(year, variable, quarter)[centres]
            values[variable.id] = of_all
    return Population(persons, values, sum(int(found.backward.sum()) for found in delivered))


def _spells(year: Year, quarter: Quarter) -> Spells:
    """Return the support records of a quarter."""
    select = year.policy.population.select
    columns = year.read(select.source, quarter, ["insz", "regime", "form", "start", "end", _CENTRE])
    counts = np.ones(len(columns["insz"]), dtype=np.bool_)
    for column, selected in (("regime", select.regimes), ("form", select.forms)):
        codes = year.codes(select.source, quarter, column)
        counts &= np.isin(columns[column], [codes.index(code) for code in selected])
    centres = _by_nis(year, select.source, quarter)[columns[_CENTRE]]
    return Spells(columns["insz"], counts, columns["start"], columns["end"], centres)


def _class_of_centre(year: Year, variable: PolicyVariable, quarter: Quarter) -> Values:
    """Return the class of each municipality, in the order of NIS codes, on the last day of the quarter.

    The source is a dated table with the columns municipality, valid_from, valid_to (empty: still valid) and the class.
    A municipality without a row on that day is unknown; DeliveryError for two rows.
    """
    source = variable.source
    table = year.read(source, None, [_CENTRE, variable.column, "valid_from", "valid_to"])
    day = np.datetime64(quarter.last_day, "D").astype(np.int64)
    valid = (table["valid_from"] <= day) & ((table["valid_to"] == NO_DATE) | (table["valid_to"] >= day))
    centres = _by_nis(year, source, None)[table[_CENTRE][valid]]
    if len(np.unique(centres)) != len(centres):
        message = (
            f"{year.file(source, None)}: a municipality has two rows that are valid on {quarter.last_day};"
            " have the institution end one of them, and take the file in as a correction"
        )
        raise DeliveryError("DELIVERY_OVERLAP", message)
    classes = np.full(len(_nis_codes(year)), year.unknown(variable))
    classes[centres] = year.values(variable, None, table[variable.column])[valid]
    return classes


def _nis_codes(year: Year) -> list[str]:
    column = year.schemas[year.policy.population.select.source].column(_CENTRE)
    assert column is not None
    assert column.codelist is not None
    return sorted(year.codelists[column.codelist].codes)


def _by_nis(year: Year, source: str, period: Quarter | None) -> Ints:
    """Return the place in the order of NIS codes of each code that a delivery's municipalities are positions in."""
    place = {code: index for index, code in enumerate(_nis_codes(year))}
    codes = year.codes(source, period, _CENTRE)
    if not place.keys() >= set(codes):
        message = (
            f"{year.file(source, period)} was taken in with municipalities that the code list no longer has; add them"
        )
        raise PolicyError("UNKNOWN_CODE", message)
    return np.array([place[code] for code in codes])
