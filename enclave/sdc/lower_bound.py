"""How many cells any safe pattern must hide beside the primary ones: a proved bound, never above the optimum.

The bound is the least number of cells by the linear relaxation of the inequalities of `capacity.py`, which every safe
pattern satisfies. The solver only proposes multipliers of the inequalities; what they prove is worked out in whole
numbers, with every rounding on the safe side.
"""

import numpy as np

from enclave.sdc.capacity import UNIT, Pattern, relaxation


def lower_bound(pattern: Pattern) -> int:
    """Return the number of cells beyond `must` that every pattern which meets the target hides, or fewer."""
    found = relaxation(pattern, np.ones(len(pattern.must)))
    multipliers = [max(0, int(price * UNIT)) for price in found.prices.tolist()]
    paid = dict.fromkeys(found.cells.tolist(), 0)
    for cut, multiplier in zip(found.cuts, multipliers, strict=True):
        for cell, part in cut if multiplier else ():
            paid[cell] += part * multiplier
    total = sum(multipliers) * UNIT + sum(min(0, UNIT * UNIT - each) for each in paid.values())
    return max(0, -(-total // (UNIT * UNIT)))
