"""Stage 2: results worked out from the tables of a release inside, by declared expressions (advice 17/17, par. 4).

The expressions stand in the release's own manifest. So anybody who holds both releases can work the results out again,
and the second look before the commit does.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from enclave.errors import IntegrityError, RequestError
from enclave.gateway.binding import Package
from enclave.ledger.read_release import Release
from enclave.ledger.release_content import (
    AttackerRun,
    MarkMeaning,
    ReleaseContent,
    ReleaseTable,
    RuleApplied,
    Stage,
)
from enclave.policy.model import Policy
from enclave.sdc.derivation import Derivation, Kind
from enclave.sdc.derive import HIDDEN, HIDDEN_CHANGE, derive, relations
from enclave.sdc.recheck import Derived
from enclave.sdc.table import Mark, ProtectedTable
from enclave.sdc.words import Words
from enclave.wiring.content import policy_reference, tools

EXPRESSION = "derived"

NOT_NEGATIVE = MarkMeaning(
    Mark(HIDDEN, 0, None),
    Words(
        "niet getoond, omdat een getal waaruit dit wordt berekend verborgen is; een som of aandeel van nul of meer, of"
        " een aandeel zonder noemer",
        "non affiché, car un nombre dont celui-ci est calculé est masqué ; une somme ou une part de zéro ou plus, ou"
        " une part sans dénominateur",
        "not shown, because a figure from which this one is worked out is hidden; a sum or share of zero or more, or a"
        " share of nothing",
    ),
)
"""A hidden sum or share. A share can pass 100 % where its denominator is another category."""

ANY_CHANGE = MarkMeaning(
    Mark(HIDDEN_CHANGE, None, None),
    Words(
        "niet getoond, omdat een van beide getallen verborgen is; een verandering kan negatief, nul of positief zijn",
        "non affiché, car un des deux nombres est masqué ; une variation peut être négative, nulle ou positive",
        "not shown, because one of the two figures is hidden; a change can be negative, zero or positive",
    ),
)


def legend(derivations: Sequence[Derivation]) -> tuple[MarkMeaning, ...]:
    """Return what a hidden result can be: the marks of stage 1 speak of counts, and say more than is so of results."""
    kinds = {derivation.kind for derivation in derivations}
    return (*([NOT_NEGATIVE] if kinds - {Kind.CHANGE} else []), *([ANY_CHANGE] if Kind.CHANGE in kinds else []))


def check_operations(policy: Policy, derivations: Sequence[Derivation]) -> None:
    """Refuse expressions of a kind that the policy does not list for stage 2."""
    allowed = policy.stages.outside.operations
    for derivation in derivations:
        if derivation.kind.value not in allowed:
            raise RequestError(
                "OPERATION_NOT_ALLOWED",
                f"{policy.id} par. {policy.stages.outside.paragraph} allows {', '.join(allowed)}; "
                f"'{derivation.id}' is a {derivation.kind.value}",
            )


def stage_two_content(
    policy: Policy, release: Release, derivations: Sequence[Derivation], attacked: int
) -> ReleaseContent:
    """Return what the release of these results says."""
    check_operations(policy, derivations)
    tables = derive(derivations, release.tables)
    stage_one = release.manifest
    return ReleaseContent(
        project=stage_one["project"],
        stage=Stage.OUTSIDE,
        title=Words.from_mapping(stage_one["title"], "title of the release inside"),
        policy=policy_reference(policy),
        tables=tuple(ReleaseTable(table, d.title) for table, d in zip(tables, derivations, strict=True)),
        names={v.id: Words(v.label.nl, v.label.fr, v.label.en) for v in policy.variables},
        labels=release.labels,
        marks=legend(derivations),
        rules=(*(_rule(rule) for rule in stage_one["rules"]), *(_expression(d, release) for d in derivations)),
        attackers=(AttackerRun("outsider, both stages", attacked, passed=True),),
        data_snapshot=stage_one["data_snapshot"],
        tools=tools(),
        synthetic=stage_one["stamp"] is not None,
    )


def expressions(package: Package) -> tuple[str, tuple[Derivation, ...]]:
    """Return the release that a package was worked out from, and by which expressions."""
    declared = declared_in(json.loads(package.body))
    if declared is None:
        raise IntegrityError("RESULT_SOURCE", "a result does not say which release it was worked out from")
    return declared


def declared_in(manifest: Mapping[str, Any]) -> tuple[str, tuple[Derivation, ...]] | None:
    """Return what a manifest declares: the release its results come from, and the expressions; None without any."""
    declared = [rule["parameters"] for rule in manifest["rules"] if rule["name"] == EXPRESSION]
    if not declared:
        return None
    sources = {parameters["from_release"] for parameters in declared}
    if len(sources) != 1:
        raise IntegrityError("RESULT_SOURCE", "results that come from several releases are not one release")
    fields = [{name: value for name, value in entry.items() if name != "from_release"} for entry in declared]
    return sources.pop(), tuple(Derivation.from_mapping(entry, "a declared expression") for entry in fields)


def attacked_cells(package: Package) -> int:
    """Return how many cells the package says were attacked."""
    return int(json.loads(package.body)["attackers"][0]["cells_attacked"])


def derived_cells(
    derivations: Sequence[Derivation], source_tables: Sequence[ProtectedTable], first_source: int
) -> tuple[Derived, ...]:
    """Return the sums as the attacker takes them; `first_source` is the place of the first source table.

    Shares and changes are left out: one that is shown is a function of figures that are shown, and one that is hidden
    can be anything, so that it bounds nothing.
    """
    place = {table.spec.id: number for number, table in enumerate(source_tables)}
    found = []
    for derivation, table in zip(derivations, derive(derivations, source_tables), strict=True):
        number = place[derivation.table]
        relation = relations(derivation, source_tables[number].spec)
        if relation is not None and derivation.kind is Kind.SUM:
            found.append(Derived(table, first_source + number, relation))
    return tuple(found)


def _rule(rule: Mapping[str, Any]) -> RuleApplied:
    return RuleApplied(rule["name"], rule["parameters"], rule["paragraph"])


def _expression(derivation: Derivation, release: Release) -> RuleApplied:
    """Return an expression as the manifest declares it, in the words of a derivations file."""
    declared: dict[str, Any] = {
        "id": derivation.id,
        "title": derivation.title.as_dict(),
        "kind": derivation.kind.value,
        "table": derivation.table,
        "from_release": release.manifest["release"],
    }
    if derivation.select:
        declared["select"] = {name: list(codes) for name, codes in derivation.select}
    if derivation.denominator:
        declared["denominator"] = dict(derivation.denominator)
    if derivation.lag:
        declared["lag"] = derivation.lag
    if derivation.decimals:
        declared["decimals"] = derivation.decimals
    return RuleApplied(EXPRESSION, declared, "4")
