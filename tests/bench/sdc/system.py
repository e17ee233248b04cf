"""One linked system, as every tool gets it: cells, equations, primary cells with their needs, and what may be hidden.

A pattern, whoever made it, is judged by the engine's attacker on all that it would leave public.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from enclave.sdc.capacity import Pattern
from enclave.sdc.history import History
from enclave.sdc.judgement import judge
from enclave.sdc.lower_bound import lower_bound
from enclave.sdc.need import Target
from enclave.sdc.protection import Protection
from enclave.sdc.safety_rules import Rules, Weights, information, sensitive
from enclave.sdc.situation import Situation
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge, Table


@dataclass(frozen=True, eq=False)
class System:
    """The cells of some tables: `primary` must be hidden, `fixed` never is, every other one may be."""

    tables: tuple[Table, ...]
    rules: Rules
    matrix: sparse.csr_array
    values: Ints
    ids: tuple[Ints, ...]
    primary: Bools
    fixed: Bools

    @classmethod
    def of(cls, tables: Sequence[Table], rules: Rules) -> "System":
        """Link tables that nothing was released of before."""
        found = Situation.of(tables, rules, History(), joint=False)
        primary = sensitive(found.values, found.structural, rules)
        fixed = found.known | ((found.values == 0) & ~primary & (rules.least_hidden > 0))
        return cls(tuple(tables), rules, found.matrix, found.values, found.ids, primary, fixed)

    @cached_property
    def bound(self) -> int:
        """How many cells any safe pattern hides beside the primary ones, at least."""
        up = np.where(self.primary, self.rules.minimum_frequency - self.values, 0)
        target = Target(self.values, up, np.zeros_like(up))
        return lower_bound(Pattern(self.matrix, self.primary, self.fixed, target))

    def hidden_by(self, protection: Protection) -> Bools:
        """Return the engine's pattern over these cells."""
        hidden = np.zeros(len(self.values), dtype=np.bool_)
        for cells, table in zip(self.ids, protection.tables, strict=True):
            hidden[cells[~table.shown]] = True
        return hidden

    def secondary(self, hidden: Bools) -> int:
        """How many cells a pattern hides beside the primary ones."""
        return int(np.count_nonzero(hidden & ~self.primary))

    def lost(self, hidden: Bools) -> float:
        """Return the information in the secondary cells, by the logarithm of their counts, as a share of all."""
        weight = information(self.values, Rules(weights=Weights.LOG_COUNT))
        return float(weight[hidden & ~self.primary].sum() / weight[~self.primary].sum())

    def unproven(self, hidden: Bools) -> int:
        """How many hidden cells the attacker can show to be below the threshold, or cannot prove to be safe."""
        low = np.where(hidden, self.rules.least_hidden, 0)
        high = np.full(len(self.values), NO_UPPER, dtype=np.int64)
        rhs = np.zeros(self.matrix.shape[0], dtype=np.int64)
        public = np.where(hidden, 0, self.values)
        knowledge = Knowledge(self.matrix, rhs, ~hidden, public, low, high)
        nobody = np.zeros(len(self.values), dtype=np.bool_)
        return len(judge(knowledge, nobody, self.rules).verdict.unproven)
