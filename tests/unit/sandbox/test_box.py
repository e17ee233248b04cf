"""A sandbox as it is: what its first instruction finds, and what is gone when it ends. Real, where the machine can."""

import fcntl
import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.sandbox import box
from enclave.sandbox.box import Bind
from tests.lib.sandbox_kit import GROUP, USER, need_sandbox, plain_box, python, run, started

pytestmark = pytest.mark.timeout(120)

STATUS = "/proc/1/status"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    need_sandbox()
    return tmp_path


def test_nobody_inside_has_a_right_or_can_get_one(place: Path) -> None:
    code, said = run(
        plain_box(place, "/bin/grep", "-E", "^(Uid|Gid|Groups|Cap[A-Z][a-z]+|NoNewPrivs|Seccomp):", STATUS), place
    )
    told = {line.split(":")[0]: line.split(":")[1].split() for line in said.splitlines()}
    assert code == 0
    assert told["Uid"] == [str(USER)] * 4
    assert told["Gid"] == [str(GROUP)] * 4
    assert told["Groups"] == []
    assert [told[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [["0000000000000000"]] * 5
    assert told["NoNewPrivs"] == ["1"]
    assert told["Seccomp"] == ["2"]


def test_what_stands_at_the_root_is_what_was_put_there(place: Path) -> None:
    _, said = run(plain_box(place, "/bin/ls", "-A", "/", "/run", "/opt", "/etc", "/home"), place)
    found = set(said.split())
    assert found == {
        *("/:", "/run:", "/opt:", "/etc:", "/home:", "work"),
        *("bin", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "run", "sbin", "tmp", "usr"),
        *("passwd", "group", "hosts", "hostname", "nsswitch.conf", "ld.so.cache", "localtime"),
    }


def test_the_network_is_loopback_alone(place: Path) -> None:
    _, said = run(plain_box(place, "/bin/cat", "/proc/net/dev", "/proc/net/route"), place)
    assert [line.split(":")[0].strip() for line in said.splitlines() if ":" in line] == ["lo"]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        code, _ = run(
            python(plain_box(place), f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)"), place
        )
    assert code != 0


def test_nothing_can_be_written_but_the_home_and_memory(place: Path) -> None:
    code = (
        "import os\n"
        "for folder, _, _ in os.walk('/'):\n"
        "    if not folder.startswith('/proc') and os.access(folder, os.W_OK): print(folder)\n"
    )
    _, said = run(python(plain_box(place), code), place)
    assert set(said.split()) == {"/tmp", "/dev/shm", "/home/work"}


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_memory_for_files_is_limited_in_bytes_and_in_number(place: Path, folder: str) -> None:
    code = (
        "import os, sys, errno\n"
        "try:\n"
        "    for number in range(200): open(f'{sys.argv[1]}/{number}', 'w')\n"
        "except OSError as error: print(errno.errorcode[error.errno])\n"
        "for number in range(90): os.unlink(f'{sys.argv[1]}/{number}')\n"
        "try: open(f'{sys.argv[1]}/big', 'wb').write(bytes(8 * 2 ** 20))\n"
        "except OSError as error: print(errno.errorcode[error.errno])\n"
    )
    wanted = python(plain_box(place), code)
    _, said = run(replace(wanted, line=(*wanted.line, folder)), place)
    assert said.split() == ["ENOSPC", "ENOSPC"]


def test_two_sandboxes_share_no_file_that_they_could_lock(place: Path) -> None:
    held = (
        "import fcntl, time\n"
        "file = open('/usr/bin/env')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(60)"
    )
    tried = "import fcntl\nfcntl.flock(open('/usr/bin/env'), fcntl.LOCK_EX | fcntl.LOCK_NB)\nprint('free')"
    one, other = place / "one", place / "other"
    one.mkdir()
    other.mkdir()
    process, outside = started(python(plain_box(one), held), one)
    try:
        for _ in range(200):
            if (one / "log").read_text() == "held\n":
                break
            time.sleep(0.05)
        _, said = run(
            python(plain_box(other), tried),
            other,
        )
        assert said == "free\n"
        with Path("/usr/bin/env").open() as hosts:
            fcntl.flock(hosts, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        process.kill()
        os.waitpid(outside, 0)


def test_a_folder_is_bound_without_programs_and_read_only_where_so_said(place: Path) -> None:
    (place / "shown").mkdir()
    script = place / "shown" / "script"
    script.write_text("#!/bin/sh\necho ran\n")
    script.chmod(0o755)
    shown = Bind(place / "shown", "/run/shown", writable=False)
    wanted = plain_box(place)
    wanted = replace(wanted, binds=(*wanted.binds, shown))
    code, said = run(
        replace(wanted, line=("/bin/sh", "-c", "/run/shown/script; touch /run/shown/x; cat /run/shown/script")), place
    )
    assert code == 0
    assert "Permission denied" in said
    assert "Read-only file system" in said
    assert "echo ran" in said


def test_whatever_was_started_inside_ends_with_the_first_process(place: Path) -> None:
    process, outside = started(
        plain_box(place, "/bin/sh", "-c", "setsid sleep 99 & setsid sleep 99 & exec sleep 99"), place
    )
    time.sleep(0.5)
    assert len(_of_user(USER)) >= 4
    process.kill()
    os.waitpid(outside, 0)
    assert _of_user(USER) == []
    assert not list((place / "stage").iterdir()), "what was mounted for it went with it"
    assert str(place) not in Path("/proc/self/mounts").read_text()


def test_the_dead_are_taken_off_the_table_by_the_first_process(place: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(20):\n"
        "    if os.fork() == 0:\n"
        "        os.fork()\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "time.sleep(0.5)\n"
        "stats = [open(f'/proc/{pid}/stat').read().split() for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "print(sum(stat[2] == 'Z' for stat in stats))\n"
    )
    assert run(python(plain_box(place), code), place) == (0, "0\n")


def test_a_tool_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setattr("enclave.sandbox.box.shutil.which", lambda *_, **__: None)
    with pytest.raises(SetupError, match=r"SANDBOX_TOOL: tini is missing; install it"):
        box.command_line(plain_box(place), place, 3, 4)


def _of_user(uid: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == uid:
                found.append(folder.name)
        except OSError:
            continue
    return found
