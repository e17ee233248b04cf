"""A thousand codes of persons, printed, raised, dumped and asked for in a kernel: no file or page outside has them."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.canaries import Canaries
from tests.lib.session import Session
from tests.lib.workbench import PROJECT, Workbench, wait_until

STAFF, OTHERS = "staff.one", ("steward.one", "auditor.one", "checker.one", "operator.one", "analyst.one")
BASE = f"/user/{STAFF}/{PROJECT}/"
PLANTED = 1000

PLANT = f"""
import os, sys, workbench
project = workbench.open()
people = project.data(project.periods[0]).person.compute().drop_duplicates()
canaries = [int(code) for code in people.head({PLANTED})]
print(*canaries)
"""
LOUD = "print(*canaries, file=sys.stderr); os.write(1, repr(canaries).encode()); os.write(2, repr(canaries).encode())"
RAISED = "raise RuntimeError(str(canaries))"
TEMPORARY = """
for folder in ("/tmp", "/dev/shm", "."):
    with open(f"{folder}/{canaries[0]}.txt", "w") as file: file.write(repr(canaries))
"""
ASKED = """
from workbench.gateway import Gateway
gateway = Gateway.from_environment()
for words in (("projects", project.id, "data", str(canaries[1])), ("projects", str(canaries[2])), (str(canaries[3]),)):
    try: gateway.get(*words)
    except Exception as error: print(type(error).__name__)
"""
IN_A_CLUSTER = """
def fail(numbers): raise RuntimeError(str(numbers))
with workbench.cluster(2) as client:
    try: client.submit(fail, canaries).result()
    except RuntimeError as error: print(len(str(error)) > 1000)
"""
CRASHES = """
import ctypes, faulthandler
faulthandler.enable()
for crash in (os.abort, lambda: ctypes.string_at(0)):
    if os.fork() == 0: crash()
    print(os.wait()[1] != 0)
"""


@pytest.fixture(scope="module")
def staff(workbench: Workbench) -> Iterator[Session]:
    session = workbench.session(STAFF)
    assert session.start_server(STAFF, PROJECT).status == 200
    yield session
    assert session.ask("DELETE", f"/hub/api/users/{STAFF}/servers/{PROJECT}").status in {202, 204}
    wait_until(lambda: "state stopped" in session.get("/hub/home").text, "the server to stop")


def places(workbench: Workbench) -> list[Path]:
    """Return every folder that parts and servers could write to: the workbench, and temporary files of their users."""
    owners = {path.stat().st_uid for path in workbench.root.rglob("*") if not path.is_symlink()} - {0}
    strays = [path for path in Path(tempfile.gettempdir()).iterdir() if path.lstat().st_uid in owners]
    cores = [path.parent for path in Path.cwd().glob("core*")]
    return [workbench.root, *(path for path in strays if path.is_dir()), *cores]


@pytest.mark.skipif(os.geteuid() != 0, reason="cannot test here: without root there is no sandbox, and homes are plain")
def test_a_thousand_codes_stand_nowhere_outside_the_sandbox(workbench: Workbench, staff: Session) -> None:
    kernel = staff.ask("POST", f"{BASE}api/kernels", body={"name": "enclave"}).json["id"]
    printed = staff.execute(BASE, kernel, PLANT).split()
    assert len(printed) == PLANTED
    canaries = Canaries(int(code) for code in printed)

    for cell in (LOUD, RAISED, TEMPORARY):
        staff.execute(BASE, kernel, cell)
    assert len(staff.execute(BASE, kernel, ASKED).split()) == 3, "each is refused"
    assert "True\n" in staff.execute(BASE, kernel, IN_A_CLUSTER)
    assert "True\nTrue\n" in staff.execute(BASE, kernel, CRASHES)
    name = f"{printed[4]}.ipynb"
    made = staff.ask("POST", f"{BASE}api/contents", body={"type": "notebook"}).json["path"]
    assert staff.ask("PATCH", f"{BASE}api/contents/{made}", body={"path": name}).status == 200
    assert staff.get(f"{BASE}api/contents/{printed[5]}.ipynb").status == 404

    for account in OTHERS:
        session = workbench.session(account)
        for page in ("/hub/home", "/services/gateway/", "/services/gateway/audit"):
            assert not canaries.in_bytes(session.get(page).text.encode()), (account, page)
    assert list(canaries.in_files(places(workbench))) == []
