"""Parts killed with SIGKILL while people work: the supervisor starts them again, and nothing that counts is lost.

Each kill comes at a moment drawn from a fixed seed. What counts in the end is the audit log: every step of a request
stands in it exactly once. `make full` kills at more moments.
"""

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import pytest
from tornado.websocket import WebSocketError

from enclave.sandbox import cipher
from tests.lib.session import Answer, Session
from tests.lib.workbench import PROJECT, Workbench, wait_until

pytestmark = pytest.mark.timeout(900)

BASE = f"/user/analyst.one/{PROJECT}/"
PAGES = "/services/gateway/"
CHECKERS = ("checker.one", "checker.two")
Checkers: TypeAlias = dict[str, Session]
MADE = [("analyst.one", "request made"), ("analyst.one", "handed in for checking")]
BROKEN = (OSError, AssertionError, WebSocketError)
"""What people's programs meet when a connection ends under them."""
OPEN = """
import workbench
project = workbench.open(language="en")
title = dict(nl="Werkenden", fr="Au travail", en="At work")
result = project.sum("at_work", table="t1", select=dict(position=["1"]), title=title)
"""


class Kill(NamedTuple):
    """Which part is killed, and how many seconds after the work began."""

    part: str
    after: float


def drawn(what: str, longest: float, usual: dict[str, int], full: dict[str, int]) -> list[Any]:
    """Return so many kills of each part at moments up to `longest`: the usual ones, and those under the mark `full`."""
    chance = random.Random(f"17 {what}")
    found = []
    for counts, marks in ((usual, []), (full, [pytest.mark.full])):
        kills = [
            Kill(part, round(chance.uniform(0, longest), 3)) for part, count in counts.items() for _ in range(count)
        ]
        found += [pytest.param(kill, id=f"{kill.part}-{kill.after}", marks=marks) for kill in kills]
    return found


REQUESTS = drawn(
    "requests",
    2.0,
    usual={"gateway": 1, "hub": 1, "proxy": 1, "launcher": 1},
    full={"gateway": 9, "hub": 4, "proxy": 4, "launcher": 2},
)
VOTES = drawn("votes", 0.08, usual={"gateway": 1, "proxy": 1}, full={"gateway": 8, "hub": 4, "proxy": 4})


@dataclass(frozen=True)
class Kernel:
    """A kernel of the analyst's."""

    session: Session
    id: str

    def run(self, code: str) -> str:
        """Run code, when the way to the server is there: a front that was killed learns it from the hub in seconds."""
        wait_until(lambda: self.session.get(f"{BASE}api/kernels").status == 200, "the server's route")
        return self.session.execute(BASE, self.id, code)

    def ask(self, purpose: str) -> str:
        """Request a release and wait until it is made; return its id."""
        return self.run(asking(purpose) + "print(request.id)").strip()


def asking(purpose: str) -> str:
    quiet = "say=lambda line: None"
    return f"request = project.request_release([result], purpose={purpose!r}).wait({quiet})\n"


@pytest.fixture(scope="module")
def kernel(workbench: Workbench) -> Iterator[Kernel]:
    """One kernel that lives through every kill of this module."""
    session = workbench.session("analyst.one")
    assert session.start_server("analyst.one", PROJECT).status == 200
    found = Kernel(session, session.ask("POST", f"{BASE}api/kernels", body={"name": "enclave"}).json["id"])
    assert found.run(f"{OPEN}\nkept = 6 * 7") == ""
    yield found
    session.ask("DELETE", f"{BASE}api/kernels/{found.id}")


@pytest.fixture(scope="module")
def checkers(workbench: Workbench) -> Checkers:
    """The checkers, logged in at hub and pages."""
    found = {account: workbench.session(account) for account in CHECKERS}
    for session in found.values():
        assert session.get(PAGES).status == 200
    return found


@pytest.fixture(scope="module")
def auditor(workbench: Workbench) -> Session:
    """The auditor, logged in at hub and pages."""
    session = workbench.session("auditor.one")
    assert session.get(PAGES).status == 200
    return session


def steps(auditor: Session, request: str) -> list[tuple[str, str]]:
    """Return what the audit log says of a request, in its order: who did what, refusals left out."""
    page = auditor.get(f"{PAGES}audit?subject={request}").text
    rows = re.findall(r"</time></td>\n<td>(.*?)</td>\n<td>(.*?)</td>", page)
    return [(who, what) for who, what in reversed(rows) if what != "refused"]


def killed_during(workbench: Workbench, kill: Kill, work: Callable[[], object]) -> None:
    """Let somebody's work begin, kill a part, and wait until all is up and the work has ended, however it did."""
    with ThreadPoolExecutor(1) as beside:
        under_way = beside.submit(work)
        with suppress(TimeoutError, *BROKEN):
            under_way.result(kill.after)
        workbench.kill(kill.part)
        with suppress(*BROKEN):
            under_way.result()


