"""How many cells are lost, and in what time: the engine beside pytauargus, on the same systems, in one run.

    python -m tests.bench.sdc.bench PEER [--seeds N] [--minutes M] [--zeros RULE]

PEER is the interpreter of an environment with pytauargus (`make bench-sdc` makes one). Every tool gets the same cells,
equations, primary cells and needs, and a weight of one for each cell. The attacker of the engine judges every pattern.
Figures are of one machine and one run; compare them within a line.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from enclave.sdc.protection import protect
from enclave.sdc.safety_rules import Rules, Weights, Zeros
from enclave.sdc.table import Bools
from enclave.wiring.protect_tables.quiet import quiet_solver
from tests.bench.sdc import jj
from tests.bench.sdc.plot import draw
from tests.bench.sdc.results import Result, Tried
from tests.bench.sdc.system import System
from tests.bench.sdc.worlds import KINDS, quarter

PEER = Path(__file__).with_name("peer.py")
FIRST_SEED = 101
SPARE_S = 120.0
"""What a tool may take beyond its own limit, for reading and for ending."""


def tried(system: System, tool: str, make: Callable[[], Bools | str]) -> Tried:
    """Time a tool, and judge its pattern."""
    began = time.perf_counter()
    made = make()
    seconds = time.perf_counter() - began
    if isinstance(made, str):
        return Tried(tool, seconds, failure=made)
    return Tried(tool, seconds, system.secondary(made), system.lost(made), system.unproven(made))


def engine(system: System) -> Bools | str:
    """Protect the tables of a system."""
    with quiet_solver():
        return system.hidden_by(protect(system.tables, system.rules))


def peer(system: System, interpreter: Path, minutes: int) -> Bools | str:
    """Give a system to pytauargus; return the pattern, or why there is none."""
    with TemporaryDirectory(prefix="bench-") as folder:
        given, found = Path(folder) / "in.jj", Path(folder) / "out.jj"
        jj.write(system, given)
        line = [str(interpreter), str(PEER), str(given), str(found), str(minutes)]
        try:
            ended = subprocess.run(
                line, cwd=folder, capture_output=True, text=True, check=False, timeout=60 * minutes + SPARE_S
            )
        except subprocess.TimeoutExpired:
            return "did not end in time"
        if ended.returncode or not found.exists():
            return (ended.stderr.strip().splitlines() or [f"ended with {ended.returncode}"])[-1]
        return jj.read(system, found)


def results(interpreter: Path, seeds: int, minutes: int, rules: Rules) -> Iterator[Result]:
    """Try every tool on every system."""
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for kind in KINDS:
            system = System.of(quarter(kind, seed), rules)
            yield Result(
                name=f"{kind} {seed}",
                cells=len(system.values),
                primary=int(system.primary.sum()),
                bound=system.bound,
                engine=tried(system, "enclave", lambda: engine(system)),  # noqa: B023  called at once
                peer=tried(system, "pytauargus", lambda: peer(system, interpreter, minutes)),  # noqa: B023
            )


HEAD = (
    f"{'quarter':<15} {'cells':>5} {'prim':>5} {'bound':>5} | {'secondary':>9} {'lost':>6} {'open':>4} {'s':>6}"
    f" | {'secondary':>9} {'lost':>6} {'open':>4} {'s':>6} | {'ratio':>5} {'gap':>5}\n"
)


def line(one: Result) -> str:
    """Return a line of the table."""
    ratio = "-" if one.ratio is None else f"{one.ratio:.2f}"
    return (
        f"{one.name:<15} {one.cells:>5} {one.primary:>5} {one.bound:>5} | {_side(one.engine)} | {_side(one.peer)}"
        f" | {ratio:>5} {one.gap:>5.0%}\n"
    )


def _side(one: Tried) -> str:
    if one.failure:
        return f"{one.failure[:20]:<20} {one.seconds:>7.1f}"
    return f"{one.secondary:>9} {one.lost:>6.1%} {one.unproven:>4} {one.seconds:>6.1f}"


def summary(found: list[Result]) -> Iterator[str]:
    """Say what came of it, in a few lines."""
    ratios = [one.ratio for one in found if one.ratio is not None]
    still_open = sum(one.engine.unproven for one in found)
    yield f"cells of the engine's patterns that can be shown to be too small: {still_open}"
    yield f"quarters that the peer did not protect: {sum(bool(one.peer.failure) for one in found)} of {len(found)}"
    yield f"patterns of the peer that are not safe: {sum(one.peer.unproven > 0 for one in found)}"
    if ratios:
        fewer = sum(ratio < 1 for ratio in ratios)
        yield f"fewer secondary cells than the peer: {fewer} of {len(ratios)} quarters"
        yield f"secondary cells for each of the peer's: median {median(ratios):.2f}, worst {max(ratios):.2f}"
    yield f"gap to the bound: median {median(one.gap for one in found):.0%}"
    seconds = [one.engine.seconds for one in found], [one.peer.seconds for one in found]
    yield f"seconds a quarter: engine {median(seconds[0]):.1f}, peer {median(seconds[1]):.1f} (medians)"


def main(words: list[str]) -> int:
    """Print the table; return 0 only where no pattern of the engine leaves a cell open."""
    parser = argparse.ArgumentParser(prog="bench", description="Cells lost and seconds, beside pytauargus.")
    parser.add_argument("peer", type=Path, help="an interpreter that has pytauargus")
    parser.add_argument("--seeds", type=int, default=10, help="worlds of each kind")
    parser.add_argument("--minutes", type=int, default=1, help="what the peer may take for a quarter")
    parser.add_argument("--zeros", type=Zeros, default=Zeros.SHOW_OR_SECONDARY, choices=list(Zeros))
    parser.add_argument("--plot", type=Path, default=Path("var", "bench", "sdc.png"))
    asked = parser.parse_args(words)
    rules = Rules(zeros=asked.zeros, weights=Weights.UNIT)
    sys.stdout.write(f"{'':<34} | {'engine':<28} | pytauargus, joint\n{HEAD}")
    found = []
    for one in results(asked.peer, asked.seeds, asked.minutes, rules):
        found.append(one)
        sys.stdout.write(line(one))
        sys.stdout.flush()
    sys.stdout.write("".join(f"{sentence}\n" for sentence in summary(found)))
    draw(found, asked.plot)
    return int(any(one.engine.unproven for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
