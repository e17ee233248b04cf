"""A project as one works on it: what it is for, its codebook, its data and tables, and the way out."""

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dask.dataframe as dd
import pandas as pd

from . import html
from .codebook import Codebook
from .counting import count_persons
from .data import PERIOD, quarters
from .derive import derive
from .errors import InputError, LockedError, RefusedError
from .figures import Selection, chosen_periods
from .gateway import Gateway
from .requests import Request, Requests
from .results import CHANGE, SHARE, SUM, Declaration, selected
from .table import Table, Tables
from .words import Words

OWN_FILES: Final = "ENCLAVE_OWN_FILES"
"""Variable that holds the folder of what stewards brought to this project."""
MICRODATA: Final = "microdata"
REQUEST_INSIDE: Final = "request_inside"
REQUEST_OUTSIDE: Final = "request_outside"

_MAY: Final[Mapping[str, str]] = {
    MICRODATA: "open the microdata of this project: project.data()",
    "tables": "open the tables released inside: project.table('t1')",
    REQUEST_INSIDE: "request the yearly tables (stage 1): project.request_release(purpose='...')",
    REQUEST_OUTSIDE: "request results (stage 2): project.request_release(results, purpose='...')",
}
_RAW_NOTES: Final = (
    "Counted here from the microdata: small counts are visible. Nothing of this may leave, not even by hand.",
    "project.request_release(purpose='...') asks for the checked tables.",
)
_NEVER_ZERO: Final = "In numbers a hidden figure is <NA>, never 0."
_FIRST_STEPS: Final = (
    "project.codebook                     # variables, codes, labels",
    "project.tables                       # the tables of the policy",
    "project.table('t1', period='...')    # one of them",
    "project.requests()                   # where requests stand",
)


@dataclass(frozen=True, slots=True)
class Result:
    """A declared result with its look ahead; `project.request_release([result], purpose=...)` sends the declaration."""

    declaration: Declaration
    table: Table

    @property
    def id(self) -> str:
        """The id of the result."""
        return self.declaration.id

    @property
    def numbers(self) -> pd.DataFrame:
        """The figures, laid out; what is hidden is <NA>."""
        return self.table.numbers

    @property
    def frame(self) -> pd.DataFrame:
        """One row per figure."""
        return self.table.frame

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


