"""Attacking again what is already decided: before a commit, and whenever anybody asks.

Nothing is proposed here. The pattern is taken as printed, all releases of a population are put together, and the
attacker has the last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from enclave.sdc.attacker import NO_DEPTH, Verdict, Witness, attack
from enclave.sdc.history import History, Released
from enclave.sdc.protection import Run, needs
from enclave.sdc.safety_rules import Rules
from enclave.sdc.situation import Situation
from enclave.sdc.table import NO_UPPER, Ints, Knowledge, ProtectedTable


@dataclass(frozen=True, eq=False)
class Derived:
    """A derived table of counts, such as sums: its cells are `relation @` the cells of table `source`."""

    table: ProtectedTable
    source: int
    relation: sparse.csr_array


def attack_together(
    released: Sequence[Released],
    rules: Rules,
    derived: Sequence[Derived] = (),
    *,
    hints: Sequence[Witness] = (),
    run: Run = map,
) -> tuple[Verdict, int]:
    """Attack everything printed, all at once; return the verdict and how many cells had a need.

    `derived` are tables of a second stage worked out from `released`; they enter as further cells and equations.
    `hints` are witnesses of an earlier attack on `released`, believed only where they still fit.
    """
    situation = Situation.of((), rules, History(tuple(released)))
    hidden = (situation.withheld | situation.latent) & ~(situation.known & situation.latent)
    knowledge = Knowledge(
        situation.matrix,
        np.zeros(situation.matrix.shape[0], dtype=np.int64),
        ~hidden,
        np.where(hidden, 0, situation.values),
        situation.low,
        situation.high,
    )
    reach, depth = needs(hidden, knowledge.lower, knowledge.upper, situation.latent, rules)
    for part in derived:
        hints = [_extended(hint, knowledge, situation.registry.ids(part.source), part) for hint in hints]
        knowledge = _with_derived(knowledge, situation.registry.ids(part.source), part)
        reach = np.concatenate([reach, np.where(part.table.shown.ravel(), 0, rules.minimum_frequency)])
        depth = np.concatenate([depth, np.full(part.table.values.size, NO_DEPTH, dtype=np.int64)])
    verdict = attack(knowledge, reach, depth, hints=hints, run=run)
    return verdict, int(np.count_nonzero((reach > 0) | (depth != NO_DEPTH)))


def _with_derived(knowledge: Knowledge, ids: Ints, part: Derived) -> Knowledge:
    """Append the derived cells, and one equation for each that ties it to the cells it was worked out from."""
    cells, new = len(knowledge.values), part.table.values.size
    relation = sparse.coo_array(part.relation)
    columns = ids.ravel()[relation.coords[1]]
    operands = sparse.csr_array((relation.data, (relation.coords[0], columns)), shape=(new, cells))
    own = -sparse.eye_array(new, dtype=np.int64, format="csr")
    above = sparse.hstack([knowledge.matrix, sparse.csr_array((knowledge.matrix.shape[0], new), dtype=np.int64)])
    matrix = sparse.csr_array(sparse.vstack([above, sparse.hstack([operands, own])], format="csr"))
    shown = part.table.shown.ravel()
    return Knowledge(
        matrix,
        np.concatenate([knowledge.rhs, np.zeros(new, dtype=np.int64)]),
        np.concatenate([knowledge.public, shown]),
        np.concatenate([knowledge.values, part.table.values.ravel()]),
        np.concatenate([knowledge.lower, np.zeros(new, dtype=np.int64)]),
        np.concatenate([knowledge.upper, np.full(new, NO_UPPER, dtype=np.int64)]),
    )


def _extended(hint: Witness, knowledge: Knowledge, ids: Ints, part: Derived) -> Witness:
    """Work the hidden derived cells out that a witness reaches: those whose operands it moves."""
    table = knowledge.values.copy()
    table[hint.cells] = hint.values
    moved = np.zeros(len(table), dtype=np.int64)
    moved[hint.cells] = 1
    own = np.flatnonzero((abs(part.relation) @ moved[ids.ravel()] > 0) & ~part.table.shown.ravel())
    figures = (part.relation @ table[ids.ravel()])[own]
    return Witness(np.concatenate([hint.cells, len(table) + own]), np.concatenate([hint.values, figures]))
