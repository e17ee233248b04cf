"""What must hold between the parts of an advice, and between it, the code lists and the sources."""

from collections.abc import Iterator, Mapping

from enclave.policy.base import Fault, repeated
from enclave.policy.codelist import Codelist
from enclave.policy.content import PolicyVariable
from enclave.policy.document import PolicyDocument
from enclave.policy.legal import legal_faults
from enclave.policy.source import SourceSchema

COHORT_BUILDER = "population"
"""The source of variables that no delivery holds."""

_ANSWERED_BY = {
    "household_situation": ("household", "codelist", "lipro"),
    "origin": ("origin", "codelist", "origin"),
    "cluster": ("cluster", "source", "clusters"),
}
"""Which variable and field the one supported answer to a point shows in."""
_NOT_CARRIED_ON = ("region", "household", "position")
"""Variables that the dead and the emigrated no longer have."""


def _misfit(path: tuple[str | int, ...], sentence: str) -> Fault:
    return Fault("POLICY_INCONSISTENT", path, sentence)


def document_faults(policy: PolicyDocument) -> Iterator[Fault]:
    """Yield where id, numbers, dates, variables and tables do not fit each other."""
    dates = {
        "date": policy.date,
        "effective": policy.effective,
        "until": policy.retention.until,
        "review": policy.retention.review,
    }
    yield from legal_faults(policy.id, policy.kind, policy.numbers, dates)
    for field, values in (
        ("variables", [variable.id for variable in policy.variables]),
        ("tables", [table.id for table in policy.tables]),
        ("tables", [frozenset(table.dimensions) for table in policy.tables]),
        ("prerequisites", [prerequisite.id for prerequisite in policy.prerequisites]),
        ("constant", policy.constant),
    ):
        if repeated(values):
            yield _misfit((field,), "two entries are the same; keep each once")
    for position, table in enumerate(policy.tables):
        if repeated(table.dimensions) or any(policy.variable(name) is None for name in table.dimensions):
            path = ("tables", position, "dimensions")
            yield Fault(
                "VARIABLE_NOT_LISTED",
                path,
                "this is not in the list of variables, or stands twice; name listed ones, each once",
            )


def constant_faults(policy: PolicyDocument) -> Iterator[Fault]:
    """Yield where `constant` keeps from the attacker what every reader knows, or names something unknown."""
    for position, name in enumerate(policy.constant):
        if policy.variable(name) is None:
            yield Fault(
                "VARIABLE_NOT_LISTED",
                ("constant", position),
                "this is not in the list of variables; remove it or list it",
            )
    for variable in policy.variables:
        if variable.reference == "own quarter" and variable.id not in policy.constant:
            sentence = f"'{variable.id}' is taken once, so it cannot change; the attacker must know: add it"
            yield _misfit(("constant",), sentence)


def choice_faults(policy: PolicyDocument) -> Iterator[Fault]:
    """Yield where an answer to an open point does not fit the rest of the policy."""
    points = policy.open_points
    if points.threshold.choice != policy.rules.minimum_frequency.value:
        sentence = "this differs from rules.minimum_frequency.value; write the same count in both places"
        yield _misfit(("open_points", "threshold", "choice"), sentence)
    for point, (name, field, wanted) in _ANSWERED_BY.items():
        variable = policy.variable(name)
        if variable is not None and getattr(variable, field) != wanted:
            sentence = f"the choice asks for {field} {wanted} in variable '{name}'; change one of the two"
            yield _misfit(("open_points", point, "choice"), sentence)
    for position, variable in enumerate(policy.variables):
        if variable.id in _NOT_CARRIED_ON and variable.unknown is None:
            sentence = "the dead and the emigrated keep their group with this unknown; write the code for it"
            yield _misfit(("variables", position, "unknown"), sentence)
    yield from _pooling_faults(policy)
    for name, day in points.decided():
        if day < policy.date:
            sentence = "this was decided before the document was there; correct the day"
            yield _misfit(("open_points", name, "decided_on"), sentence)


def _pooling_faults(policy: PolicyDocument) -> Iterator[Fault]:
    per_group = [table for table in policy.tables if "group" in table.dimensions]
    path = ("open_points", "pooling", "choice")
    if policy.open_points.pooling.choice == "per_group":
        if len(per_group) != len(policy.tables):
            yield _misfit(path, "per_group asks for the dimension group in every table; add it there")
    elif len(per_group) > 1:
        yield _misfit(path, "pooled leaves the dimension group to one table; take it out of the others")


def codelist_faults(policy: PolicyDocument, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    """Yield where variables, groups and structural zeros name codes that their lists do not hold."""
    for position, variable in enumerate(policy.variables):
        codelist = codelists.get(variable.codelist)
        if codelist is None:
            path = ("variables", position, "codelist")
            yield Fault("CODELIST_MISSING", path, f"there is no code list '{variable.codelist}'; add its file")
        else:
            yield from _code_faults(policy, variable, codelist, position)
    for position, combination in enumerate(policy.rules.structural_zeros):
        for name, code in combination:
            if not _is_code(policy.variable(name), code, codelists):
                at = ("rules", "structural_zeros", position)
                yield Fault("UNKNOWN_CODE", at, f"'{code}' is not a code of a variable '{name}'; correct it")


def _is_code(variable: PolicyVariable | None, code: str, codelists: Mapping[str, Codelist]) -> bool:
    codelist = None if variable is None else codelists.get(variable.codelist)
    return codelist is not None and code in codelist.by_code


def _code_faults(policy: PolicyDocument, variable: PolicyVariable, codelist: Codelist, at: int) -> Iterator[Fault]:
    if variable.unknown is not None and variable.unknown not in codelist.leaves:
        yield Fault(
            "UNKNOWN_CODE",
            ("variables", at, "unknown"),
            "this is no code of the finest level of its code list; write such a code",
        )
    if variable.source == COHORT_BUILDER and codelist.codes != tuple(group.code for group in policy.population.groups):
        yield _misfit(("population", "groups"), f"the groups are not those of code list '{codelist.id}'; align the two")


def source_faults(
    policy: PolicyDocument, sources: Mapping[str, SourceSchema], codelists: Mapping[str, Codelist]
) -> Iterator[Fault]:
    """Yield where the policy needs something that no source delivers."""
    for position, variable in enumerate(policy.variables):
        if variable.source != COHORT_BUILDER:
            path = ("variables", position, "column")
            if not _delivers(variable, sources, codelists):
                yield Fault("SOURCE_MISSING", path, "no source delivers this with codes of its code list; correct it")
    select = policy.population.select
    support = sources.get(select.source)
    for name, wanted in (("regime", select.regimes), ("form", select.forms)):
        column = None if support is None else support.column(name)
        if column is None or not set(wanted) <= set(column.codes or ()):
            here = ("population", "select", "source")
            yield Fault("SOURCE_MISSING", here, f"this source does not deliver the column '{name}' with these codes")


def _delivers(variable: PolicyVariable, sources: Mapping[str, SourceSchema], codelists: Mapping[str, Codelist]) -> bool:
    """Say whether a source has the variable's column, with classes that are its codes or lie under them."""
    source = sources.get(variable.source)
    column = None if source is None else source.column(variable.column)
    delivered = None if column is None else codelists.get(column.codelist or "")
    wanted = set(codelists[variable.codelist].leaves) - {variable.unknown}
    return delivered is not None and wanted <= set(delivered.codes)
