"""Servers of the launcher: for members only, taken over after a restart, ended with the membership. All is real."""

import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enclave.errors import PermissionDenied, RequestError, SetupError, UserError
from enclave.sandbox import environment, home_image
from enclave.sandbox.destroyed import remove_homes
from enclave.sandbox.kernel_orders import KernelOperation, KernelOrder
from enclave.sandbox.processes import Process
from enclave.sandbox.protocol import Operation, Order, ServerKey
from enclave.sandbox.servers import Servers
from tests.lib.launcher_kit import ENVIRONMENT, KEY, OTHER, PROJECT, directory, poll, servers, settings, start, stop


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Servers]:
    with servers(tmp_path) as found:
        yield found


def pid(root: Path) -> int:
    (entry,) = json.loads((root / "state" / "servers.json").read_text())
    found: int = entry["process"]["pid"]
    return found


def begin(launcher: Servers, root: Path) -> None:
    """Start the server, and wait until it is there: what is stopped before that is ended by force, later."""
    launcher.do(start())
    written(root / "homes" / PROJECT / "analyst.one" / "line")


def told(found: list[dict[str, object]]) -> Any:
    (entry,) = found
    return entry


def ended(launcher: Servers, reason: str) -> bool:
    """Say whether the server ended for this reason, within some seconds."""
    for _ in range(100):
        entry = told(launcher.do(poll()))
        if not entry["running"]:
            return bool(entry["reason"] == reason)
        time.sleep(0.05)
    return False


def written(path: Path) -> str:
    """Return what the server wrote, when it has written it."""
    for _ in range(100):
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(path)


def test_a_member_gets_a_server_with_a_home_and_a_socket_folder_of_its_own(launcher: Servers, tmp_path: Path) -> None:
    entry = told(launcher.do(start()))
    assert entry["running"]
    assert entry["socket"] == str(tmp_path / "run" / "300000" / "nb.sock")
    assert (tmp_path / "homes" / PROJECT / "analyst.one").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "run" / "300000").stat().st_mode & 0o7777 == 0o2750


def test_the_environment_is_what_the_list_allows_and_the_launcher_says(launcher: Servers, tmp_path: Path) -> None:
    os.environ["ENCLAVE_SECRET_OF_THE_LAUNCHER"] = "x"
    launcher.do(start())
    found = written(tmp_path / "homes" / PROJECT / "analyst.one" / "environment")
    names = {line.split("=")[0] for line in found.splitlines()}
    assert "ENCLAVE_SECRET_OF_THE_LAUNCHER" not in names
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == set(ENVIRONMENT) | {
        "ENCLAVE_KERNELS",
        "ENCLAVE_PROJECT",
        "ENCLAVE_STANDING",
        "HOME",
        "IPYTHONDIR",
        "JUPYTERHUB_ACTIVITY_URL",
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_DISABLE_USER_CONFIG",
        "JUPYTERHUB_SERVICE_URL",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "LANG",
        "PATH",
        "PYTHONNOUSERSITE",
    }
    assert f"ENCLAVE_PROJECT={PROJECT}" in found


def test_the_command_line_holds_nothing_of_the_order(launcher: Servers, tmp_path: Path) -> None:
    launcher.do(start(environment={"JUPYTERHUB_USER": "$(touch /tmp/x) --allow-root"}))
    line = written(tmp_path / "homes" / PROJECT / "analyst.one" / "line")
    assert line.startswith("-I -m jupyterhub.singleuser --config=/opt/workbench/server_config.py --ServerApp.sock=")
    assert "allow-root" not in line


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "PYTHONPATH", "PATH", "HOME", "ENCLAVE_PROJECT", "JUPYTERHUB_SERVICE_URL"]
)
def test_a_variable_that_is_not_on_the_list_is_refused_and_nothing_starts(launcher: Servers, name: str) -> None:
    with pytest.raises(RequestError) as refusal:
        launcher.do(start(environment={**ENVIRONMENT, name: "x"}))
    assert refusal.value.code == "ENVIRONMENT_NAME"
    assert not told(launcher.do(poll()))["running"]


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "x" * (environment.MAX_VALUE + 1)])
def test_a_value_that_no_such_variable_has_is_refused(launcher: Servers, value: str) -> None:
    with pytest.raises(RequestError) as refusal:
        launcher.do(start(environment={"JUPYTERHUB_USER": value}))
    assert refusal.value.code == "ENVIRONMENT_VALUE"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (ServerKey("analyst.one", "advice-17-17-1999"), "UNKNOWN_PROJECT"),
        (ServerKey("analyst.one", OTHER), "NOT_ON_PROJECT"),
        (ServerKey("checker.one", PROJECT), "NOT_ON_PROJECT"),
        (ServerKey("root", PROJECT), "UNKNOWN_ACCOUNT"),
    ],
)
def test_whoever_is_not_on_the_project_gets_no_server(launcher: Servers, key: ServerKey, code: str) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        launcher.do(start(key))
    assert refusal.value.code == code


