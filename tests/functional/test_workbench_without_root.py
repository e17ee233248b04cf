"""A workbench that somebody starts who is not root: a reduced demonstration, in sandboxes all the same."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.lib import workbench as kit
from tests.lib.sandbox_kit import need_sandbox_without_root
from tests.lib.session import Session
from tests.lib.workbench import Workbench

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="without root everything runs as the present user in every test here"),
]

ANALYST, STAFF, NOBODY = "analyst.one", "staff.one", 65534
BASE = f"/user/{ANALYST}/{kit.PROJECT}/"
PARTS = ("launcher", "gateway", "proxy", "hub", "door")
NAMESPACES = ("user", "net", "pid", "ipc", "uts", "mnt", "cgroup")


@pytest.fixture(scope="module")
def running(workbench_house: Path) -> Iterator[Workbench]:
    need_sandbox_without_root()
    with kit.started(workbench_house, as_uid=NOBODY) as found:
        yield found


@pytest.fixture(scope="module")
def analyst(running: Workbench) -> Session:
    session = running.session(ANALYST)
    assert session.start_server(ANALYST, kit.PROJECT).status == 200
    return session


@pytest.fixture(scope="module")
def kernel(analyst: Session) -> str:
    return kernel_of(analyst, BASE)


def kernel_of(session: Session, base: str) -> str:
    found: str = session.ask("POST", f"{base}api/kernels", body={"name": "enclave"}).json["id"]
    return found


def test_every_page_says_what_is_missing(running: Workbench, analyst: Session) -> None:
    assert Path(f"/proc/{running.pid('hub')}").stat().st_uid == NOBODY
    for page in ("/hub/login", "/hub/home", "/services/gateway/about"):
        assert kit.WITHOUT_ROOT in analyst.get(page).text, page
    style = analyst.get(f"{BASE}custom/custom.css").text
    assert "without root: no users of their own, no limits, homes neither encrypted nor sized" in style


def test_a_kernel_computes_and_has_nothing_of_the_host(running: Workbench, analyst: Session, kernel: str) -> None:
    hidden = (
        running.root,
        "/root",
        "/var",
        "/srv",
        "/sys",
        "/run/hub",
        "/run/launcher",
        "/run/server",
        "/opt/workbench",
    )
    probe = (
        "import os, socket\n"
        f"print([path for path in {list(map(str, hidden))!r} if os.path.lexists(path)])\n"
        "print([name for _, name in socket.if_nameindex()], os.getuid(), os.path.exists('/proc/1000000'))\n"
        "print([name for name in os.environ if name.startswith('JUPYTERHUB')])\n"
    )
    assert analyst.execute(BASE, kernel, probe) == f"[]\n['lo'] {NOBODY} False\n[]\n"


def test_a_kernel_reaches_the_gateway_as_its_own_account_and_project(analyst: Session, kernel: str) -> None:
    asked = "import workbench\nprint(len(workbench.open().codebook) > 0)"
    assert analyst.execute(BASE, kernel, asked) == "True\n"


def sandboxes(running: Workbench) -> list[int]:
    """Return the first processes of all servers and kernels."""
    state = running.layout.launcher_state
    found = [*json.loads((state / "servers.json").read_text()), *json.loads((state / "kernels.json").read_text())]
    return [int(one["process"]["pid"]) for one in found]


def test_server_and_kernels_share_no_namespace_with_each_other_or_the_host(
    running: Workbench, analyst: Session, kernel: str
) -> None:
    assert analyst.execute(BASE, kernel, "print(1)") == "1\n"
    everybody = [*sandboxes(running), running.pid("launcher")]
    assert len(everybody) >= 3
    for kind in NAMESPACES:
        found = {Path(f"/proc/{pid}/ns/{kind}").readlink() for pid in everybody}
        assert len(found) == len(everybody), kind


def test_a_socket_for_orders_is_heard_as_the_one_server_that_sees_it(
    running: Workbench, analyst: Session, kernel: str
) -> None:
    """The user at the other end is the same for all, so a socket must not answer about kernels of another's server."""
    assert analyst.execute(BASE, kernel, "print(1)") == "1\n"
    staff = running.session(STAFF)
    assert staff.start_server(STAFF, kit.PROJECT).status == 200
    numbers = {one["key"]["account"]: one["uid"] for one in json.loads(servers_of(running))}
    assert ask(running, numbers[ANALYST], kernel) == {"running": True}
    assert ask(running, numbers[STAFF], kernel) == {"running": False}
    assert analyst.execute(BASE, kernel, "print(2)") == "2\n"


