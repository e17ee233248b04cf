"""The report on a protection, for stewards. It stays inside: how many hidden cells are primary is never released.

The plot is drawn without a screen and without a clock, so the same figures give the same bytes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from enclave.errors import RequestError
from enclave.ledger.release_content import SYNTHETIC

_KINDS = (("shown", "#d9d9d9", ""), ("secondary", "#6baed6", "//"), ("primary", "#08519c", "xx"))

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
caption {{ text-align: left; font-weight: bold; padding: .3rem 0; }}
th, td {{ padding: .25rem .7rem; border-bottom: 1px solid #ccc; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p><strong>{stamp}For stewards only. Not part of any release.</strong></p>
<p>{verdict}</p>
{cells}
{plot}
{steps}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class CellCounts:
    """Cells of one table, or of all tables together with each shared cell counted once."""

    name: str
    cells: int
    primary: int
    secondary: int

    def __post_init__(self) -> None:
        if min(self.primary, self.secondary) < 0 or self.hidden > self.cells or not self.cells:
            raise RequestError("REPORT_COUNTS", f"the cells of '{self.name}' do not add up")

    @property
    def hidden(self) -> int:
        """Cells that carry a mark."""
        return self.primary + self.secondary

    @property
    def shown(self) -> int:
        """Cells that show a figure."""
        return self.cells - self.hidden


@dataclass(frozen=True, slots=True)
class ProtectionReport:
    """What one protection cost: cells per table and together, seconds per step, and what the attacker said."""

    title: str
    synthetic: bool
    tables: tuple[CellCounts, ...]
    together: CellCounts
    seconds: tuple[tuple[str, float], ...]
    cells_attacked: int
    attack_passed: bool
    deterministic: bool


def report_files(report: ProtectionReport) -> dict[str, bytes]:
    """Return `protection.html`, which holds the plot, and `protection.svg`, the plot by itself."""
    plot = _plot(report.tables)
    return {"protection.html": _page(report, plot).encode(), "protection.svg": plot.encode()}


def _page(report: ProtectionReport, plot: str) -> str:
    found = "found nothing" if report.attack_passed else "FOUND SOMETHING: nothing may be released"
    again = "the same" if report.deterministic else "not surely the same, since the clock stopped the search"
    return _PAGE.format(
        title=escape(report.title),
        stamp=f"{SYNTHETIC}. " if report.synthetic else "",
        verdict=f"The attacker tried {report.cells_attacked:,} hidden cells and {found}. "
        f"Made again, the pattern is {again}.",
        cells=_cells_table(report),
        plot=plot[plot.index("<svg") :],
        steps=_steps_table(report.seconds),
    )


def _cells_table(report: ProtectionReport) -> str:
    header = ("table", "cells", "shown", "primary", "secondary", "hidden", "hidden %")
    rows = [
        (c.name, *(f"{n:,}" for n in (c.cells, c.shown, c.primary, c.secondary, c.hidden)), f"{c.hidden / c.cells:.1%}")
        for c in (*report.tables, report.together)
    ]
    return _html_table("Cells (the last row counts each shared cell once)", header, rows)


def _steps_table(seconds: Sequence[tuple[str, float]]) -> str:
    total = ("together", sum(spent for _, spent in seconds))
    return _html_table("Time", ("step", "seconds"), [(step, f"{spent:.1f}") for step, spent in (*seconds, total)])


def _html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table>\n<caption>{escape(caption)}</caption>\n<tr>{top}</tr>\n{body}\n</table>"


def _plot(tables: Sequence[CellCounts]) -> str:
    """Return stacked bars, one per table, in percent of its cells; hatched, so that colour is not all."""
    with mpl.rc_context({"svg.hashsalt": "enclave", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(8, 1 + 0.4 * len(tables)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        left = [0.0] * len(tables)
        for kind, colour, hatch in _KINDS:
            parts = [100 * getattr(counts, kind) / counts.cells for counts in tables]
            names = [counts.name for counts in tables]
            axes.barh(names, parts, left=left, color=colour, hatch=hatch, edgecolor="white", label=kind)
            left = [start + part for start, part in zip(left, parts, strict=True)]
        axes.invert_yaxis()
        axes.set(xlim=(0, 100), xlabel="% of cells")
        figure.legend(loc="outside upper center", ncols=len(_KINDS), frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
