"""What a `PROBLEM.yaml` asks: plain data, read strictly, so that nothing that was written is overlooked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from enclave.errors import RequestError
from enclave.policy.strict_yaml import read
from enclave.sdc.contributions import ContributionRules
from enclave.sdc.need import Need, NeedKind
from enclave.sdc.safety_rules import MarkMode, Zeros
from enclave.wiring.protect_tables.csv_file import text_of
from enclave.wiring.protect_tables.entries import Entries
from enclave.wiring.protect_tables.rules import read_need, read_rules

NO_COUNT_RULE = "needs minimum_frequency among the rules"


class Weight(StrEnum):
    """What hiding one more cell costs."""

    UNIT = "unit"
    COUNT = "count"
    LOG_COUNT = "log_count"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class TableSource:
    """Where one table stands, and what its columns mean; None for a column that is not given."""

    id: str
    file: Path
    dimensions: Mapping[str, tuple[Path, ...]]
    total: Mapping[str, str]
    value: str
    count: str | None
    largest: str | None
    second: str | None
    holdings: str | None
    primary: str | None

    @property
    def counts(self) -> bool:
        """Whether the figure is itself a count: its own column counts, or nothing says that it is a sum."""
        return self.count == self.value or (self.count is None and self.largest is None and self.second is None)


@dataclass(frozen=True, slots=True)
class ProblemFile:
    """Everything that the file says."""

    tables: tuple[TableSource, ...]
    rules: ContributionRules
    need: Need
    zeros: Zeros
    mark: MarkMode
    weights: Weight
    history: tuple[Path, ...]
    work_limit: int | None
    time_limit_s: float | None
    sha256: str

    @property
    def of_counts(self) -> bool:
        """Whether the need is that of counts, so that `sdc.protection` decides."""
        return self.need.kind is NeedKind.THRESHOLD


def read_problem(path: Path) -> ProblemFile:
    """Read a problem; PolicyError or RequestError with file and line for what is refused."""
    document = read(path.name, text_of(path))
    entries = Entries(document, document.data, ())
    entries.only(
        "tables", "rules", "primary", "need", "zeros", "mark", "weights", "history", "work_limit", "time_limit_s"
    )
    rules, in_rules = read_rules(entries)
    flag = entries.text("primary") or in_rules
    tables = tuple(_table(entry, path.parent, flag) for entry in entries.each("tables"))
    problem = ProblemFile(
        tables=tables,
        rules=rules,
        need=read_need(entries),
        zeros=entries.choice("zeros", Zeros, Zeros.SHOW_OR_SECONDARY),
        mark=entries.choice("mark", MarkMode, MarkMode.ONE),
        weights=entries.choice("weights", Weight, Weight.LOG_COUNT),
        history=tuple(path.parent / folder for folder in entries.texts("history")),
        work_limit=entries.whole("work_limit"),
        time_limit_s=entries.seconds("time_limit_s"),
        sha256=document.sha256,
    )
    _check(problem, entries)
    return problem


def _table(entry: Entries, folder: Path, flag: str | None) -> TableSource:
    entry.only("id", "file", "dimensions", "total", "value", "count", "largest", "second", "holdings", "primary")
    dimensions = entry.inside("dimensions")
    lists = {name: tuple(folder / file for file in dimensions.texts(name)) for name in dimensions.names()}
    if not lists or not all(lists.values()):
        raise entry.error("dimensions", "name at least one dimension, each with at least one code list")
    total = entry.inside("total") if entry.has("total") else None
    named = {} if total is None else {name: total.needed(name) for name in total.names()}
    if set(named) - set(lists):
        raise entry.error("total", "a total is named for something that is no dimension of this table")
    return TableSource(
        id=entry.needed("id"),
        file=folder / entry.needed("file"),
        dimensions=lists,
        total=named,
        value=entry.needed("value"),
        **{name: entry.text(name) for name in ("count", "largest", "second", "holdings")},
        primary=entry.text("primary") or flag,
    )


def _check(problem: ProblemFile, entries: Entries) -> None:
    """Refuse what is whole in its parts but makes no sense together."""
    if not problem.tables:
        raise entries.error("tables", "give at least one table")
    ids = [table.id.lower() for table in problem.tables]
    if len(set(ids)) != len(ids):
        raise entries.error("tables", "each table needs an id of its own, in lower case too")
    if problem.rules == ContributionRules() and not any(table.primary for table in problem.tables):
        raise entries.error("rules", "give at least one rule, or `primary:` with the column that marks primary cells")
    if problem.work_limit is not None and problem.time_limit_s is not None:
        raise entries.error("time_limit_s", "give work_limit or time_limit_s, not both")
    if problem.of_counts:
        if problem.rules.minimum_frequency is None:
            raise entries.error("need", f"a need of kind threshold {NO_COUNT_RULE}")
        if not all(table.counts for table in problem.tables):
            raise entries.error("need", "threshold is a need of counts; for sums choose interval or exact")
    for table in problem.tables:
        _check_columns(problem.rules, table, entries)


def _check_columns(rules: ContributionRules, table: TableSource, entries: Entries) -> None:
    wanted = {
        "largest": rules.largest_needed > 0,
        "second": rules.largest_needed > 1,
        "holdings": rules.minimum_holdings is not None,
        "count": rules.minimum_frequency is not None and not table.counts,
    }
    for name, needed in wanted.items():
        if needed and getattr(table, name) is None:
            message = f"{entries.document.place(('tables',))}: table '{table.id}' lacks `{name}:`, which a rule needs"
            raise RequestError("PROBLEM_COLUMN", message)
