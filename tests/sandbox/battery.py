"""The escape battery: what a kernel and a server might try, inside the sandboxes that the launcher makes.

    python -m tests.sandbox.battery [--without WORD] [--only NAME]

One line each, and at the end how many there were, how many are open, and how many this machine could not try. It ends
with an error where one is open or broken.

`--without` leaves a word out of the command line of every sandbox, to see that a probe finds what is missing; `--only`
tries the probe of this name and nothing else.

As root it tries the sandboxes of a workbench that root started, otherwise those of the reduced demonstration. What only
root can close says so there, and is counted apart.
"""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from enclave.sandbox import box
from enclave.sandbox.box import Box
from enclave.sandbox.uids import Side
from tests.lib.sandbox_kit import why_no_sandbox
from tests.sandbox.bombs import BOMBS, light
from tests.sandbox.ground import Ground, ground, probes_of

DEVICES = "nobody else makes devices of a sandbox's own"
NEEDS_ROOT = {
    ("kernel", "a lock that another sandbox holds: /dev/null"): DEVICES,
    ("server", "a lock that another sandbox holds: /dev/null"): DEVICES,
    ("kernel", "seeing that another sandbox opens a file (inotify)"): DEVICES,
    ("server", "seeing that another sandbox opens a file (inotify)"): DEVICES,
    ("server", "the log, opened again by /proc"): "its log belongs to the user that it runs as",
}
"""What is open where nobody is root, with what root has for it. A probe that is closed all the same is not listed."""

Line = tuple[str, str, str, str, str]
"""Side, group, name, outcome, remark."""


ALSO = {"needs root": "need root", "BROKEN": "broken"}
"""Outcomes that the last line names where there are any."""


def lines(made: Ground, only: str) -> Iterator[Line]:
    """Try everything, or only what has this name, and tell of each."""
    for side in (Side.KERNEL, Side.SERVER):
        for group, name, outcome, remark in probes_of(made, side, only):
            yield side, group, name, *_without_root(made, (side, name), outcome, remark)
    for bomb in (bomb for bomb in BOMBS if only in {"", bomb.name}):
        needed = bomb.root_for if not made.settings.as_root else ""
        outcome, remark = ("needs root", needed) if needed else light(made, bomb)
        yield Side.KERNEL, "bombs", bomb.name, outcome, remark


def _without_root(made: Ground, probe: tuple[str, str], outcome: str, remark: str) -> tuple[str, str]:
    """Return outcome and remark as they are, but for what only root can close and nobody else did."""
    why = NEEDS_ROOT.get(probe, "")
    return ("needs root", why) if why and outcome == "OPEN" and not made.settings.as_root else (outcome, remark)


def summary(found: list[Line]) -> str:
    """Return the last line."""
    count = Counter(one[3] for one in found)
    more = "".join(f", {count[one]} {words}" for one, words in ALSO.items() if count[one])
    return f"{len(found)} probes, {count['OPEN']} open, {count['cannot test here']} cannot test here{more}"


def leave_out(left_out: str) -> None:
    """Start sandboxes without this word of their command line."""
    whole = box.command_line

    def weaker(made: Box, stage: Path, filtered: int, told: int) -> list[str]:
        return [word for word in whole(made, stage, filtered, told) if word != left_out]

    box.command_line = weaker  # type: ignore[assignment]  # mypy takes the names of parameters for a difference


def main(words: list[str]) -> int:
    """Print the table; return 0 only where nothing is open and nothing broke."""
    parser = ArgumentParser(prog="battery", description="Try to get out of the sandboxes.")
    parser.add_argument("--without", default="", metavar="WORD", help="a word that no sandbox is started with")
    parser.add_argument("--only", default="", metavar="NAME", help="try the probe of this name only")
    asked = parser.parse_args(words)
    if asked.without:
        leave_out(asked.without)
    if why := why_no_sandbox():
        sys.stdout.write(f"cannot test here: {why}\n0 probes, 0 open, 1 cannot test here\n")
        return 0
    found = []
    with ground() as made:
        for line in lines(made, asked.only):
            found.append(line)
            side, group, name, outcome, remark = line
            sys.stdout.write(f"{side:<7} {group:<11} {outcome:<17} {name}{f' ({remark})' if remark else ''}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{summary(found)}\n")
    return 1 if any(one[3] in {"OPEN", "BROKEN"} for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
