"""What must hold between sources, moments, data sets, steps, families and coding of a deliberation."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from enclave.policy.base import Fault, repeated
from enclave.policy.codelist import Codelist
from enclave.policy.deliberation.checks_terms import misfit, numbered
from enclave.policy.deliberation.data_sets import DataSet
from enclave.policy.deliberation.document import DeliberationDocument
from enclave.policy.deliberation.variables import AS_DELIVERED, LEVELS, DataVariable, Held
from enclave.policy.source import SourceSchema
from enclave.policy.strict_yaml import Path

_ABSENT = {"by_design", "not_applicable", "zero"}
"""What can be said of somebody who is not in a source."""
_NUMBER_OF = {"person": "insz", "employer": "enterprise_number"}


def data_faults(policy: DeliberationDocument, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    """Yield where sources, data sets and coding do not fit each other."""
    yield from _repeated_ids(policy)
    yield from _source_faults(policy)
    for position, given in enumerate(policy.inputs):
        yield from _field_faults(policy, given, ("inputs", position), codelists)
    for position, data_set in enumerate(policy.data_sets):
        yield from _data_set_faults(policy, data_set, ("data_sets", position), codelists)
    yield from _family_faults(policy, codelists)
    yield from _coding_faults(policy)


def _repeated_ids(policy: DeliberationDocument) -> Iterator[Fault]:
    for field in ("moments", "sources", "inputs", "families", "data_sets", "counts"):
        if repeated(entry.id for entry in getattr(policy, field)):
            yield misfit((field,), "an id stands twice; give each entry its own")
    inputs = {given.id for given in policy.inputs}
    for position, data_set in enumerate(policy.data_sets):
        if inputs & {variable.id for variable in data_set.variables}:
            yield misfit(("data_sets", position, "variables"), "a variable has the id of an input; tell them apart")
    if repeated(supplier.id for supplier in policy.actors.suppliers):
        yield misfit(("actors", "suppliers"), "an id stands twice; give each entry its own")


def _source_faults(policy: DeliberationDocument) -> Iterator[Fault]:
    suppliers = {supplier.id: supplier for supplier in policy.actors.suppliers}
    for position, source in enumerate(policy.sources):
        here = ("sources", position)
        for name in source.suppliers:
            if name not in suppliers:
                yield misfit((*here, "suppliers"), f"'{name}' is not among the suppliers; list it under actors")
        if any(suppliers[name].within for name in source.suppliers if name in suppliers) and not source.held_by:
            sentence = "its supplier is a part of the recipient and knows these data; declare it under held_by"
            yield Fault("HOLDER_UNDECLARED", here, sentence)
        for name in source.moments:
            if policy.moment(name) is None:
                yield misfit((*here, "moments"), f"there is no moment '{name}'; list it under moments")


def form_faults(policy: DeliberationDocument, schemas: Mapping[str, SourceSchema]) -> Iterator[Fault]:
    """Yield where a source names a form that is not there."""
    for position, source in enumerate(policy.sources):
        if source.form is not None and source.form not in schemas:
            sentence = f"there is no source schema '{source.form}'; add its file, or write null until it is agreed"
            yield Fault("SOURCE_MISSING", ("sources", position, "form"), sentence)


def _field_faults(
    policy: DeliberationDocument, field: Held, here: Path, codelists: Mapping[str, Codelist]
) -> Iterator[Fault]:
    if not numbered(field.paragraph) & set(range(1, policy.paragraphs + 1)):
        sentence = "a variable rests on a numbered paragraph of the document; name it, or leave the variable out"
        yield Fault("MORE_THAN_GRANTED", (*here, "paragraph"), sentence)
    if policy.moment(field.moment) is None:
        yield misfit((*here, "moment"), f"there is no moment '{field.moment}'; list it under moments")
    source = policy.source(field.source)
    if field.source is not None and source is None:
        yield Fault("SOURCE_MISSING", (*here, "from"), f"there is no source '{field.source}'; list it under sources")
    if source is not None and field.moment not in source.moments:
        yield misfit(
            (*here, "moment"), f"'{source.id}' is not delivered for this day or period; correct one of the two"
        )
    if field.kind == "class" and field.scheme not in codelists and field.scheme != AS_DELIVERED:
        sentence = f"there is no code list '{field.scheme}'; add its file, or write as_delivered"
        yield Fault("CODELIST_MISSING", (*here, "scheme"), sentence)


def _data_set_faults(
    policy: DeliberationDocument, data_set: DataSet, here: Path, codelists: Mapping[str, Codelist]
) -> Iterator[Fault]:
    if repeated(variable.id for variable in data_set.variables):
        yield misfit((*here, "variables"), "a variable stands twice; keep it once")
    window = policy.moment(data_set.snapshots or "")
    if data_set.snapshots is not None and (window is None or not window.quarters):
        yield misfit((*here, "snapshots"), "this is no moment with quarters; name such a moment, or null for one row")
    for position, variable in enumerate(data_set.variables):
        at = (*here, "variables", position)
        yield from _field_faults(policy, variable, at, codelists)
        yield from _variable_faults(policy, data_set, variable, at)
    yield from _step_faults(policy, data_set, here)


def _variable_faults(
    policy: DeliberationDocument, data_set: DataSet, variable: DataVariable, at: Path
) -> Iterator[Fault]:
    if not numbered(variable.paragraph) & set(data_set.paragraphs):
        sentence = "the paragraphs that grant this data set do not grant the variable; leave it out"
        yield Fault("MORE_THAN_GRANTED", (*at, "paragraph"), sentence)
    if variable.geography and LEVELS.index(variable.geography) < LEVELS.index(data_set.finest_place):
        sentence = f"a {variable.geography} is finer than the {data_set.finest_place} that is granted here; remove it"
        yield Fault("MORE_THAN_GRANTED", (*at, "scheme"), sentence)
    source = policy.source(variable.source)
    if source is not None and source.coverage == "some" and not _ABSENT & set(variable.gaps):
        sentence = "who is not in its source has no value, and nothing says why; add by_design, not_applicable or zero"
        yield Fault("GAP_UNNAMED", (*at, "gaps"), sentence)
    if variable.kind == "amount" and variable.unit != "employer":
        sentence = "amounts are granted for an employer as a whole only; class it, or make it a total of the employer"
        yield Fault("AMOUNT_OF_A_PERSON", (*at, "unit"), sentence)
    if variable.kind != "identifier" and variable.from_.split(".")[-1] in _NUMBER_OF.values():
        yield Fault("NOT_CODED", (*at, "kind"), "a number goes out coded only; make it an identifier with its domain")
    if variable.kind == "identifier":
        domain = policy.coding.domain(variable.scheme)
        number = _NUMBER_OF.get(variable.unit)
        if domain is None or domain.identifier != number or data_set.id not in domain.data_sets:
            sentence = "the number is not coded in a domain of this data set and of its kind; name such a domain"
            yield Fault("NOT_CODED", (*at, "scheme"), sentence)


def _step_faults(policy: DeliberationDocument, data_set: DataSet, here: Path) -> Iterator[Fault]:
    if data_set.steps[0].do != "select":
        yield misfit((*here, "steps", 0), "the first step says whom the data set is about; make it a select")
    there: set[str] = set()
    made: set[str] = set()
    for position, step in enumerate(data_set.steps):
        at = (*here, "steps", position)
        source = policy.source(step.source)
        if step.source is not None and (source is None or step.by not in source.identifiers):
            yield misfit(at, f"'{step.source}' is no source with such a number; correct source or by")
        if step.rows == "matched" and source is not None and source.coverage == "some":
            sentence = f"who is not in '{step.source}' is missing by design and would be lost; write rows: all"
            yield Fault("JOIN_LOSES_ROWS", (*at, "rows"), sentence)
        there |= {step.source} if step.source else set()
        made |= set(step.variables or ())
    yield from _made_faults(data_set, here, there, made)


def _made_faults(data_set: DataSet, here: Path, there: set[str], made: set[str]) -> Iterator[Fault]:
    for position, variable in enumerate(data_set.variables):
        at = (*here, "variables", position, "from")
        if variable.source is None and variable.id not in made:
            yield misfit(at, "no step derives or classes it; add it to a step")
        if variable.source is not None and variable.source not in there:
            yield misfit(at, f"no step brings the source '{variable.source}' in; add a join")
    derived = {variable.id for variable in data_set.variables if variable.source is None}
    if made - derived:
        yield misfit(
            (*here, "steps"), f"'{min(made - derived)}' is not a derived variable here; remove it from the step"
        )


def _family_faults(policy: DeliberationDocument, codelists: Mapping[str, Codelist]) -> Iterator[Fault]:
    for position, family in enumerate(policy.families):
        here = ("families", position)
        if family.signed_on < policy.date:
            yield misfit((*here, "signed_on"), "this was signed before the document was there; correct the day")
        data_set = policy.data_set(family.data_set or "")
        listed = set() if data_set is None else {variable.id for variable in data_set.variables}
        if not set(family.variables) <= listed:
            yield misfit(
                (*here, "variables"), "a member is not a variable of the data set; list it there, or remove it"
            )
        codelist = codelists.get(family.codelist or "")
        if family.codelist is not None and (codelist is None or codelist.codes != family.codes):
            sentence = "the code list holds other codes than were signed; align the two and have it signed again"
            yield Fault("FAMILY_OPEN", (*here, "codes"), sentence)


def _coding_faults(policy: DeliberationDocument) -> Iterator[Fault]:
    for position, domain in enumerate(policy.coding.domains):
        for name in domain.data_sets:
            if policy.data_set(name) is None:
                yield misfit(("coding", "domains", position), f"there is no data set '{name}'; correct the name")
    apart = [set(entry.data_sets) for entry in policy.coding.apart]
    persons = [data_set for data_set in policy.data_sets if data_set.unit == "person"]
    for one, other in combinations(persons, 2):
        if one.finest_place != other.finest_place and not any({one.id, other.id} <= names for names in apart):
            sentence = f"joining '{one.id}' and '{other.id}' would bring the finer place into both; keep them apart"
            yield Fault("CODING_SHARED", ("coding", "apart"), sentence)
