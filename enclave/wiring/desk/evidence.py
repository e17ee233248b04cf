"""Why each cell of a request is hidden, and what it could still be: for output checkers, and nobody else.

The truth and the proof are unsealed under the project's key. The interval of a cell spans the values that it takes in
the witnesses of the proof and in the truth: tables that agree with everything public, so that at least these values
cannot be ruled out. Witnesses that do not fit what is public any more are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enclave.gateway.records import HistoryEntry
from enclave.gateway.request import Request, Stage
from enclave.sdc.attacker import Witness
from enclave.sdc.history import History
from enclave.sdc.safety_rules import sensitive
from enclave.sdc.situation import Situation
from enclave.sdc.table import Bools, Ints
from enclave.wiring.content import policy_year, sdc_rules
from enclave.wiring.house import House


@dataclass(frozen=True, eq=False)
class TableEvidence:
    """Of each cell of a table: who is counted, whether the primary rule hides it, what it could at least be."""

    persons: Ints
    primary: Bools
    low: Ints
    high: Ints


def evidence_of(house: House, request: Request) -> Mapping[str, TableEvidence]:
    """Return the evidence for each table of a stage-1 request, by table id; nothing for stage 2, which has no truth."""
    if request.stage is not Stage.INSIDE:
        return {}
    truth = house.truth
    new = truth.read(request.project, request.binding.tables)
    witnesses = truth.proof(request.project, request.binding.tables)
    with house.book.view() as view:
        earlier = _before(view.history(), request)
    past = [released for entry in earlier for released in truth.read(entry.project, entry.package)]
    policy, _ = policy_year(house.reference, request.project)
    rules = sdc_rules(policy)
    situation = Situation.of((), rules, History((*past, *new)))
    low, high = _spans(situation, witnesses)
    primary = sensitive(situation.values, situation.structural, rules)
    found = {}
    for place, released in enumerate(new, start=len(past)):
        ids, hidden = situation.registry.ids(place), ~released.protected.shown
        found[released.table.spec.id] = TableEvidence(released.table.values, primary[ids] & hidden, low[ids], high[ids])
    return found


def _before(history: Sequence[HistoryEntry], request: Request) -> list[HistoryEntry]:
    """Return the stage-1 releases of the population that stood before this request's own, or that stand now."""
    own = [entry.seq for entry in history if entry.request == request.id]
    last = min(own, default=len(history) + 1)
    return [
        entry
        for entry in history
        if entry.seq < last and entry.population == request.population and entry.stage is Stage.INSIDE
    ]


def _spans(situation: Situation, witnesses: Sequence[Witness]) -> tuple[Ints, Ints]:
    """Return least and greatest value of each cell over the truth and the witnesses that fit, checked in integers."""
    low, high = situation.values.copy(), situation.values.copy()
    columns = situation.matrix.tocsc()
    for witness in witnesses:
        cells, values = witness.cells, witness.values
        if not cells.size or cells.max() >= len(low) or situation.public[cells].any():
            continue
        if np.any((values < situation.low[cells]) | (values > situation.high[cells])):
            continue
        if np.any(columns[:, cells] @ (values - situation.values[cells])):
            continue
        low[cells], high[cells] = np.minimum(low[cells], values), np.maximum(high[cells], values)
    return low, high


def hidden_by_kind(evidence: TableEvidence, shown: Bools) -> tuple[int, int]:
    """Return how many cells the primary rule hides, and how many are hidden to protect them."""
    primary = int(np.count_nonzero(evidence.primary))
    return primary, int(np.count_nonzero(~shown)) - primary