def test_a_house_of_real_data_gets_no_server(launcher: Servers, tmp_path: Path) -> None:
    directory(synthetic=False).write(tmp_path / "directory.json")
    with pytest.raises(PermissionDenied) as refusal:
        launcher.do(start())
    assert refusal.value.code == "SYNTHETIC_ONLY"


def test_a_locked_vault_starts_nothing_and_ends_nothing(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    directory(vault_open=False).write(tmp_path / "directory.json")
    assert told(launcher.do(poll()))["running"]
    launcher.do(stop())
    assert ended(launcher, "STOPPED")
    with pytest.raises(PermissionDenied) as refusal:
        launcher.do(start())
    assert refusal.value.code == "VAULT_LOCKED"


def test_a_closed_project_ends_its_servers_and_starts_none(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    directory(closed=(PROJECT,)).write(tmp_path / "directory.json")
    assert ended(launcher, "RETENTION_PASSED")
    with pytest.raises(PermissionDenied) as refusal:
        launcher.do(start())
    assert refusal.value.code == "RETENTION_PASSED"


def test_homes_of_a_destroyed_project_are_removed_once_no_server_runs(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    homes = settings(tmp_path).homes
    (homes / OTHER).mkdir(exist_ok=True)
    (homes / "elsewhere").mkdir()
    (tmp_path / "outside").mkdir()
    (homes / "linked").symlink_to(tmp_path / "outside")
    directory(closed=(PROJECT,), destroyed=(PROJECT, "linked", "../outside", "..")).write(tmp_path / "directory.json")
    launcher.do(poll())
    assert ended(launcher, "RETENTION_PASSED")
    launcher.do(poll())
    assert not (homes / PROJECT).exists()
    for left in (homes / OTHER, homes / "elsewhere", homes / "linked", tmp_path / "outside"):
        assert left.exists()


def test_a_home_that_is_open_somewhere_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PROJECT).mkdir()
    image = tmp_path / PROJECT / "analyst.one.home"
    image.touch()
    monkeypatch.setattr(home_image, "in_use", lambda path: path == image)
    remove_homes(tmp_path, [PROJECT], [])
    assert image.exists()
    monkeypatch.undo()
    remove_homes(tmp_path, [PROJECT], [KEY])
    assert image.exists()
    remove_homes(tmp_path, [PROJECT], [])
    assert not (tmp_path / PROJECT).exists()


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"format": "directory/2"}'])
def test_a_damaged_directory_starts_nothing_and_ends_nothing(launcher: Servers, tmp_path: Path, damage: str) -> None:
    launcher.do(start())
    (tmp_path / "directory.json").write_text(damage)
    assert told(launcher.do(poll()))["running"]
    with pytest.raises(SetupError):
        launcher.do(start(ServerKey("analyst.one", OTHER)))


def test_a_directory_that_is_a_link_is_not_read(launcher: Servers, tmp_path: Path) -> None:
    (tmp_path / "directory.json").rename(tmp_path / "elsewhere.json")
    (tmp_path / "directory.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(SetupError):
        launcher.do(start())


def test_a_server_ends_with_the_membership_without_anybody_asking(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    directory(projects=()).write(tmp_path / "directory.json")
    launcher.sweep()
    assert ended(launcher, "MEMBERSHIP_WITHDRAWN")


def test_a_server_that_runs_is_not_started_twice(launcher: Servers) -> None:
    launcher.do(start())
    with pytest.raises(RequestError) as refusal:
        launcher.do(start())
    assert refusal.value.code == "SERVER_RUNS"


def test_a_launcher_that_starts_again_takes_its_servers_over(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    process = pid(tmp_path)
    again = Servers(settings(tmp_path))
    assert told(again.do(poll()))["running"]
    assert told(again.do(Order(Operation.LIST, None, {})))["account"] == KEY.account
    again.do(stop())
    assert ended(again, "STOPPED")
    assert not Path(f"/proc/{process}").exists()


def test_a_number_that_came_back_is_not_taken_for_the_server(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    records = tmp_path / "state" / "servers.json"
    (entry,) = json.loads(records.read_text())
    mine = Process.of(os.getpid())
    forged = {"pid": mine.pid, "born": mine.born - 1, "boot": mine.boot}
    records.write_text(json.dumps([{**entry, "process": forged}]))
    again = Servers(settings(tmp_path))
    again.do(stop())
    assert not told(again.do(poll()))["running"], "this very process was not signalled, and is not the server"
    os.kill(entry["process"]["pid"], signal.SIGKILL)


def test_a_server_that_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    with servers(tmp_path, stop_s=0.0) as launcher:
        (tmp_path / "analyst" / "bin" / "python").write_text('#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 0.1; done\n')
        launcher.do(start())
        time.sleep(0.3)
        launcher.do(stop())
        assert ended(launcher, "STOPPED")


def test_a_server_that_ends_by_itself_is_struck_off(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    os.kill(pid(tmp_path), signal.SIGKILL)
    assert ended(launcher, "ENDED")
    assert json.loads((tmp_path / "state" / "servers.json").read_text()) == []


def test_a_user_number_is_given_once_and_for_ever(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    directory(projects=(PROJECT, OTHER)).write(tmp_path / "directory.json")
    other = ServerKey("analyst.one", OTHER)
    assert told(launcher.do(start(other)))["socket"].endswith("/300002/nb.sock")
    launcher.do(stop())
    launcher.do(stop(other))
    assert ended(launcher, "STOPPED")
    again = Servers(settings(tmp_path))
    assert told(again.do(start(KEY)))["socket"].endswith("/300000/nb.sock")


def test_when_all_numbers_are_given_nothing_more_starts(launcher: Servers, tmp_path: Path) -> None:
    given = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    (tmp_path / "state" / "uids.json").write_text(json.dumps(given))
    with pytest.raises(SetupError) as refusal:
        Servers(settings(tmp_path)).do(start())
    assert refusal.value.code == "UIDS_USED_UP"


@pytest.mark.parametrize("name", ["uids.json", "servers.json"])
def test_damaged_records_stop_the_launcher(tmp_path: Path, name: str) -> None:
    settings(tmp_path)
    (tmp_path / "state" / name).write_text("[[")
    with pytest.raises(UserError):
        Servers(settings(tmp_path))


def noted(root: Path) -> list[dict[str, str]]:
    """Return what was noted for the audit log, oldest first."""
    found = [json.loads(path.read_text()) for path in sorted((root / "notices").iterdir())]
    return [{"event": notice["event"], **notice["details"]} for notice in found]


def test_start_and_end_of_a_server_are_noted_for_the_audit_log(launcher: Servers, tmp_path: Path) -> None:
    whose = {"account": "analyst.one", "project": PROJECT}
    begin(launcher, tmp_path)
    launcher.do(stop())
    assert ended(launcher, "STOPPED")
    assert noted(tmp_path) == [
        {"event": "server_started", **whose},
        {"event": "server_ended", **whose, "code": "STOPPED"},
    ]


def test_no_server_starts_unnoted(launcher: Servers, tmp_path: Path) -> None:
    (tmp_path / "notices").rmdir()
    with pytest.raises(SetupError) as refusal:
        launcher.do(start())
    assert refusal.value.code == "NOTICE"
    assert not (tmp_path / "state" / "servers.json").exists()
    (tmp_path / "notices").mkdir()


def test_a_refused_order_is_noted_once_with_the_names_that_the_house_knows(launcher: Servers, tmp_path: Path) -> None:
    for _ in range(3):
        launcher.note_refusal(KEY, "VAULT_LOCKED")
    launcher.note_refusal(ServerKey("typed-by-somebody", "some-project"), "UNKNOWN_PROJECT")
    launcher.note_refusal(None, "NOT_THE_HUB")
    assert noted(tmp_path) == [
        {"event": "server_refused", "account": "analyst.one", "project": PROJECT, "code": "VAULT_LOCKED"},
        {"event": "server_refused", "code": "UNKNOWN_PROJECT"},
        {"event": "server_refused", "code": "NOT_THE_HUB"},
    ]


def test_an_order_about_kernels_is_a_servers_own_by_its_socket_and_its_user(launcher: Servers, tmp_path: Path) -> None:
    begin(launcher, tmp_path)
    (number,) = launcher.order_sockets().values()
    assert stat.S_ISSOCK((tmp_path / "orders" / str(number) / "kernels.sock").stat().st_mode)
    kernel = "6f69c0bb-93ef-4c9e-936b-731c4f6f89cc"
    order = KernelOrder(KernelOperation.POLL, kernel, ".")
    assert launcher.do_for_server(number, os.getuid(), order) is False
    for asked in ((number, os.getuid() + 1), (number + 1, os.getuid()), (number + 2, os.getuid())):
        with pytest.raises(PermissionDenied, match="NOT_A_SERVER"):
            launcher.do_for_server(*asked, order)
    launcher.do(stop())
    assert ended(launcher, "STOPPED")
    assert launcher.order_sockets() == {}
    with pytest.raises(PermissionDenied, match="NOT_A_SERVER"):
        launcher.do_for_server(number, os.getuid(), order)


def test_a_refused_order_about_a_kernel_is_noted_once_with_whose_server_it_was(
    launcher: Servers, tmp_path: Path
) -> None:
    begin(launcher, tmp_path)
    (number,) = (entry["uid"] for entry in json.loads((tmp_path / "state" / "servers.json").read_text()))
    for _ in range(3):
        launcher.note_kernel_refusal(number, "KERNELS_FULL")
    launcher.note_kernel_refusal(1, "NOT_A_SERVER")
    launcher.do(stop())
    assert ended(launcher, "STOPPED")
    assert [notice for notice in noted(tmp_path) if notice["event"] == "kernel_refused"] == [
        {"event": "kernel_refused", "account": "analyst.one", "project": PROJECT, "code": "KERNELS_FULL"},
        {"event": "kernel_refused", "code": "NOT_A_SERVER"},
    ]
