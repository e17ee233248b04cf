"""Protecting sums: given primary cells and their need, find secondaries, and have the pattern attacked.

The counterpart of `protection.py` for needs that speak of primary cells alone. What a reader is taken to know is that
cells add up, along all hierarchies and across all tables and earlier results, and that no figure is negative.

No request is infeasible: where the proposer finds no witness, or its work is used up, all cells connected with the
trouble that are not known already are hidden. Only what earlier results show can then still break a need; the verdict
says so, and nothing may be published.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from enclave.sdc.attacker import Verdict, Witness
from enclave.sdc.history import History
from enclave.sdc.need import Need, Target, attack_target
from enclave.sdc.problem import Problem
from enclave.sdc.programs import Floats
from enclave.sdc.protection import FREE, HIDDEN, HIDDEN_TO_PROTECT, Protection
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.situation import Situation
from enclave.sdc.suppression import Proposal, propose
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge, Mark, ProtectedTable, Table
from enclave.sdc.work import Work


@dataclass(frozen=True, eq=False)
class Sums:
    """A request in one system with its history: which cells are primary, what they need, what hiding each costs."""

    situation: Situation
    primary: Bools
    target: Target
    weight: Floats
    least: int
    keep_zeros: bool

    @classmethod
    def of(
        cls,
        tables: Sequence[Table],
        *,
        primary: Sequence[Bools],
        weights: Sequence[Floats],
        need: Need,
        rules: Rules,
        history: History,
    ) -> "Sums":
        """Put the tables together. `primary` and `weights` are per table, in its shape; of `rules` only zeros count."""
        situation = Situation.of(tables, rules, history, joint=False)
        values = situation.values
        chosen, weight = np.zeros(len(values), dtype=np.bool_), np.ones(len(values))
        for cells, here, cost in zip(situation.ids, primary, weights, strict=True):
            chosen[cells[here]] = True
            weight[cells] = cost
        zero = (values == 0) & situation.requested
        if rules.zeros_are_small:
            chosen |= zero & ~situation.structural & ~situation.public
        target = Target(values, *need.amounts(values, chosen))
        keep_zeros = rules.zeros is Zeros.SHOW
        zero_hidden = bool(np.any(zero & (chosen | situation.withheld)))
        return cls(situation, chosen, target, weight, 0 if zero_hidden else rules.least_hidden, keep_zeros)

    @property
    def must(self) -> Bools:
        """The cells that every pattern hides."""
        return np.asarray((self.primary | self.situation.withheld) & ~self.situation.known)

    @property
    def fixed(self) -> Bools:
        """The cells that no pattern hides, or that hiding does not help."""
        zero = (self.situation.values == 0) & self.keep_zeros
        return np.asarray(self.situation.known | (zero & ~self.must))

    @property
    def lower(self) -> Ints:
        """What marks say that each cell is at least."""
        return np.maximum(np.where(self.situation.requested, self.least, 0), self.situation.low)

    def problem(self) -> Problem:
        """Return the proposer's problem."""
        situation, target = self.situation, self.target
        values, open_ = situation.values, ~situation.known
        return Problem(
            matrix=situation.matrix[situation.registry.basis],
            values=values,
            fixed=self.fixed,
            must=self.must,
            rank=np.where(values == 0, 2, 0),
            weight=self.weight,
            lower=self.lower,
            upper=situation.high,
            reach=np.where(open_ & (target.up > 0), values + target.up, 0),
            depth=np.where(open_ & (target.down > 0), values - target.down, NO_UPPER),
        )

    def attack(self, hidden: Bools, hints: Sequence[Witness] = ()) -> Verdict:
        """Attack a pattern."""
        situation = self.situation
        rhs = np.zeros(situation.matrix.shape[0], dtype=np.int64)
        shown = np.where(hidden, 0, situation.values)
        knowledge = Knowledge(situation.matrix, rhs, ~hidden, shown, self.lower, situation.high)
        return attack_target(knowledge, self.target, hints)


def protect_sums(sums: Sums, tables: Sequence[Table], rules: Rules, work: Work) -> Protection:
    """Decide what may be shown; the verdict has passed unless earlier results give a primary cell away."""
    proposal = propose(sums.problem(), work=work)
    hidden, fallback = proposal.hidden, bool(proposal.unmet.any())
    if fallback:
        hidden = hidden | sums.situation.around(np.flatnonzero(proposal.unmet).tolist())
        sums = replace(sums, least=0)
    verdict = sums.attack(hidden, _hints(sums, proposal))
    if not verdict.passed and not fallback:
        fallback, sums = True, replace(sums, least=0)
        hidden = hidden | sums.situation.around(verdict.unproven)
        verdict = sums.attack(hidden, _hints(sums, proposal))
    return _protection(sums, tables, hidden, rules, verdict, fallback=fallback)


def _hints(sums: Sums, proposal: Proposal) -> list[Witness]:
    """Return the proposer's witnesses as deviations from the truth."""
    values = sums.situation.values
    return [Witness(cells, table - values[cells]) for cells, tables in proposal.witnesses for table in tables]


def _protection(
    sums: Sums, tables: Sequence[Table], hidden: Bools, rules: Rules, verdict: Verdict, *, fallback: bool
) -> Protection:
    situation = sums.situation
    printed = (hidden | (situation.known & (sums.primary | situation.withheld))) & ~situation.public
    two = rules.mark is MarkMode.TWO
    codes = np.where(printed, np.where(sums.primary | (not two), HIDDEN, HIDDEN_TO_PROTECT), FREE)
    return Protection(
        tables=tuple(
            ProtectedTable(
                table.spec,
                np.where(printed[cells], 0, table.values),
                codes[cells],
                situation.structural[cells] & ~printed[cells],
            )
            for table, cells in zip(tables, situation.ids, strict=True)
        ),
        truth=tuple(tables),
        primary=tuple((sums.primary & printed)[cells] for cells in situation.ids),
        marks=tuple(Mark(code, sums.least, None) for code in ((HIDDEN, HIDDEN_TO_PROTECT) if two else (HIDDEN,))),
        verdict=verdict,
        attacked=int(np.count_nonzero(sums.target.cells)),
        fallback=fallback,
        known_before=tuple(np.zeros(table.spec.shape, dtype=np.bool_) for table in tables),
        known_elsewhere=(),
    )