def form(session: Session, page: str, action: str, **fields: str) -> Callable[[], Answer]:
    """Open a page and return what sends one of its forms, as often as it is called."""
    found = re.search(r'name="_xsrf" value="([0-9a-f]{64})"', session.get(PAGES + page).text)
    assert found is not None
    address = PAGES + (page if page == action else f"{page}/{action}")
    return lambda: session.ask("POST", address, form={"_xsrf": found[1], **fields})


def ballot(session: Session, request: str) -> Callable[[], Answer]:
    """Return what casts a checker's approval."""
    return form(session, f"requests/{request}", "vote", decision="approve")


@pytest.mark.parametrize("kill", REQUESTS)
def test_a_request_under_way_is_carried_through_once_and_the_kernel_lives(
    workbench: Workbench, kernel: Kernel, auditor: Session, kill: Kill
) -> None:
    purpose = f"{kill.part} killed after {kill.after}"
    killed_during(workbench, kill, lambda: kernel.run(asking(purpose)))
    assert kernel.run("print(kept)") == "42\n"
    assert PROJECT in kernel.session.get("/hub/home").text, "nobody has to log in again"
    listed = f"print(*[one.id for one in project.requests() if one._facts['purpose'] == {purpose!r}])"
    wait_until(lambda: kernel.run(listed) != "\n", "the request to be made")
    (request,) = kernel.run(listed).split()
    wait_until(lambda: steps(auditor, request) == MADE, "the request to be handed in")


@pytest.mark.parametrize("kill", VOTES)
def test_a_vote_that_was_being_cast_counts_once(
    workbench: Workbench, kernel: Kernel, checkers: Checkers, auditor: Session, kill: Kill
) -> None:
    request = kernel.ask(f"a vote, {kill.part} killed after {kill.after}")
    cast = ballot(checkers["checker.one"], request)
    killed_during(workbench, kill, cast)
    assert cast().status in {200, 403}, "who was not heard votes again; who was heard is told so"
    assert cast().status == 403
    assert steps(auditor, request) == [*MADE, ("checker.one", "vote cast")]


def test_a_release_under_way_is_published_once(
    workbench: Workbench, kernel: Kernel, checkers: Checkers, auditor: Session
) -> None:
    request = kernel.ask("a release, gateway killed")
    for session in checkers.values():
        assert ballot(session, request)().status == 200
    steward = workbench.session("steward.one")
    start = form(steward, f"requests/{request}", "release")
    assert start().status == 200
    killed_during(workbench, Kill("gateway", 0.3), lambda: None)
    wait_until(lambda: kernel.run("print(request.status().state)") == "released\n", "the release", 180)
    release = kernel.run("print(request.release)").strip()
    published = [("the house itself", "release published")]
    wait_until(lambda: steps(auditor, release) == published, "its publication")
    assert start().status == 200, "it is done, and nothing is done again"
    votes = [(account, "vote cast") for account in CHECKERS]
    ends = [("the house itself", "approved by two checkers"), ("steward.one", "release decided and signed")]
    assert steps(auditor, request) == [*MADE, *votes, *ends]
    assert steps(auditor, release) == published
    verified = form(auditor, "audit", "audit")().text
    assert "Verified: every entry, the chain, every signed head" in verified


@pytest.mark.skipif(os.geteuid() != 0, reason="without root homes are plain folders")
def test_a_home_lives_through_the_launchers_kill_and_its_own_ends_the_server_and_loses_nothing(
    workbench: Workbench,
) -> None:
    session = workbench.session("staff.one")
    base = f"/user/staff.one/{PROJECT}/"
    assert session.start_server("staff.one", PROJECT).status == 200
    kernel = session.ask("POST", f"{base}api/kernels", body={"name": "enclave"}).json["id"]
    assert session.execute(base, kernel, "open('note', 'w').write('kept')") == ""
    mine = processes_of_homes(workbench)
    workbench.kill("launcher")
    assert session.execute(base, kernel, "print(open('note').read())").strip() == "kept"
    ended = [pid for pid in processes_of_homes(workbench) if pid in mine]
    for pid in ended:
        os.kill(pid, signal.SIGKILL)
    whose = {"account": "staff.one", "project": PROJECT}
    wait_until(lambda: workbench.logged("server_ended", "launcher", **whose, code="HOME_LOST"), "the server to end")
    wait_until(lambda: session.start_server("staff.one", PROJECT).status == 200, "the server to start again")
    kernel = session.ask("POST", f"{base}api/kernels", body={"name": "enclave"}).json["id"]
    assert session.execute(base, kernel, "print(open('note').read())").strip() == "kept"
    assert workbench.logged("key_used", "system", operation="home key handed out")
    assert session.ask("DELETE", f"/hub/api/users/staff.one/servers/{PROJECT}").status in {202, 204}


def processes_of_homes(workbench: Workbench) -> list[int]:
    return [process.pid for process in cipher.running(workbench.layout.launcher_state / "homes").values()]
