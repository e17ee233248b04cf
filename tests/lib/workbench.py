"""A whole workbench for tests: real launcher, hub, gateway and front on a tiny made-up house, and people at browsers.

The house has the first and the third table of the advice, with stage 1 released. It is made once for all processes of
a test run, and copied for each workbench.
"""

import fcntl
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from enclave.errors import EnclaveError
from enclave.sandbox.processes import processes_of
from enclave.wiring.keys import operator_client
from enclave.wiring.keys.key_holder import key_file
from enclave.wiring.settings import Settings as HouseSettings
from enclave.wiring.workbench.layout import MASTER_KEY, Layout
from enclave.wiring.workbench.settings import read_settings
from tests.lib.analyst_environment import PYTHON, need_analyst_environment
from tests.lib.sandbox_kit import why_no_sandbox
from tests.lib.session import Session

ROOT = Path(__file__).parents[2]
PROJECT = "advice-17-17-2016"
WITHOUT_ROOT = (
    "Started without root, as a reduced demonstration: sandboxes and parts have no users of their own, "
    "memory and processors no limits, homes neither encryption nor size."
)
"""What every page says where nobody is root."""

START_S, PATIENCE_S = 180.0, 60.0
FIRST_UID, UIDS, AT_ONCE = 300_000, 100, 20
_range_number = itertools.count()
_READ_LOG = """
import contextlib, sqlite3, sys
with contextlib.closing(sqlite3.connect(sys.argv[1], timeout=60)) as book:
    print(*(entry for (entry,) in book.execute("SELECT entry FROM log ORDER BY seq")), sep="\\n")
"""


def need_workbench() -> None:
    """Skip where set-up has not made what a workbench consists of."""
    need_analyst_environment()
    kernel = PYTHON.parents[1] / "share" / "jupyter" / "kernels" / "enclave" / "kernel.json"
    if not kernel.exists():
        pytest.skip("the kernel is not installed in .venv-analyst; run `make setup`")
    if why := why_no_sandbox():
        pytest.skip(f"cannot test here: {why}")


