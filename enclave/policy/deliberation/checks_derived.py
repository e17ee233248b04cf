"""What must hold of classes and derivations: known variables, types, and gaps that can come out."""

from collections.abc import Iterator, Mapping

from enclave.errors import PolicyError
from enclave.policy.base import Fault, repeated
from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.checks_terms import misfit
from enclave.policy.deliberation.data_sets import DataSet
from enclave.policy.deliberation.document import DeliberationDocument
from enclave.policy.deliberation.variables import AS_DELIVERED, DataVariable, Derivation
from enclave.policy.expression.nodes import Expression, given_words, may_be_undefined, names
from enclave.policy.expression.parse import parse
from enclave.policy.expression.types import Kind, Scope, Type, type_of
from enclave.policy.strict_yaml import Path

UNKNOWN = "XX"
"""The code for what is not known, which no bounds lead to."""


def derived_faults(policy: DeliberationDocument, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    """Yield where classes and derivations do not fit variables and code lists."""
    yield from _class_faults(policy, codelists)
    if repeated((derivation.data_set, derivation.variable) for derivation in policy.derivations):
        yield misfit(("derivations",), "a variable is derived twice; keep one derivation")
    for position, derivation in enumerate(policy.derivations):
        yield from _derivation_faults(policy, derivation, ("derivations", position), codelists)
    there = {(derivation.data_set, derivation.variable) for derivation in policy.derivations}
    for number, data_set in enumerate(policy.data_sets):
        for position, variable in enumerate(data_set.variables):
            if variable.source is None and (data_set.id, variable.id) not in there:
                yield misfit(("data_sets", number, "variables", position), "nothing says how it is derived; add it")


def scope_of(policy: DeliberationDocument, data_set: DataSet, codelists: Mapping[str, Codelist]) -> Scope:
    """Return what a derivation of a data set may name."""
    variables = {field.id: field.type for field in (*policy.inputs, *data_set.variables)}
    return Scope(variables, frozenset(scheme.codelist for scheme in policy.classes), codelists)


def _class_faults(policy: DeliberationDocument, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    if repeated(scheme.codelist for scheme in policy.classes):
        yield misfit(("classes",), "a code list has two sets of bounds; keep one")
    for position, scheme in enumerate(policy.classes):
        here = ("classes", position)
        codelist = codelists.get(scheme.codelist)
        if codelist is None:
            yield Fault("CODELIST_MISSING", here, f"there is no code list '{scheme.codelist}'; add its file")
        elif len(scheme.bounds) != sum(code != UNKNOWN for code in codelist.leaves):
            yield misfit((*here, "bounds"), "each code of the list has one lower bound; align bounds and codes")
        for number, data_set in enumerate(policy.data_sets):
            for at, variable in enumerate(data_set.variables):
                if variable.scheme == scheme.codelist and data_set.id not in scheme.data_sets:
                    sentence = f"the classes '{scheme.codelist}' are granted for other data sets only; use others here"
                    yield Fault("MORE_THAN_GRANTED", ("data_sets", number, "variables", at, "scheme"), sentence)


def _derivation_faults(
    policy: DeliberationDocument, derivation: Derivation, here: Path, codelists: Mapping[str, Codelist]
) -> Iterator[Fault]:
    data_set = policy.data_set(derivation.data_set)
    variable = None if data_set is None else data_set.variable(derivation.variable)
    if data_set is None or variable is None or variable.source is not None:
        yield misfit(here, "it derives nothing that the data set lists as derived; correct variable or data_set")
        return
    try:
        expression = parse(derivation.expression)
        found = type_of(expression, scope_of(policy, data_set, codelists))
    except PolicyError as error:
        yield Fault(error.code, (*here, "expression"), error.message)
        return
    yield from _result_faults(variable, expression, found, (*here, "expression"), codelists)
    brought = {step.source for step in data_set.steps}
    for given in policy.inputs:
        if given.id in names(expression) and given.source not in brought:
            yield misfit(here, f"no step of the data set brings '{given.source}' in, which it reads; add a join")


def _result_faults(
    variable: DataVariable, expression: Expression, found: Type, at: Path, codelists: Mapping[str, Codelist]
) -> Iterator[Fault]:
    wanted = variable.type
    if found.kind not in {wanted.kind, Kind.ANY}:
        yield Fault("EXPRESSION", at, f"it gives a {found.kind} where the variable is a {wanted.kind}; correct it")
    elif found.codelist is not None and found.codelist != wanted.codelist:
        yield Fault("EXPRESSION", at, f"it gives codes of '{found.codelist}'; let the variable name that scheme")
    codelist = codelists.get(wanted.codelist or AS_DELIVERED)
    if not given_words(expression) <= set(() if codelist is None else codelist.leaves):
        yield Fault("UNKNOWN_CODE", at, "it gives a code that is not in the variable's code list; correct it")
    if may_be_undefined(expression) and "not_applicable" not in variable.gaps:
        yield Fault("GAP_UNNAMED", at, "it can be undefined; add not_applicable to the variable's gaps")
