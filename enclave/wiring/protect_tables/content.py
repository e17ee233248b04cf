"""What the result of `enclave protect` says, in the release format, without signature, approvals or names."""

import secrets
from typing import TYPE_CHECKING

from enclave.ledger.release_content import (
    AttackerRun,
    Json,
    MarkMeaning,
    PolicyReference,
    ReleaseContent,
    ReleaseTable,
    RuleApplied,
    Stage,
)
from enclave.sdc.protection import HIDDEN_TO_PROTECT, Protection
from enclave.sdc.table import ProtectedTable
from enclave.sdc.words import Words
from enclave.wiring.content import OUTSIDER, tools
from enclave.wiring.protect_tables.problem import ProblemFile
from enclave.wiring.protect_tables.tables import Given

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = "protect"

ONE_MARK = Words(
    "niet gepubliceerd: vertrouwelijk, of verborgen om een vertrouwelijke cel te beschermen",
    "non publié : confidentiel, ou masqué pour protéger une cellule confidentielle",
    "not published: confidential, or hidden to protect a confidential cell",
)
PRIMARY = Words("niet gepubliceerd: vertrouwelijk", "non publié : confidentiel", "not published: confidential")
SECONDARY = Words(
    "niet gepubliceerd: verborgen om een vertrouwelijke cel te beschermen",
    "non publié : masqué pour protéger une cellule confidentielle",
    "not published: hidden to protect a confidential cell",
)
TITLE = Words("Beschermde tabellen", "Tableaux protégés", "Protected tables")
UNSIGNED = Words(
    "Dit resultaat is niet ondertekend: enkel de hashes in manifest.json kunnen worden nagegaan.",
    "Ce résultat n'est pas signé : seules les empreintes dans manifest.json peuvent être vérifiées.",
    "This result is not signed: only the hashes in manifest.json can be checked.",
)
COMMON_UNIT = Words(
    "Periode en eenheid zijn niet opgegeven (_Z).",
    "La période et l'unité ne sont pas indiquées (_Z).",
    "Period and unit are not stated (_Z).",
)


def result_content(problem: ProblemFile, given: Given, protection: Protection) -> ReleaseContent:
    """Return what the folder says; nothing in it tells which hidden cells are primary under one mark."""
    variables = given.classified.variables
    return ReleaseContent(
        project=PROJECT,
        stage=Stage.INSIDE,
        title=TITLE,
        policy=PolicyReference(PROJECT, "-", "PROBLEM.yaml", 1, problem.sha256),
        tables=tuple(
            ReleaseTable(_with_decimals(table, given.decimals), _same(table.spec.id)) for table in protection.tables
        ),
        names={variable.id: _same(name) for name, variable in variables.items()},
        labels={variables[name].id: labels for name, labels in given.classified.labels.items()},
        marks=_meanings(protection),
        rules=_rules(problem),
        attackers=(AttackerRun(OUTSIDER, protection.attacked, protection.verdict.passed),),
        data_snapshot=secrets.token_hex(16),
        tools=tools(),
        synthetic=False,
        notes=(UNSIGNED, COMMON_UNIT),
    )


def _same(text: str) -> Words:
    return Words(text, text, text)


def _with_decimals(table: ProtectedTable, decimals: int) -> ProtectedTable:
    return ProtectedTable(table.spec, table.values, table.marks, table.structural, decimals)


def _meanings(protection: Protection) -> tuple[MarkMeaning, ...]:
    two = len(protection.marks) > 1
    words = {mark.code: SECONDARY if mark.code == HIDDEN_TO_PROTECT else PRIMARY for mark in protection.marks}
    return tuple(MarkMeaning(mark, words[mark.code] if two else ONE_MARK) for mark in protection.marks)


def _rules(problem: ProblemFile) -> tuple[RuleApplied, ...]:
    """Return rules and need as they were applied; percentages are texts, since a manifest holds no fractions."""
    rules, need = problem.rules, problem.need
    named: dict[str, Mapping[str, Json]] = {"need": {"kind": need.kind.value}}
    if need.percent is not None:
        named["need"] = {"kind": need.kind.value, "percent": str(need.percent)}
    if rules.minimum_frequency is not None:
        named["minimum_frequency"] = {"value": rules.minimum_frequency}
    if rules.dominance is not None:
        named["dominance"] = {"n": rules.dominance.n, "k": str(rules.dominance.k)}
    if rules.p_percent is not None:
        named["p_percent"] = {"value": str(rules.p_percent)}
    if rules.minimum_holdings is not None:
        named["minimum_holdings"] = {"value": rules.minimum_holdings}
    named |= {"zeros": {"value": problem.zeros.value}, "mark": {"value": problem.mark.value}}
    named["weights"] = {"value": problem.weights.value}
    return tuple(RuleApplied(name, parameters, "-") for name, parameters in named.items())