def made_house(shared: Path) -> Path:
    """Return a folder with `house` and `medium`, made by whichever process of this test run comes first."""
    folder = shared / "workbench-house"
    with (shared / "workbench-house.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "tests.lib.first_house", str(folder)], cwd=ROOT, check=True)
            (folder / "made").touch()
    return folder / "building"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def settings_text(port: int, **changes: str) -> str:
    """Return the settings that ship with the product, at another port, with user numbers of their own."""
    text = (ROOT / "hub_config" / "workbench.yaml").read_text(encoding="utf-8")
    # Two test processes never share user numbers, nor do two workbenches of one process.
    first = FIRST_UID + UIDS * (AT_ONCE * (os.getpid() % 1000) + next(_range_number) % AT_ONCE)
    changes = {
        "port: 8443": f"port: {port}",
        "stop_seconds: 10": "stop_seconds: 40",  # a test may hold a server that is stopping
        "{first: 70000, count: 10000}": f"{{first: {first}, count: {UIDS}}}",
        **changes,
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@dataclass
class Workbench:
    """A running workbench, as seen by whoever started it."""

    root: Path
    port: int
    process: "subprocess.Popen[str]"

    @property
    def layout(self) -> Layout:
        return Layout(self.root)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def passwords(self) -> dict[str, str]:
        lines = self.layout.log_ins.read_text(encoding="utf-8").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def session(self, account: str | None = None) -> Session:
        """Return a browser's session, logged in as this account."""
        session = Session(self.url)
        if account is not None:
            answer = session.log_in(account, self.passwords[account])
            assert answer.status == 200, answer.text
            assert answer.url.endswith("/hub/home"), answer.url
        return session

    def pid(self, part: str) -> int:
        found: dict[str, int] = json.loads((self.layout.logs / "parts.json").read_text(encoding="utf-8"))
        return found[part]

    def kill(self, part: str) -> None:
        """Kill a part with SIGKILL, and wait until another process has its place and answers."""
        before = self.pid(part)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.pid(part) != before, f"{part} to start again")
        wait_until(self.answers, f"the workbench to answer after {part}'s end")

    @property
    def server_users(self) -> range:
        """The user numbers of its servers and kernels."""
        users = read_settings(self.layout.settings).server_users
        return range(users.first, users.first + users.count)

    def server_pids(self, account: str) -> list[int]:
        """Return the processes of somebody's server, its sandbox included."""
        entries = json.loads((self.layout.launcher_state / "servers.json").read_text(encoding="utf-8"))
        (found,) = (entry for entry in entries if entry["key"]["account"] == account)
        inside = processes_of(found["uid"]) if os.geteuid() == 0 else []
        return sorted({int(found["process"]["pid"]), *inside})

    def answers(self) -> bool:
        session = Session(self.url)
        try:
            pages = [session.get(path).status for path in ("/hub/health", "/services/gateway/about")]
        except OSError:
            return False
        return all(status < 500 for status in pages) and self._launcher_listens() and self._unlocked()

    def vault_open(self) -> bool:
        found: dict[str, Any] = json.loads(self.layout.directory.read_text(encoding="utf-8"))
        return bool(found["vault_open"])

    def _unlocked(self) -> bool:
        """Ask the gateway itself: after a kill the directory still says what held before."""
        try:
            found = operator_client.status(operator_client.socket_of(self.layout.house))
        except EnclaveError:
            return False
        return found is not None and not found.locked and self.vault_open()

    def lock(self) -> None:
        """Lock the vault, as an operator does."""
        operator_client.lock(operator_client.socket_of(self.layout.house))

    def unlock(self) -> None:
        """Unlock it with the key file."""
        house = self.layout.house
        opener = key_file(self.layout.medium / MASTER_KEY, HouseSettings.read(house))
        operator_client.unlock(operator_client.socket_of(house), opener)

    def enrol(self, *people: str) -> None:
        """Enrol people anew (see `person`), as a steward does on the command line, which runs as the house's owner."""
        file = self.root / "people.yaml"
        file.write_text("\n".join(["people:", *people]) + "\n", encoding="utf-8")
        self._enclave("operator", "enrol", "--as", "steward.one", str(file))

    def own_files(self, command: str, *what: str) -> None:
        """Bring files to the project, or remove some, as a steward does on the command line."""
        self._enclave("own-files", command, "--as", "steward.one", "--project", PROJECT, *what)

    def audit_log(self) -> list[dict[str, Any]]:
        """Verify the audit log, and return its entries, as an auditor does on the command line."""
        path = self.layout.house / f"log-{time.time_ns()}.jsonl"
        self._enclave("log", "verify")
        self._enclave("log", "dump", "--as", "auditor.one", str(path))
        lines = path.read_text(encoding="utf-8").splitlines()
        path.unlink()
        return [json.loads(line)["entry"] for line in lines]

    def logged(self, action: str, actor: str, **details: str | list[str]) -> bool:
        """Say whether the log has such an entry, with these details among others; made to be asked again and again."""
        house = self.layout.house
        line = [sys.executable, "-I", "-c", _READ_LOG, str(house / "book" / "book.sqlite")]
        read = subprocess.run(line, check=True, user=house.stat().st_uid, capture_output=True, text=True)
        return any(
            (entry["action"], entry["actor"]) == (action, actor) and entry["details"].items() >= details.items()
            for entry in map(json.loads, read.stdout.splitlines())
        )

    def operator_status(self) -> str:
        """Return what whoever started the workbench is told as its operator."""
        line = [sys.executable, "-m", "enclave", "operator", "status", "--root", str(self.layout.house)]
        return subprocess.run(line, cwd=ROOT, check=True, env=_environment(), capture_output=True, text=True).stdout

    def _enclave(self, *command: str) -> None:
        """Run a command of the command line as the owner of the house."""
        house = self.layout.house
        line = [sys.executable, "-m", "enclave", *command, "--root", str(house)]
        subprocess.run(line, cwd=ROOT, check=True, user=house.stat().st_uid, env=_environment(), capture_output=True)

    def _launcher_listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.layout.launcher_socket)) == 0

    def log(self, part: str) -> str:
        return (self.layout.logs / f"{part}.log").read_text(encoding="utf-8", errors="replace")


