"""pytauargus on one linked system: run by its own interpreter and in its own process, since it may crash.

    peer.py INPUT OUTPUT MINUTES

INPUT is a system in the JJ format (`jj.py`), OUTPUT gets what it hides.
"""

import sys
from pathlib import Path

from pytauargus import HiTaSCtrl


def main(system: str, pattern: str, minutes: str) -> None:
    """Solve a system as a whole. At its time limit the solver returns an error and has written its best pattern."""
    solver = HiTaSCtrl()
    code = solver.full_jj(in_file_jj=system, out_file=pattern, max_time=int(minutes))
    if code and not Path(pattern).exists():
        sys.exit(f"{code}: {solver.error_string(code)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
