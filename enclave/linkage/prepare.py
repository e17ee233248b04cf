"""Making a project's data set for one year: population, linking, coding, and one partition per quarter.

Only what the policy lists is stored, under codes instead of person numbers, in the order of the codes: nothing of the
order of the source remains. The same deliveries give the same content, so preparing again changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from enclave.errors import DeliveryError, PolicyError
from enclave.linkage.linking import MISSING, Values
from enclave.linkage.numbers import Bools
from enclave.linkage.observations import Observations, observe
from enclave.linkage.population import Population, build_population
from enclave.linkage.ports import Store
from enclave.linkage.prepared import PERSON, Columns, keep
from enclave.linkage.report import PrepareReport
from enclave.linkage.year import POPULATION, REGISTER, Year
from enclave.policy.codelist import Codelist
from enclave.policy.model import Policy
from enclave.policy.source import SourceSchema

_MOST_CLASSES_OF_INT8 = 127


def prepare(
    store: Store,
    policy: Policy,
    year: int,
    schemas: Mapping[str, SourceSchema],
    codelists: Mapping[str, Codelist],
    *,
    new_id: Callable[[], str],
    progress: Callable[[str], None] = lambda _: None,
) -> PrepareReport:
    """Build and store the data of `year` from the last deliveries; `prepared` says what it looks like afterwards.

    `schemas` and `codelists` are by id. `new_id` draws the id of a state of the data; it is called when the content
    differs from what is stored. `progress` hears each step. DeliveryError where a delivery is missing or its content
    cannot be used; PolicyError where the data is not as the policy says, such as a `constant:` variable that changes.
    """
    made = Year.gather(store, policy, year, schemas, codelists)
    quarters = policy.window(year)
    progress("finding the groups")
    population = build_population(made)
    seen = observe(made, quarters, population.persons, progress)
    _check_known(made, seen.known)
    values = {name: [of_all] * len(quarters) for name, of_all in population.values.items()} | dict(seen.values)
    values = {name: [of_quarter[seen.known] for of_quarter in of_all] for name, of_all in values.items()}
    _check_values(made, values)
    progress("coding")
    codes = store.coder(policy.project_id(year), PERSON).code(population.persons[seen.known])
    partitions = _partitions(made, codes, values)
    progress("storing")
    facts = {name: _facts(made, name, list(partitions)) for name in partitions}
    snapshot, is_new = keep(store, policy.project_id(year), partitions, facts, new_id)
    return _report(made, population, seen, values, snapshot=snapshot, is_new=is_new)


def _report(
    year: Year,
    population: Population,
    seen: Observations,
    values: Mapping[str, Sequence[Values]],
    *,
    snapshot: str,
    is_new: bool,
) -> PrepareReport:
    """Count what a steward should know."""
    with_code = [variable for variable in year.policy.variables if variable.unknown is not None]
    unknown = {
        variable.id: [int(np.count_nonzero(found == year.unknown(variable))) for found in values[variable.id]]
        for variable in with_code
    }
    groups = [variable for variable in year.policy.variables if variable.source == POPULATION]
    sizes = {
        code: int(np.count_nonzero(values[variable.id][0] == index))
        for variable in groups
        for index, code in enumerate(year.leaves(variable))
    }
    return PrepareReport(
        project=year.policy.project_id(year.year),
        snapshot=snapshot,
        is_new=is_new,
        groups=sizes,
        quarters=tuple(str(quarter) for quarter in year.policy.window(year.year)),
        absent=tuple(seen.absent),
        unknown=unknown,
        settled=seen.settled,
        left_out=int(np.count_nonzero(~seen.known)),
        backward=population.backward,
    )


def _check_known(year: Year, known: Bools) -> None:
    """Refuse a population that the register does not know; a few strangers, such as a mistyped number, are left out."""
    if not len(known):
        message = "no record of the support files counts for any group; compare the files with the policy's `select`"
        raise DeliveryError("NO_POPULATION", message)
    if np.count_nonzero(~known) > year.schemas[REGISTER].error_limit * len(known):
        raise DeliveryError(
            "REGISTER_INCOMPLETE",
            f"the register files of {year.policy.id} {year.year} lack more persons of the support files than the error"
            " limit of the register allows; have registers delivered for all persons, and take them in as corrections",
        )


def _check_values(year: Year, values: Mapping[str, Sequence[Values]]) -> None:
    """Refuse what the policy rules out: an unknown without a code for it, a `constant:` variable that changes."""
    for variable in year.policy.variables:
        first = values[variable.id][0]
        for quarter, of_quarter in zip(year.policy.window(year.year), values[variable.id], strict=True):
            if (of_quarter == MISSING).any():
                raise PolicyError(
                    "UNKNOWN_WITHOUT_CODE",
                    f"source '{variable.source}' leaves '{variable.id}' unknown for somebody in {quarter}, for which"
                    f" {year.policy.id} has no code; have the source completed, or give the variable an `unknown`",
                )
            if variable.id in year.policy.constant and not np.array_equal(of_quarter, first):
                raise PolicyError(
                    "CONSTANT_CHANGES",
                    f"{year.file(variable.source, quarter)}: '{variable.id}' changes for somebody, and {year.policy.id}"
                    " says under `constant:` that it never does; have the source corrected, or take it off that list",
                )


def _partitions(year: Year, codes: NDArray[np.int64], values: Mapping[str, Sequence[Values]]) -> Mapping[str, Columns]:
    """Return the columns of each quarter, in the order of the codes."""
    order = np.argsort(codes)
    types = {
        variable.id: np.int8 if len(year.leaves(variable)) <= _MOST_CLASSES_OF_INT8 else np.int16
        for variable in year.policy.variables
    }
    return {
        str(quarter): {PERSON: codes[order]} | {name: values[name][index][order].astype(types[name]) for name in types}
        for index, quarter in enumerate(year.policy.window(year.year))
    }


def _facts(year: Year, period: str, periods: Sequence[str]) -> dict[str, str]:
    """Return what is written with a partition: where the data comes from, and how to read it."""
    books = {variable.id: year.leaves(variable) for variable in year.policy.variables}
    deliveries = [[one.source, one.partition, one.file, one.sha256] for one in year.delivered.values()]
    return {
        "policy": year.policy.id,
        "policy_sha256": year.policy.sha256,
        "year": str(year.year),
        "period": period,
        "periods": json.dumps(periods),
        "codebook": json.dumps(books),
        "deliveries": json.dumps(sorted(deliveries)),
        "stamp": year.stamp,
    }
