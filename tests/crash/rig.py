"""The crash rig: a fault at every system call of an operation, restart, and a look at what is left.

`strace` attaches to a forked driver, counts its system calls between two markers, and then, run by run, kills it at the
n-th call of each kind, or lets that call fail. After each fault the house is started again, twice, and checked.
Run by hand: `python -m tests.crash.rig` prints the figures of all points.
"""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash import driver

CALLS = (
    *("openat", "creat", "close", "read", "pread64", "write", "pwrite64", "lseek", "ftruncate", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"),
    *("fcntl", "flock", "chmod", "fchmod", "fchmodat"),
)
READ_ONLY = {"read", "pread64"}  # a kill there leaves what a kill at the next call leaves
NEED_SPACE = {"openat", "write", "pwrite64", "ftruncate", "mkdir", "mkdirat", "rename"}
KILL, EIO, ENOSPC = "signal=KILL", "error=EIO", "error=ENOSPC"
PATIENCE_S = 90  # more than the book's busy timeout, twice over
ROOT = Path(__file__).parents[2]
_CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?([a-z0-9_]+)\(")


@dataclass(frozen=True)
class Point:
    """One fault: at the n-th call of this kind, after a start state, while doing an operation."""

    start: str
    op: str
    call: str
    when: int
    fault: str


def missing() -> str | None:
    """Return why the rig cannot run here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-e", "trace=none", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"ptrace is not allowed here: {tried.stderr.strip()[:200]}"


class Driver:
    """The forking process of driver.py, spoken to line by line."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, driver.__file__, str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def do(self, op: str, root: Path, *strace: str) -> tuple[dict[str, Any], str]:
        """Do an operation, under strace when options are given; return how it ended, and the trace."""
        self._send(json.dumps({"op": op, "root": str(root), "traced": bool(strace)}))
        if not strace:
            return self._answer(), ""
        pid = self._answer()["pid"]
        tracer = subprocess.Popen(["strace", "-p", str(pid), *strace], stderr=subprocess.PIPE, text=True)
        assert tracer.stderr is not None
        first = tracer.stderr.readline()
        assert "attached" in first, f"strace cannot attach: {first}"
        self._send("go")
        trace = tracer.communicate(timeout=PATIENCE_S)[1]
        return self._answer(), trace

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class Rig:
    """Start states, the faults that can happen from them, and trying a fault."""

    def __init__(self, folder: Path, process: Driver) -> None:
        self._folder, self._driver, self._made = folder, process, 0
        self._starts = {"approved": folder / "approved"}
        self._must("prepare", self._starts["approved"])
        self._before = self._digests(self._starts["approved"])

    def begin_at(self, name: str, point: Point) -> None:
        """Keep what a fault leaves behind as a further start state."""
        self._starts[name] = self._copy(point.start)
        self._fault(self._starts[name], point)

    def points(self, start: str, op: str) -> Iterator[Point]:
        """Run the operation once, undisturbed, and give every fault there is between its markers."""
        root = self._copy(start)
        ended, trace = self._driver.do(op, root, "-e", f"trace={','.join('?' + call for call in CALLS)}")
        assert ended["exit"] == ended["signal"] == 0, ended
        remove(root)
        seen: Counter[str] = Counter()
        inside = False
        for line in trace.splitlines():
            call = _CALL.match(line)
            if call is None:
                continue
            seen[call[1]] += 1
            inside = (inside or driver.BEGIN in line) and driver.END not in line
            if inside and driver.BEGIN not in line:
                yield from (Point(start, op, call[1], seen[call[1]], fault) for fault in faults_at(call[1]))

    def trial(self, point: Point) -> list[str]:
        """Let the fault happen on a copy, start again twice, go on, and return what is wrong."""
        root = self._copy(point.start)
        told_released = self._fault(root, point)
        problems = [f"torn: {name}" for name in torn(root)]
        for _ in range(2):
            self._must("recover", root)
        found = self._must("settle", root)
        problems += [*found["problems"], *found["problems_at_last"]]
        if found["state"] != "released" and (told_released or found["state"] != "approved"):
            problems.append(f"the request is {found['state']}, its caller was told of success: {told_released}")
        if found["at_last"] != "released":
            problems.append(f"lost: the request is {found['at_last']}")
        after = self._digests(root)
        problems += [
            f"an earlier release changed: {name}" for name in self._before if after.get(name) != self._before[name]
        ]
        if len(after) != len(self._before) + 1:
            problems.append(f"lost or doubled: {sorted(after)}")
        remove(root)
        return [f"{point}: {problem}" for problem in problems]

    def _fault(self, root: Path, point: Point) -> bool:
        """Do the operation with the fault in it; return whether its caller was told of success."""
        inject = f"inject={point.call}:{point.fault}:when={point.when}"
        ended, trace = self._driver.do(point.op, root, "-e", f"trace={point.call}", "-e", inject)
        happened = ended["signal"] == 9 if point.fault == KILL else "(INJECTED)" in trace
        assert happened, f"{point} did not happen: {ended} {trace[-400:]}"
        assert ended["exit"] in (0, 3), ended
        return bool(ended["exit"] == 0 and ended["signal"] == 0)

    def _must(self, op: str, root: Path) -> Any:
        ended, _ = self._driver.do(op, root)
        assert ended["exit"] == ended["signal"] == 0, f"{op}: {ended}"
        return ended["said"]

    def _copy(self, start: str) -> Path:
        self._made += 1
        root = self._folder / f"run-{self._made}"
        shutil.copytree(self._starts[start], root)
        return root

    @staticmethod
    def _digests(root: Path) -> dict[str, str]:
        return {folder.name: digest(folder) for folder in releases(root)}


def faults_at(call: str) -> Iterator[str]:
    """Return what can happen at a call of this kind."""
    yield EIO
    if call not in READ_ONLY:
        yield KILL
    if call in NEED_SPACE:
        yield ENOSPC


def releases(root: Path) -> list[Path]:
    """Return the releases that a reader of the outboxes can see."""
    found = [*(root / "inside").iterdir(), *(root / "outside").iterdir()]
    return sorted(path for path in found if not path.name.startswith("."))


def torn(root: Path) -> list[str]:
    """Return the visible releases that are not whole."""
    return [folder.name for folder in releases(root) if not whole(folder)]


def whole(folder: Path) -> bool:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if not {"manifest.json", "manifest.json.sig"} <= names:
        return False
    due = json.loads((folder / "manifest.json").read_bytes())["files"]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in due if name in names}
    return bool(hashes == due)


def digest(folder: Path) -> str:
    parts = sorted(
        (path.relative_to(folder).as_posix(), path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def remove(root: Path) -> None:
    """Remove a run; published folders are read-only."""
    for path in (root, *root.rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(root)


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Give a rig that works in this folder."""
    process = Driver(folder / "warm-up")
    try:
        yield Rig(folder, process)
    finally:
        process.close()


def every_point(built: Rig) -> list[Point]:
    """Return every fault: in a release, and again in the recovery from kills before, in and after publishing."""
    points = list(built.points("approved", "release"))
    kills = [point for point in points if point.fault == KILL]
    for name, call in (("decided", "mkdir"), ("half written", "fchmod"), ("published", "rename")):
        at = [place for place, point in enumerate(kills) if point.call == call][-1]
        built.begin_at(name, kills[at + (name == "published")])
        points += built.points(name, "recover")
    return points


def main() -> None:
    """Try every point and print the figures."""
    with tempfile.TemporaryDirectory() as folder, rig(Path(folder)) as built:
        points = every_point(built)
        random.Random(0).shuffle(points)
        problems = [problem for point in points for problem in built.trial(point)]
    kinds = Counter(f"{point.op} {point.fault}" for point in points)
    lines = [f"{kind}: {number} points" for kind, number in sorted(kinds.items())]
    sys.stdout.write("\n".join([*lines, *problems, f"{len(points)} points, {len(problems)} problems"]) + "\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
