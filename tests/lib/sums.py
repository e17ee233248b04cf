"""Sums protected in a test, and the third opinion on them: every table that fits is tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np

from enclave.sdc.capacity import Pattern
from enclave.sdc.history import History
from enclave.sdc.lower_bound import lower_bound
from enclave.sdc.need import Need, NeedKind
from enclave.sdc.protection import Protection
from enclave.sdc.safety_rules import Rules, Zeros
from enclave.sdc.sums import Sums, protect_sums
from enclave.sdc.table import Bools, CellKey, Mark, ProtectedTable, Table
from enclave.sdc.work import Work
from tests.lib.brute_force import Budget, Explorer, broken, intervals, set_up
from tests.lib.safety import places
from tests.lib.tables import hide

TEN_PERCENT = Need(NeedKind.INTERVAL, Fraction(10))
EXACT = Need(NeedKind.EXACT)


@dataclass(frozen=True, eq=False)
class Asked:
    """A request for sums, with what was made of it."""

    tables: tuple[Table, ...]
    primary: tuple[Bools, ...]
    need: Need
    sums: Sums
    protection: Protection

    @property
    def secondary(self) -> int:
        """How many cells are hidden beside the primary ones, each counted once."""
        hidden = {key for t in self.protection.tables for place, key in places(t.spec) if not t.shown[place]}
        return len(hidden - self.primary_keys)

    @property
    def primary_keys(self) -> set[CellKey]:
        return {
            key
            for table, here in zip(self.tables, self.primary, strict=True)
            for place, key in places(table.spec)
            if here[place]
        }

    @property
    def bound(self) -> int:
        sums = self.sums
        return lower_bound(Pattern(sums.situation.matrix, sums.must, sums.situation.known, sums.target))


def ask_sums(
    *tables: Table,
    primary: Sequence[Bools],
    need: Need = TEN_PERCENT,
    zeros: Zeros = Zeros.SHOW_OR_SECONDARY,
    history: History | None = None,
    work: int | None = None,
) -> Asked:
    """Protect tables of sums."""
    rules = Rules(1, zeros)
    weights = [np.ones(table.spec.shape) for table in tables]
    sums = Sums.of(tables, primary=primary, weights=weights, need=need, rules=rules, history=history or History())
    return Asked(tables, tuple(primary), need, sums, protect_sums(sums, tables, rules, Work(work)))


def wanted(tables: Sequence[Table], keys: set[CellKey], need: Need) -> dict[CellKey, tuple[int, int]]:
    """How low and how high each primary cell must be able to be, worked out anew."""
    found = {}
    for table in tables:
        for place, key in places(table.spec):
            if key in keys:
                value = int(table.values[place])
                if need.percent is None:
                    found[key] = (value, value + 1)
                else:
                    amount = max(1, -int(-(value * need.percent) // 100))
                    found[key] = (max(0, value - amount), value + amount)
    return found


def leaks(printed: Sequence[ProtectedTable], marks: Sequence[Mark], asked: Asked) -> list[CellKey]:
    """Primary cells whose need is not met, by trying every table that fits."""
    puzzle = set_up(printed, [marks] * len(printed))
    return list(broken(Explorer(puzzle, Budget(200_000)), wanted(asked.tables, asked.primary_keys, asked.need)))


def assert_sums_safe(asked: Asked) -> None:
    """Fail unless the pattern holds in the attacker's and in the third opinion, and shown figures are true."""
    protection = asked.protection
    assert protection.verdict.passed
    for table, printed, here in zip(asked.tables, protection.tables, asked.primary, strict=True):
        assert not np.any(printed.shown & here), "a primary cell is shown"
        assert np.array_equal(printed.values, np.where(printed.shown, table.values, 0))
    assert leaks(protection.tables, protection.marks, asked) == []


def fewest(asked: Asked) -> int:
    """The least number of secondary cells of any pattern that meets the need, by trying every pattern."""
    primary = asked.primary_keys
    least = asked.protection.marks[0].minimum or 0
    others = list(
        dict.fromkeys(
            key
            for table in asked.tables
            for place, key in places(table.spec)
            if key not in primary and table.values[place] >= least
        )
    )
    for number in range(len(others) + 1):
        for chosen in combinations(others, number):
            hidden = primary | set(chosen)
            printed = [
                hide(t, np.array([key in hidden for _, key in places(t.spec)]).reshape(t.spec.shape))
                for t in asked.tables
            ]
            if not leaks(printed, asked.protection.marks, asked):
                return number
    raise AssertionError("hiding everything is not safe")


def bounds_of(asked: Asked) -> dict[CellKey, tuple[int, int | None]]:
    """The interval of each hidden cell, by trying every table that fits."""
    return intervals(asked.protection.tables, [asked.protection.marks] * len(asked.tables))