def servers_of(running: Workbench) -> str:
    return (running.layout.launcher_state / "servers.json").read_text(encoding="utf-8")


def ask(running: Workbench, number: int, kernel: str) -> object:
    """Poll a kernel by the socket of this server, as the user that everything runs as."""
    code = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b'\\n')\n"
        "print(s.makefile().readline())"
    )
    line = json.dumps({"operation": "poll", "kernel": kernel})
    path = running.layout.kernel_orders / str(number) / "kernels.sock"
    asked = [sys.executable, "-I", "-c", code, str(path), line]
    return json.loads(subprocess.run(asked, user=NOBODY, check=True, capture_output=True, text=True, cwd="/").stdout)


def test_with_the_launcher_its_sandboxes_end_and_a_project_starts_anew(
    running: Workbench, analyst: Session, kernel: str
) -> None:
    left = "import os\nif os.fork() == 0: os.setsid(); os.execlp('sleep', 'sleep', '98')"
    assert analyst.execute(BASE, kernel, left) == ""
    before = sandboxes(running)
    running.kill("launcher")
    kit.wait_until(lambda: not [pid for pid in before if runs(pid)], "the end of the sandboxes")
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x0098" in read(path)]
    kit.wait_until(lambda: analyst.start_server(ANALYST, kit.PROJECT).status == 200, "the project")
    assert analyst.execute(BASE, kernel_of(analyst, BASE), "print(6 * 7)") == "42\n"


def runs(pid: int) -> bool:
    """Say whether a process is there; what ended and waits for its parent is not."""
    return read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()[:1] not in ([], [b"Z"])


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_it_ends_in_order_when_its_terminal_is_gone(workbench_house: Path) -> None:
    need_sandbox_without_root()
    with kit.started(workbench_house, as_uid=NOBODY) as running:
        session = running.session(ANALYST)
        assert session.start_server(ANALYST, kit.PROJECT).status == 200
        assert session.execute(BASE, kernel_of(session, BASE), "print(6 * 7)") == "42\n"
        parts = [*(running.pid(part) for part in PARTS), *sandboxes(running)]
        assert running.process.stdout is not None
        running.process.stdout.close()  # nobody listens any more: it must end in order all the same
        running.process.send_signal(signal.SIGHUP)
        running.process.wait(60)
        assert not running.layout.ready.exists()
        assert not [pid for pid in parts if runs(pid)]


def test_where_users_make_no_namespaces_it_refuses_and_says_what_to_do() -> None:
    need_sandbox_without_root()
    with TemporaryDirectory(prefix="wb-") as folder:
        root = Path(folder)
        settings = root / "settings.yaml"
        settings.write_text(kit.settings_text(kit.free_port()), encoding="utf-8")
        kit.give_all(root, NOBODY)
        root.chmod(0o755)
        without = ["bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--"]
        command = [sys.executable, "-m", "enclave", "workbench", "--root", str(root), "--settings", str(settings)]
        ended = subprocess.run(
            [*without, *command],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd=kit.ROOT,
            env={**os.environ, "PYTHONPATH": str(kit.ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == 14, ended.stdout + ended.stderr
        said = ended.stdout + ended.stderr
        assert "NO_SANDBOX: this machine lets nobody but root make sandboxes" in said
        assert "start as root, or let root set user.max_user_namespaces" in said
        assert not (root / "house").exists()
