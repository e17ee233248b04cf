"""`python -m tests.bench.bench_ten [PEOPLE]`: so many people log in at once, start the project and run a cell.

Prints when each has the first cell's answer, what an idle person takes of memory, and how long cells take then. The
machine's cores are shared by all, so times grow with the number of people; what counts is that everybody is served.
Memory is that of the sandboxes' groups: server and kernel with all their processes, files in memory included.
"""

import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from enclave.wiring.workbench import passwords
from tests.bench.bench_login import ANALYST, house, say
from tests.lib.session import Session
from tests.lib.workbench import PROJECT, Workbench, person, started

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Served:
    """What one person met: seconds from the common start, and a kernel that runs."""

    account: str
    session: Session
    kernel: str
    server_s: float
    cell_s: float

    def cell(self) -> float:
        """Run one more cell; return the seconds until its answer."""
        began = time.monotonic()
        assert self.session.execute(base(self.account), self.kernel, "print(6 * 7)") == "42\n"
        return time.monotonic() - began


def base(account: str) -> str:
    return f"/user/{account}/{PROJECT}/"


def enrolled(workbench: Workbench, people: int) -> list[str]:
    """Enrol analysts and give them passwords; return their accounts."""
    accounts = [f"analyst.bench{number}" for number in range(1, people + 1)]
    workbench.enrol(*(person(account, "analyst", projects=(PROJECT,)) for account in (ANALYST, *accounts)))
    known = passwords.for_accounts((*workbench.passwords, *accounts), workbench.passwords)
    workbench.layout.log_ins.write_text(passwords.as_lines(known), encoding="utf-8")
    workbench.layout.accounts.write_text(passwords.hashed(known), encoding="utf-8")
    return accounts


def serve(workbench: Workbench, account: str, gate: threading.Barrier) -> Served:
    """Do what a person does, from the moment at which all begin."""
    gate.wait()
    began = time.monotonic()
    session = workbench.session(account)
    answer = session.start_server(account, PROJECT)
    assert answer.status == 200, answer.text
    server_s = time.monotonic() - began
    kernel = session.ask("POST", f"{base(account)}api/kernels", body={"name": "enclave"}).json["id"]
    assert session.execute(base(account), kernel, "print(6 * 7)") == "42\n"
    return Served(account, session, kernel, server_s, time.monotonic() - began)


def memory() -> list[int]:
    """Return the bytes that each sandbox of this machine's workbenches uses, by its group."""
    found = [*Path("/sys/fs/cgroup").glob("**/enclave/*/memory.usage_in_bytes")]
    found += Path("/sys/fs/cgroup").glob("**/enclave/*/memory.current")
    return [int(path.read_text()) for path in found]


def main(people: int) -> None:
    """Measure and print."""
    with started(house()) as workbench:
        accounts, gate = enrolled(workbench, people), threading.Barrier(people)
        with ThreadPoolExecutor(people) as pool:
            served = list(pool.map(lambda account: serve(workbench, account, gate), accounts))
            for number, one in enumerate(sorted(served, key=lambda one: one.cell_s), start=1):
                opened = f"project open after {one.server_s:.1f} s"
                say(f"{number:2d} of {people}: {opened}, first cell after {one.cell_s:.1f} s")
            time.sleep(5)
            say(f"memory of a person who does nothing: {sum(memory()) / people / _MIB:.0f} MiB (server and kernel)")
            again = list(pool.map(Served.cell, served))
        say(f"one more cell each, at once: median {statistics.median(again):.2f} s, longest {max(again):.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