class Project:
    """A project, opened with `workbench.open()`. Show it to see what you may do."""

    def __init__(self, gateway: Gateway, facts: Mapping[str, Any], language: str) -> None:
        self._gateway = gateway
        self._facts = facts
        self.id: str = facts["id"]
        self.language = language
        self.title = Words.of(facts["title"], "the title")
        self.may = frozenset(facts["may"])
        self.periods: tuple[str, ...] = tuple(facts["periods"])
        self.is_synthetic = bool(facts["synthetic"])
        self.codebook = Codebook.of(facts["variables"], language)
        self._tables: dict[str, Mapping[str, Any]] = {entry["id"]: entry for entry in facts["tables"]}

    @property
    def purpose(self) -> str:
        """What the data may be used for, and for nothing else."""
        return _text(self._facts["purpose"], self.language)

    @property
    def tables(self) -> Tables:
        """The tables of the policy: id, title, dimensions, paragraph."""
        rows = [
            (name, _text(entry["title"], self.language), ", ".join(entry["dimensions"]), entry.get("paragraph", ""))
            for name, entry in self._tables.items()
        ]
        return Tables(pd.DataFrame(rows, columns=["id", "title", "dimensions", "paragraph"]))

    def data(self, period: str | Sequence[str] | None = None) -> dd.DataFrame:
        """Return the coded microdata as a Dask dataframe, one partition per quarter; for CBSS staff of the project.

        `period` is a quarter or a list of quarters; all without it. Nothing is fetched before something is computed.
        Columns: `person`, `TIME_PERIOD`, and the variables of the codebook with their finest codes.
        """
        self._check_open()
        if MICRODATA not in self.may:
            raise RefusedError(
                "NO_MICRODATA",
                "you may not open the microdata of this project: they are for CBSS staff; use project.table('t1')",
            )
        return quarters(self.id, chosen_periods(period, self.periods), self.codebook)

    def table(
        self,
        table: str,
        *,
        period: str | Sequence[str] | None = None,
        rows: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        where: Mapping[str, str] | None = None,
        levels: Mapping[str, int] | None = None,
        released: bool | None = None,
    ) -> Table:
        """Return a table, such as `project.table("t3", period="2010-Q1", rows=["sex"], columns=["region"])`.

        Who may open the microdata sees a *raw* count, made here and not checked; everybody else, or with
        `released=True`, the table as it was released inside, where a hidden figure is a mark and never 0.

        * `period`: a quarter or several; all without it.
        * `rows`, `columns`: dimensions; one that is named nowhere is at its total, or at its code of `where`.
        * `levels`: how deep, such as `{"position": 1}`: the total and the codes directly under it.
        """
        entry = self._entry(table)
        names = tuple(entry["dimensions"])
        periods = chosen_periods(period, self.periods)
        chosen = Selection.of(names, self.codebook, periods, rows=rows, columns=columns, where=where, levels=levels)
        is_raw = MICRODATA in self.may if released is None else not released
        figures = count_persons(self.data(periods), names, self.codebook) if is_raw else self._released(entry["id"])
        title = Words.of(entry["title"], "the title")
        notes = _RAW_NOTES if is_raw else self._legend()
        cells = chosen.cells(figures, names, self.codebook)
        return Table(entry["id"], title, cells, chosen, self.codebook, notes, is_raw, self.is_synthetic)

    def sum(
        self,
        id: str,  # noqa: A002  the policy's word
        *,
        table: str,
        select: Mapping[str, str | Sequence[str]],
        title: Mapping[str, str],
    ) -> Result:
        """Declare a sum over codes: `project.sum("at_work", table="t1", select={"position": ["1"]}, title=...)`.

        The dimensions of `select` leave the table. `title` needs nl, fr and en.
        """
        words, source = Words.of(title, "a title"), self._entry(table)["id"]
        return self._result(Declaration(id, words, SUM, source, selected(select)))

    def share(
        self,
        id: str,  # noqa: A002  the policy's word
        *,
        table: str,
        denominator: Mapping[str, str],
        title: Mapping[str, str],
        select: Mapping[str, str | Sequence[str]] | None = None,
        decimals: int = 1,
    ) -> Result:
        """Declare a share in percent: each figure divided by that at the codes of `denominator`.

        `project.share("position_share", table="t3", denominator={"position": "_T"}, title=...)` is the share of each
        position within sex and region.
        """
        words, source = Words.of(title, "a title"), self._entry(table)["id"]
        return self._result(Declaration(id, words, SHARE, source, selected(select), dict(denominator), 0, decimals))

    def change(
        self,
        id: str,  # noqa: A002  the policy's word
        *,
        table: str,
        title: Mapping[str, str],
        lag: int = 1,
        select: Mapping[str, str | Sequence[str]] | None = None,
    ) -> Result:
        """Declare a change: each figure less that of `lag` quarters earlier."""
        words, source = Words.of(title, "a title"), self._entry(table)["id"]
        return self._result(Declaration(id, words, CHANGE, source, selected(select), {}, lag))

    def request_release(self, results: Result | Iterable[Result] | None = None, *, purpose: str) -> Request:
        """Request a release and return it at once; `.wait()` follows the gateway's work.

        Without `results`: all tables of the policy for its quarters (stage 1, CBSS staff). With results: these (stage
        2, analysts). The gateway works everything out again; two output checkers decide, and read `purpose`.
        """
        self._check_open()
        if not purpose.strip():
            raise InputError("PURPOSE_MISSING", "say in `purpose` what the release is for; the output checkers read it")
        declared = [results] if isinstance(results, Result) else list(results or ())
        self._check_may(REQUEST_OUTSIDE if declared else REQUEST_INSIDE)
        ids = [result.id for result in declared]
        if len(set(ids)) != len(ids):
            raise InputError("RESULT_TWICE", "two results have the same id; give each its own")
        body: dict[str, Any] = {"stage": "outside" if declared else "inside", "purpose": purpose}
        if declared:
            body["results"] = [result.declaration.sent() for result in declared]
        answer = self._gateway.post("projects", self.id, "requests", body=body, key=uuid.uuid4().hex)
        return Request(self._gateway, job=str(answer["job"])).status()

    @property
    def files(self) -> list[str]:
        """The names of the scripts, notebooks and public tables that your steward brought to this project."""
        return sorted(path.name for path in own_files().iterdir() if not path.name.startswith("."))

    def file(self, name: str) -> Path:
        """Return where such a file stands: `pd.read_csv(project.file("areas.csv"))`. It cannot be changed there."""
        if name not in self.files:
            raise InputError("UNKNOWN_FILE", f"nothing of this name was brought here: '{name}'; look at project.files")
        return own_files() / name

    def requests(self) -> Requests:
        """Return the requests of this project that you may see."""
        listed = self._gateway.get("requests")
        return Requests(Request(self._gateway, facts=facts) for facts in listed if facts["project"] == self.id)

    def _entry(self, table: str) -> Mapping[str, Any]:
        found = self._tables.get(table.lower())
        if found is None:
            raise InputError("UNKNOWN_TABLE", f"the policy has no table '{table}'; it has {', '.join(self._tables)}")
        return found

    def _check_open(self) -> None:
        if self._facts["state"] == "locked":
            raise LockedError("HOUSE_LOCKED", "the house is locked; the key holder opens it, ask the operator")
        if self._facts["state"] == "closed":
            raise RefusedError("RETENTION_PASSED", "the day is here until which its data may be used; it is closed")

    def _check_may(self, what: str) -> None:
        if what not in self.may:
            other = REQUEST_INSIDE if what == REQUEST_OUTSIDE else REQUEST_OUTSIDE
            hint = f"; you may {_MAY[other]}" if other in self.may else ""
            raise RefusedError("NOT_YOUR_STAGE", f"you may not {_MAY[what].split(':')[0]} of this project{hint}")

    def _released(self, table: str) -> pd.DataFrame:
        self._check_open()
        figures: pd.DataFrame = self._gateway.arrow("projects", self.id, "tables", table).to_pandas()
        text = {name: "object" for name in figures.columns if name != "OBS_VALUE"}
        return figures.astype(text | {"OBS_VALUE": "Int64"})

    def _legend(self) -> tuple[str, ...]:
        marks = [f"{mark['code']}: {_text(mark['meaning'], self.language)}" for mark in self._facts["marks"]]
        return (*marks, _NEVER_ZERO)

    def _result(self, declaration: Declaration) -> Result:
        entry = self._tables[declaration.table]
        if declaration.kind not in self._facts["operations"]:
            allowed = ", ".join(self._facts["operations"])
            raise InputError("OPERATION_NOT_ALLOWED", f"the policy allows {allowed}, not {declaration.kind}")
        if declaration.id in self._tables:
            raise InputError("RESULT_ID", f"'{declaration.id}' is a table of the policy; choose another id")
        names = tuple(entry["dimensions"])
        declaration.check(names, self.codebook, self.periods)
        figures = derive(declaration, self._released(declaration.table), names)
        kept = tuple(name for name in names if name in figures.columns)
        periods = tuple(name for name in self.periods if name in set(figures[PERIOD]))
        layout = Selection(periods, kept, (PERIOD,))
        mark, meaning = declaration.legend
        notes = (
            "A look ahead, worked out here from the released table; the gateway does it again.",
            f"{mark}: {meaning.say(self.language)}",
            _NEVER_ZERO,
        )
        shown = (self.codebook, notes, False, self.is_synthetic, declaration.decimals)
        return Result(declaration, Table(declaration.id, declaration.title, figures, layout, *shown))

    def _lines(self) -> list[str]:
        numbers = self._facts["numbers"]
        lines = [f"decision {numbers['decision']}, dossier {numbers['dossier']}, year {self._facts['year']}"]
        lines += [f"purpose: {self.purpose}", f"quarters: {self.periods[0]} to {self.periods[-1]}"]
        return [*lines, f"state: {self._facts['state']}"]

    def _rights(self) -> list[str]:
        return [words for right, words in _MAY.items() if right in self.may]

    def __repr__(self) -> str:
        stamp = ["SYNTHETIC: made-up data, nobody's figures"] * self.is_synthetic
        rights = [f"  you may {words}" for words in self._rights()]
        return "\n".join((f"{self.id}: {self.title.say(self.language)}", *stamp, *self._lines(), *rights))

    def _repr_html_(self) -> str:
        return html.block(
            html.heading(f"{self.id}: {self.title.say(self.language)}"),
            html.stamp("SYNTHETIC: made-up data, nobody's figures") if self.is_synthetic else "",
            html.listing(self._lines()),
            html.paragraph("You may"),
            html.listing(self._rights()),
            html.paragraph("First steps"),
            html.code(_FIRST_STEPS),
            html.note("Only checked releases may leave. Nobody may try to find out who a person in the data is."),
        )


def own_files() -> Path:
    """Return the folder of what was brought to this project."""
    folder = os.environ.get(OWN_FILES)
    if not folder:
        raise InputError("NO_PROJECT", "this notebook has no project; open one from the hub's page and use it there")
    return Path(folder)


def _text(raw: object, language: str) -> str:
    """Return a text that the gateway tells in one language or in three."""
    return str(raw[language]) if isinstance(raw, Mapping) else str(raw)
