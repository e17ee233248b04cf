"""The whole job: read, protect, write, read back, attack, report."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from enclave.ledger.read_release import read_release
from enclave.sdc.earlier import Printed, completed
from enclave.sdc.lower_bound import lower_bound
from enclave.sdc.work import Work
from enclave.wiring.protect_tables.content import result_content
from enclave.wiring.protect_tables.engine import Outcome, protect_counts, protect_given_sums, safety_rules
from enclave.wiring.protect_tables.problem import ProblemFile, read_problem
from enclave.wiring.protect_tables.result import Attack, Seen, drop, keep, read_back, require_free, write_files
from enclave.wiring.protect_tables.tables import read_tables, scaled_results

WORK = 400_000
"""Steps of the solver where a problem names no limit."""


class TimedWork(Work):
    """Work that ends by the clock. Whether the clock ended it is kept, since the pattern is then another elsewhere."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._end = time.monotonic() + seconds
        self.stopped = False

    @property
    def used_up(self) -> bool:
        """Whether the time is over."""
        self.stopped = self.stopped or time.monotonic() >= self._end
        return self.stopped


@dataclass(frozen=True, slots=True)
class Report:
    """What `DIR.report.json` says. Cells are counted once, however many tables print them."""

    cells: int
    primary: int
    secondary: int
    lower_bound: int
    gap: float
    seconds: float
    deterministic: bool
    attack: Attack

    def json(self) -> str:
        """Return the report as text."""
        return json.dumps(asdict(self), indent=1) + "\n"


def protect_problem(path: Path, out: Path, say: Callable[[str], None]) -> Report:
    """Protect the tables of a problem and write the result to `out`, unless the attack on it finds anything.

    The report is written beside `out` in any case. Raises RequestError or PolicyError for input that cannot be.
    """
    start = time.monotonic()
    require_free(out)
    problem = read_problem(path)
    releases = [read_release(folder, None) for folder in problem.history]
    given = read_tables(problem, releases)
    earlier = scaled_results(releases, given.decimals)
    rules = safety_rules(problem, given)
    history = completed(given.tables, earlier, list(rules.structural), joint=problem.of_counts)
    work = _work(problem)
    say("looking for cells to hide")
    if problem.of_counts:
        outcome = protect_counts(given, rules, history, work)
    else:
        outcome = protect_given_sums(given, problem.need, rules, history, work)
    folder = out.absolute().with_name(f"{out.name}.partial")
    drop(folder)
    try:
        result: Printed = (outcome.protection.tables, outcome.protection.marks)
        if outcome.protection.verdict.passed:
            say("attacking what was written")
            write_files(folder, result_content(problem, given, outcome.protection))
            result = read_back(folder, given.decimals, outcome.protection)
        attack = outcome.attack(Seen(earlier, result, outcome.protection.primary))
        report = _report(outcome, attack, time.monotonic() - start, work)
        out.absolute().with_name(f"{out.name}.report.json").write_text(report.json(), encoding="utf-8")
        if attack.passed and outcome.protection.verdict.passed:
            keep(folder, out)
    finally:
        drop(folder)
    return report


def _work(problem: ProblemFile) -> Work:
    if problem.time_limit_s is not None:
        return TimedWork(problem.time_limit_s)
    return Work(WORK if problem.work_limit is None else problem.work_limit)


def _report(outcome: Outcome, attack: Attack, seconds: float, work: Work) -> Report:
    hidden, primary = outcome.hidden, outcome.primary
    secondary = int(np.count_nonzero(hidden & ~primary))
    forced = int(np.count_nonzero(outcome.pattern.must & ~primary & outcome.requested))
    bound = min(secondary, forced + lower_bound(outcome.pattern))
    return Report(
        cells=int(np.count_nonzero(outcome.requested)),
        primary=int(np.count_nonzero(primary)),
        secondary=secondary,
        lower_bound=bound,
        gap=round((secondary - bound) / secondary, 4) if secondary else 0.0,
        seconds=round(seconds, 3),
        deterministic=not (isinstance(work, TimedWork) and work.stopped),
        attack=attack,
    )
