"""From policy and protected tables to what a release says, and to the package that checkers approve."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from enclave import __version__
from enclave.errors import RequestError
from enclave.gateway.binding import Package
from enclave.gateway.canonical import NO_HEAD
from enclave.ledger.manifest import manifest
from enclave.ledger.release_content import (
    AttackerRun,
    MarkMeaning,
    PolicyReference,
    ReleaseContent,
    ReleaseTable,
    RuleApplied,
    Stage,
)
from enclave.ledger.release_files import render
from enclave.policy.base import Label
from enclave.policy.model import Policy
from enclave.sdc.protection import Protection
from enclave.sdc.safety_rules import MarkMode, Rules, Weights, Zeros
from enclave.sdc.table import Mark, ProtectedTable
from enclave.sdc.words import Words
from enclave.wiring.ports import manifest_body, now
from enclave.wiring.reference import Reference

OUTSIDER = "outsider"


def policy_year(reference: Reference, project: str) -> tuple[Policy, int]:
    """Return the policy and the year that a project such as "advice-17-17-2016" stands for."""
    policy_id, _, year = project.rpartition("-")
    if not year.isdigit():
        raise RequestError("PROJECT", f"'{project}' is not a policy and a year, such as advice-17-17-2016")
    return reference.policy(policy_id), int(year)


def sdc_rules(policy: Policy) -> Rules:
    """Return the policy's rules as the engine takes them."""
    rules = policy.rules
    return Rules(
        minimum_frequency=rules.minimum_frequency.value,
        zeros=Zeros(rules.zeros.value),
        mark=MarkMode(rules.mark.value),
        weights=Weights(rules.weights.value),
        structural=frozenset(frozenset(combination) for combination in rules.structural_zeros),
    )


def stage_one_content(
    reference: Reference, policy: Policy, year: int, protection: Protection, *, snapshot: str, synthetic: bool
) -> ReleaseContent:
    """Return what the release of a year's tables says."""
    titles = {table.id: _words(table.title) for table in policy.tables}
    requester = policy.actors.requester.name
    return ReleaseContent(
        project=policy.project_id(year),
        stage=Stage.INSIDE,
        title=Words(*(f"{name}: {policy.numbers.decision} ({year})" for name in _words(requester).all)),
        policy=policy_reference(policy),
        tables=tuple(ReleaseTable(table, titles[table.spec.id]) for table in protection.tables),
        names={variable.id: _words(variable.label) for variable in policy.variables},
        labels={variable.id: labels(reference, variable.codelist) for variable in policy.variables},
        marks=mark_meanings(reference, policy, protection.marks),
        rules=rules_applied(policy),
        attackers=(AttackerRun(OUTSIDER, protection.attacked, protection.verdict.passed),),
        data_snapshot=snapshot,
        tools=tools(),
        synthetic=synthetic,
    )


def policy_reference(policy: Policy) -> PolicyReference:
    """Return how a release names its policy."""
    numbers = policy.numbers
    return PolicyReference(policy.id, numbers.dossier, numbers.decision, policy.version, policy.sha256)


def labels(reference: Reference, codelist: str) -> dict[str, Words]:
    """Return the words for each code of a code list."""
    return {row.code: Words(row.label_nl, row.label_fr, row.label_en) for row in reference.codelists[codelist].rows}


def mark_meanings(reference: Reference, policy: Policy, marks: Sequence[Mark]) -> tuple[MarkMeaning, ...]:
    """Return the legend. The fallback's single mark takes the first words: it says no more than they do."""
    legend = policy.legend(reference.house)
    first = next(iter(legend.values()))
    return tuple(MarkMeaning(mark, _words(legend.get(mark.code, first))) for mark in marks)


def rules_applied(policy: Policy) -> tuple[RuleApplied, ...]:
    """Return the policy's rules with the paragraphs that they rest on."""
    rules = policy.rules
    named: Mapping[str, tuple[int | str, str]] = {
        "minimum_frequency": (rules.minimum_frequency.value, rules.minimum_frequency.paragraph),
        "zeros": (rules.zeros.value, rules.zeros.paragraph),
        "mark": (rules.mark.value, rules.mark.paragraph),
        "need": (rules.need.value, rules.need.paragraph),
        "weights": (rules.weights.value, rules.weights.paragraph),
        "output_checkers": (policy.output_checkers.value, policy.output_checkers.paragraph),
    }
    return tuple(RuleApplied(name, {"value": value}, paragraph) for name, (value, paragraph) in named.items())


def tools() -> dict[str, str]:
    """Return the versions of the programs that made a release."""
    return {"enclave": __version__} | {name: version(name) for name in ("highspy", "numpy", "scipy")}


def package_of(content: ReleaseContent) -> Package:
    """Return the package: every file, and what of the manifest is known before the release."""
    files = render(content)
    provisional = manifest(content, files, release_id="r", created=now(), approvals=(), log_head=NO_HEAD)
    return Package(files, manifest_body(provisional))


def pattern_digest(tables: Sequence[ProtectedTable]) -> str:
    """Return the SHA-256 of which cells are hidden."""
    digest = hashlib.sha256()
    for table in tables:
        digest.update(f"{table.spec.id} {table.spec.shape};".encode())
        digest.update("".join(table.marks.ravel().tolist()).encode())
    return digest.hexdigest()


def _words(label: Label) -> Words:
    return Words(label.nl, label.fr, label.en)
