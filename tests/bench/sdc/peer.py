"""pytauargus on one linked system: run by its own interpreter and in its own process, since it may crash.

    peer.py INPUT OUTPUT SECONDS

INPUT is a system of cells and equations in the JJ format of tau-ARGUS, OUTPUT gets what it hides.
"""

import sys

from pytauargus import HiTaSCtrl


def main(system: str, pattern: str, seconds: str) -> None:
    solver = HiTaSCtrl()
    code = solver.full_jj(in_file_jj=system, out_file=pattern, max_time=int(seconds))
    if code:
        sys.exit(f"{code}: {solver.error_string(code)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
