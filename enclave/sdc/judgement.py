"""What every hidden cell needs, and the attacker's judgement of a pattern by these needs.

A pattern is judged by all that a reader holds (`judge`). Where a reader held something before a release already, the
release answers only for what it adds (`judge_what_is_new`): a cell that earlier knowledge bounds below the threshold
must stay exactly as uncertain as it was. Both start from `Knowledge` alone, so that whoever proposes a pattern and
whoever looks at it a second time, inside or outside, are held to the same needs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from enclave.sdc.attacker import NO_DEPTH, Verdict, Witness, attack, intervals
from enclave.sdc.safety_rules import MarkMode, Rules, Zeros
from enclave.sdc.table import Bools, Ints, Knowledge

Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Something like the builtin `map`, perhaps over several processes."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """The attacker's verdict, and how many cells had a need."""

    verdict: Verdict
    attacked: int

    @property
    def passed(self) -> bool:
        """Whether every need has a proof."""
        return self.verdict.passed


def needs(hidden: Bools, low: Ints, high: Ints, latent: Bools, rules: Rules) -> tuple[Ints, Ints]:
    """Return `reach` and `depth` per cell: what the attacker must fail to rule out about hidden cells.

    `low` and `high` are what marks, or earlier knowledge, say of each cell. A cell that nothing calls small or large
    could be at the threshold or above, latent cells included (those known to be empty are no longer hidden). Of a cell
    called small nobody may know more than that. A cell called large needs nothing. Under two marks a latent cell may
    lie inside one that is called small: it must be able to be as large as that mark allows.
    """
    threshold = rules.minimum_frequency
    small = hidden & (high < threshold)
    reach = np.where(hidden & (low < threshold), np.minimum(high, threshold), 0)
    if rules.mark is MarkMode.TWO:
        reach = np.where(latent, np.minimum(reach, threshold - 1), reach)
    return reach, np.where(small, low, np.full(low.shape, NO_DEPTH, dtype=np.int64))


def weakest_legend(rules: Rules) -> Rules:
    """Return the rules under which a mark says nothing at all but that the cell is hidden."""
    return replace(zeros_may_hide(rules), mark=MarkMode.ONE)


def zeros_may_hide(rules: Rules) -> Rules:
    """Return the rules under which a hidden cell may hold nobody."""
    return replace(rules, zeros=Zeros.SHOW_OR_SECONDARY) if rules.least_hidden else rules


def judge(
    knowledge: Knowledge, latent: Bools, rules: Rules, *, hints: Sequence[Witness] = (), run: Run = map
) -> Judgement:
    """Attack all that is not public. A latent cell known to be empty has no need, unless zeros are small themselves."""
    wanting = ~knowledge.public
    if latent.any() and not rules.zeros_are_small:
        followed = what_follows(knowledge)
        wanting &= ~(latent & followed.public & (followed.values == 0))
    while True:
        reach, depth = needs(wanting, knowledge.lower, knowledge.upper, latent, rules)
        verdict = attack(knowledge, reach, depth, hints=hints, run=run)
        empty = [] if rules.zeros_are_small else _empty(knowledge, np.flatnonzero(latent), verdict)
        if not empty:
            return Judgement(verdict, int(np.count_nonzero((reach > 0) | (depth != NO_DEPTH))))
        wanting = wanting.copy()
        wanting[empty] = False


def judge_what_is_new(
    before: Knowledge,
    after: Knowledge,
    latent: Bools,
    rules: Rules,
    *,
    hints: Sequence[Witness] = (),
    run: Run = map,
) -> Judgement:
    """Judge a release by what it adds: `after` holds it, `before` all but what it says, over the same cells.

    A cell whose need `before` alone leaves without a proof needs to be as uncertain as it was; every other one needs
    what it always needs, and no more: under two marks a part of a small count may come to hold all of it.
    """
    silent = what_follows(before)
    cells = np.array(judge(silent, latent, rules, run=run).verdict.unproven, dtype=np.int64)
    lower, upper = np.maximum(after.lower, silent.lower), np.minimum(after.upper, silent.upper)
    if cells.size:
        least, most = intervals(silent, cells.tolist()).T
        lower[cells], upper[cells] = np.maximum(lower[cells], least), np.minimum(upper[cells], most)
    public = after.public | silent.public
    values = np.where(after.public, after.values, silent.values)
    known = Knowledge(after.matrix, after.rhs, public, values, lower, upper)
    return judge(known, latent, rules, hints=hints, run=run)


def what_follows(knowledge: Knowledge) -> Knowledge:
    """Return the knowledge with what follows from it at once: the last cell of a sum, and the parts of nothing."""
    public, values = knowledge.public.copy(), np.where(knowledge.public, knowledge.values, 0)
    touching = abs(knowledge.matrix)
    while True:
        residual = knowledge.rhs - knowledge.matrix @ values
        unknown = touching @ (~public).astype(np.int64)
        parts_of_nothing = (residual == 0) & (knowledge.matrix @ (~public).astype(np.int64) == unknown)
        rows = np.flatnonzero((unknown == 1) | ((unknown > 0) & parts_of_nothing))
        if not rows.size:
            return replace(knowledge, public=public, values=values)
        entries = sparse.coo_array(knowledge.matrix[rows])
        of_row, columns = entries.coords
        open_here = ~public[columns]
        values[columns[open_here]] = (residual[rows][of_row] * entries.data)[open_here]
        public[columns[open_here]] = True


def _empty(knowledge: Knowledge, among: Ints, verdict: Verdict) -> list[int]:
    """Return the cells without a witness that can hold nobody at all."""
    cells = np.intersect1d(np.array(verdict.unproven, dtype=np.int64), among)
    return cells[intervals(knowledge, cells.tolist())[:, 1] == 0].tolist() if cells.size else []