def person(account: str, *roles: str, projects: tuple[str, ...] = ()) -> str:
    """Return somebody's entry for `Workbench.enrol`; who has no training to show for the role does not mind."""
    on = f"projects: [{', '.join(projects)}], " if projects else ""
    names = f"id: {account}, accounts: [{account}], roles: [{', '.join(roles)}]"
    return f"- {{{names}, {on}trained_until: 2099-12-31}}"


@contextmanager
def held(*pids: int) -> Iterator[None]:
    """Let processes stand still for a while, so that what waits for them can be looked at."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def wait_until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited for {what}, in vain"
        time.sleep(0.1)


@contextmanager
def started(
    house: Path,
    *,
    as_uid: int | None = None,
    left_by: Path | None = None,
    own_policies: bool = False,
    port: int | None = None,
    **changes: str,
) -> Iterator[Workbench]:
    """Start a workbench on a copy of this house, below a folder that every user can enter, and stop it at the end.

    With `as_uid` it is started by that user, who is not root. `left_by` are notices of starts that were refused.
    With `own_policies` the house has the policies for itself, and the project file that ships beside them.
    """
    root = Path(tempfile.mkdtemp(prefix="wb-"))
    root.chmod(0o755)
    try:
        place_house(house, root)
        if own_policies:
            give_policies(root)
        if left_by is not None:
            shutil.copytree(left_by, root / "notices")
        port = port or free_port()
        settings = root / "settings.yaml"
        settings.write_text(settings_text(port, **changes), encoding="utf-8")
        if as_uid is not None:
            give_all(root, as_uid)
        workbench = Workbench(root, port, start(root, settings, as_uid))
        try:
            wait_until(lambda: _up(workbench), "the workbench to start", START_S)
            yield workbench
        finally:
            workbench.process.terminate()
            workbench.process.communicate(timeout=60)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def place_house(house: Path, root: Path) -> None:
    shutil.copytree(house / "house", root / "house", symlinks=True)
    if os.geteuid() == 0:
        subprocess.run([sys.executable, "-m", "tests.lib.give_house", str(root / "house")], cwd=ROOT, check=True)
    (root / "medium").mkdir(mode=0o700)
    shutil.copy2(house / "medium" / MASTER_KEY, root / "medium" / MASTER_KEY)


def give_policies(root: Path) -> None:
    settings = root / "house" / "house.json"
    found = json.loads(settings.read_text(encoding="utf-8"))
    shutil.copytree(found["policies"], root / "policies")
    shutil.copytree(ROOT / "policies" / "projects", root / "policies" / "projects", dirs_exist_ok=True)
    settings.write_text(json.dumps(found | {"policies": str(root / "policies")}), encoding="utf-8")


def give_all(root: Path, uid: int) -> None:
    for path in (root, *root.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def start(root: Path, settings: Path, as_uid: int | None = None, without: str = "") -> "subprocess.Popen[str]":
    """Start `enclave workbench` in a process of its own; `without` names a module that is missing there."""
    code = f"import runpy, sys; sys.modules[{without!r}] = None; runpy.run_module('enclave', run_name='__main__')"
    program = ["-c", code] if without else ["-m", "enclave"]
    command = [sys.executable, *program, "workbench", "--root", str(root), "--settings", str(settings)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=as_uid,
        group=as_uid,
        extra_groups=None if as_uid is None else [],
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _up(workbench: Workbench) -> bool:
    if workbench.process.poll() is not None:
        said, _ = workbench.process.communicate()
        pytest.fail(f"the workbench ended at once: {said}")
    return workbench.layout.ready.exists() and workbench.answers()
