"""The bench as a picture: secondary cells of every quarter, beside the bound that no pattern can pass."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tests.bench.sdc.results import Result

INCHES = (11.0, 5.0)


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw a group of bars for each quarter."""
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(results))
    bars = {
        "pytauargus, joint": ([one.peer.secondary for one in results], "#b8b8b8"),
        "engine": ([one.engine.secondary for one in results], "#1f5f8b"),
        "no pattern hides fewer": ([one.bound for one in results], "#e0a030"),
    }
    for number, (label, (heights, colour)) in enumerate(bars.items()):
        axes.bar([place + 0.27 * (number - 1) for place in places], heights, 0.27, label=label, color=colour)
    axes.set_xticks(list(places), [one.name for one in results], rotation=60, ha="right", fontsize=8)
    axes.set_ylabel("secondary cells")
    axes.set_title("Cells hidden beside the primary ones, in made-up quarters (SYNTHETIC)")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
