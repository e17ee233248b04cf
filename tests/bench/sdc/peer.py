"""pytauargus, run by its own interpreter and in its own process, since it may crash.

peer.py joint INPUT OUTPUT MINUTES     one linked system in the JJ format; OUTPUT gets what it hides
peer.py tables INPUT OUTPUT MINUTES    persons, protected table by table; OUTPUT gets each table's status of cells
"""

import json
import sys
from pathlib import Path

from pytauargus import HiTaSCtrl, protect


def joint(system: str, pattern: str, minutes: int) -> None:
    """Solve a system as a whole. At its time limit the solver returns an error and has written its best pattern."""
    solver = HiTaSCtrl()
    code = solver.full_jj(in_file_jj=system, out_file=pattern, max_time=minutes)
    if code and not Path(pattern).exists():
        sys.exit(f"{code}: {solver.error_string(code)}")


def tables(asked: str, found: str, minutes: int) -> None:
    """Protect tables one after the other, by the minimum frequency and the modular method."""
    given = json.loads(Path(asked).read_text("utf-8"))
    done = protect(
        given["columns"],
        tables=given["tables"],
        response="persons",
        safety_rules=f"FREQ({given['threshold']},{given['range']})|ZERO(0)",
        suppress=f"MOD(1,{minutes},1,0,0)",
        hrc=given["hierarchies"],
    )
    rows = [
        [{key: row[key] for key in (*names, "status")} for row in table.rows()]
        for names, table in zip(given["tables"], done.tables, strict=True)
    ]
    Path(found).write_text(json.dumps(rows), "utf-8")


if __name__ == "__main__":
    {"joint": joint, "tables": tables}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
