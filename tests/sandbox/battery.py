"""The escape battery: what a kernel and a server might try, inside the sandboxes that the launcher makes.

    python -m tests.sandbox.battery

One line each, and at the end how many there were, how many are open, and how many this machine could not try. It ends
with an error where one is open or broken.
"""

import sys
from collections.abc import Iterator

from enclave.sandbox.uids import Side
from tests.lib.sandbox_kit import why_no_sandbox
from tests.sandbox.bombs import BOMBS, light
from tests.sandbox.ground import Ground, ground, probes_of

Line = tuple[str, str, str, str, str]
"""Side, group, name, outcome, remark."""


def lines(made: Ground, *, bombs: bool) -> Iterator[Line]:
    """Try everything, and tell of each."""
    for side in (Side.KERNEL, Side.SERVER):
        for group, name, outcome, remark in probes_of(made, side):
            yield side, group, name, outcome, remark
    for bomb in BOMBS if bombs else ():
        outcome, remark = light(made, bomb)
        yield Side.KERNEL, "bombs", bomb.name, outcome, remark


def summary(found: list[Line]) -> str:
    """Return the last line."""
    count = {outcome: sum(one[3] == outcome for one in found) for outcome in ("OPEN", "BROKEN", "cannot test here")}
    broken = f", {count['BROKEN']} broken" if count["BROKEN"] else ""
    return f"{len(found)} probes, {count['OPEN']} open, {count['cannot test here']} cannot test here{broken}"


def main() -> int:
    """Print the table; return 0 only where nothing is open and nothing broke."""
    if why := why_no_sandbox():
        sys.stdout.write(f"cannot test here: {why}\n0 probes, 0 open, 1 cannot test here\n")
        return 0
    found = []
    with ground() as made:
        for line in lines(made, bombs=True):
            found.append(line)
            side, group, name, outcome, remark = line
            sys.stdout.write(f"{side:<7} {group:<11} {outcome:<17} {name}{f' ({remark})' if remark else ''}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{summary(found)}\n")
    return 1 if any(one[3] in {"OPEN", "BROKEN"} for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
