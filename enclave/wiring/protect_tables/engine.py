"""Which part of the engine decides: `sdc.protection` for the need of counts, `sdc.sums` for all others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from enclave.sdc.capacity import Pattern
from enclave.sdc.history import History
from enclave.sdc.need import Need, Target
from enclave.sdc.protection import Protection, protect
from enclave.sdc.safety_rules import Rules, Weights, Zeros, sensitive
from enclave.sdc.situation import Situation
from enclave.sdc.sums import Sums, protect_sums
from enclave.sdc.table import Bools
from enclave.sdc.work import Work
from enclave.wiring.protect_tables.problem import ProblemFile, Weight
from enclave.wiring.protect_tables.result import Attack, Seen
from enclave.wiring.protect_tables.tables import Given


@dataclass(frozen=True, eq=False)
class Outcome:
    """A protection, over the cells of the registry: those of the tables given, the hidden and the primary ones.

    `pattern` is what every safe pattern has in common; `attack` attacks the result as it was written.
    """

    protection: Protection
    requested: Bools
    hidden: Bools
    primary: Bools
    pattern: Pattern
    attack: Callable[[Seen], Attack]


def safety_rules(problem: ProblemFile, given: Given) -> Rules:
    """Return rules as the engine takes them. Under `structural`, combinations that files leave out are impossible."""
    structural = frozenset[frozenset[tuple[str, str]]]()
    if problem.zeros is Zeros.STRUCTURAL:
        structural = frozenset(
            frozenset(
                (variable.id, variable.codes[i]) for variable, i in zip(file.spec.dimensions, place[1:], strict=True)
            )
            for file in given.files
            for place in np.argwhere(file.absent).tolist()
        )
    weights = {Weight.UNIT: Weights.UNIT, Weight.LOG_COUNT: Weights.LOG_COUNT}.get(problem.weights, Weights.COUNT)
    return Rules(problem.rules.minimum_frequency or 1, problem.zeros, problem.mark, weights, structural)


def protect_counts(given: Given, rules: Rules, history: History, work: Work) -> Outcome:
    """Protect counts, so that of no hidden cell it can be shown that it is below the threshold."""
    protection = protect(given.tables, rules, history, also=given.primary, work=work)
    situation = Situation.of(given.tables, rules, history)
    primary = _over_cells(situation, protection.primary)
    small = sensitive(situation.values, situation.structural, rules) & primary & ~situation.known
    excused = protection.fallback or any(cells.any() for cells in protection.known_before)
    up = np.where(small & (not excused), rules.minimum_frequency - situation.values, 0)
    if len(protection.marks) > 1:
        up = np.maximum(up - 1, 0)
    target = Target(situation.values, up, np.zeros_like(up))
    return Outcome(
        protection,
        situation.requested,
        _over_cells(situation, tuple(~table.shown for table in protection.tables)),
        primary,
        _pattern(situation, target, primary, fixed=situation.known),
        lambda seen: seen.attack_counts(rules),
    )


def protect_given_sums(given: Given, need: Need, rules: Rules, history: History, work: Work) -> Outcome:
    """Protect sums, or counts by a need of their primary cells."""
    sums = Sums.of(given.tables, primary=given.primary, weights=given.weights, need=need, rules=rules, history=history)
    protection = protect_sums(sums, given.tables, rules, work)
    situation, target = sums.situation, sums.target
    return Outcome(
        protection,
        situation.requested,
        _over_cells(situation, tuple(~table.shown for table in protection.tables)),
        _over_cells(situation, protection.primary),
        Pattern(situation.matrix, sums.must, situation.known, target),
        lambda seen: seen.attack_sums(target, protection.verdict.witnesses),
    )


def _over_cells(situation: Situation, per_table: tuple[Bools, ...]) -> Bools:
    found = np.zeros(len(situation.values), dtype=np.bool_)
    for cells, here in zip(situation.ids, per_table, strict=True):
        found[cells[here]] = True
    return found


def _pattern(situation: Situation, target: Target, primary: Bools, fixed: Bools) -> Pattern:
    """Return what every pattern shares; latent cells are hidden in any case."""
    must = (primary | situation.withheld | situation.latent) & ~situation.known
    return Pattern(situation.matrix, must, fixed, target)
