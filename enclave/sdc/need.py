"""Needs of sums: how far from its value a primary cell must still be able to be, and the proof that it can.

A need is an amount up and an amount down for each cell. Its proof is the attacker's: a table that agrees with all that
is public and in which the cell lies that far off. The attacker is asked about *deviations* from the true table, which
are of the size of the needs whatever the size of the figures. This changes nothing about what it must find, since a
table fits what is public exactly when its deviation from one that fits has all sums zero; and the certificate is
checked in exact integers as ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

import numpy as np

from enclave.errors import EnclaveBug, RequestError
from enclave.sdc.attacker import NO_DEPTH, Verdict, Witness, attack
from enclave.sdc.judgement import what_follows
from enclave.sdc.table import NO_UPPER, Bools, Ints, Knowledge

_WHOLE = 100


class NeedKind(StrEnum):
    """What nobody may be able to show."""

    THRESHOLD = "threshold"
    """Of no hidden cell: that it is below the minimum frequency. For counts."""
    INTERVAL = "interval"
    """Of a primary cell: that it lies nearer to its value than a percentage of it, above or below."""
    EXACT = "exact"
    """Of a primary cell: what it is."""


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of need; `percent` is that of an interval and None for other kinds."""

    kind: NeedKind
    percent: Fraction | None = None

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.kind is NeedKind.INTERVAL):
            raise RequestError("NEED_PERCENT", "a need of kind interval has a percent, other kinds have none")
        if self.percent is not None and self.percent <= 0:
            raise RequestError("NEED_PERCENT", "the percent of a need must be above 0")

    def amounts(self, values: Ints, wanting: Bools) -> tuple[Ints, Ints]:
        """Return how far up and how far down each cell must be able to be; 0: no need.

        An interval never comes down to nothing: a primary cell is in no case exactly known. One amount up is enough to
        make a cell uncertain, so that alone is asked where no more than that is needed.
        """
        if self.percent is None:
            return wanting.astype(np.int64), np.zeros(values.shape, dtype=np.int64)
        share = self.percent / _WHOLE
        exact = abs(values).astype(object) * share.numerator
        up = np.maximum(-(-exact // share.denominator), 1).astype(np.int64)
        return np.where(wanting, up, 0), np.where(wanting & (values != 0), up, 0)


@dataclass(frozen=True, eq=False)
class Target:
    """Cells with their true values, and how far from these each must still be able to be."""

    values: Ints
    up: Ints
    down: Ints

    @property
    def cells(self) -> Bools:
        """The cells that need anything."""
        return np.asarray((self.up > 0) | (self.down > 0))


def attack_target(knowledge: Knowledge, target: Target, hints: Sequence[Witness] = ()) -> Verdict:
    """Let the attacker loose on what is public, given what it must fail to rule out; needs of public cells fail.

    `hints` are witnesses as deviations from the truth. The verdict's witnesses are deviations too.
    """
    followed = what_follows(knowledge)
    values = target.values
    if np.any(followed.matrix @ values != followed.rhs) or np.any((followed.values != values)[followed.public]):
        raise EnclaveBug("TARGET", "what is public does not agree with the truth; nothing may be released")
    upper = np.where(followed.upper == NO_UPPER, NO_UPPER, followed.upper - values)
    shifted = replace(
        followed,
        rhs=np.zeros_like(followed.rhs),
        values=np.zeros_like(values),
        lower=followed.lower - values,
        upper=upper,
    )
    reach = np.where(followed.public, 0, target.up)
    depth = np.where(followed.public | (target.down == 0), NO_DEPTH, -target.down)
    verdict = attack(shifted, reach, depth, hints=hints)
    _check_lowered(depth, verdict)
    lost = np.flatnonzero(followed.public & target.cells).tolist()
    if not lost:
        return verdict
    return replace(verdict, passed=False, unproven=tuple(sorted({*verdict.unproven, *lost})))


def _check_lowered(depth: Ints, verdict: Verdict) -> None:
    """Check that some witness lowers each cell as far as it must; `attack` certified the witnesses and all lifts."""
    lowest = np.zeros_like(depth)
    for witness in verdict.witnesses:
        lowest[witness.cells] = np.minimum(lowest[witness.cells], witness.values)
    needing = np.flatnonzero(depth != NO_DEPTH)
    missing = needing[lowest[needing] > depth[needing]]
    if not set(missing.tolist()) <= set(verdict.unproven):
        raise EnclaveBug("CERTIFICATE", "a witness does not lower what it should; nothing may be released")
