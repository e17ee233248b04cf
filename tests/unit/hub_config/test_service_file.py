"""The unit for systemd: systemd itself takes it, and it starts what this product calls the workbench."""

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from enclave.cli import cli
from enclave.wiring.workbench.settings import REPOSITORY

UNIT = REPOSITORY / "hub_config" / "systemd" / "enclave-workbench.service"


def settings_of(name: str) -> list[str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def test_systemd_takes_it_without_a_word(tmp_path: Path) -> None:
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("cannot test here: there is no systemd-analyze")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/enclave/.venv/bin/enclave", "/bin/true"))
    ended = subprocess.run([analyse, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (ended.returncode, UNIT.name in ended.stderr) == (0, False), ended.stderr


def test_it_starts_the_workbench_with_options_that_exist() -> None:
    (line,) = settings_of("ExecStart")
    program, command, *options = line.split()
    assert program.endswith("/.venv/bin/enclave")
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    known = {name for parameter in found.params for name in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known


def test_no_memory_reaches_a_disk_by_a_crash_and_servers_end_in_order() -> None:
    assert settings_of("LimitCORE") == ["0"]
    assert settings_of("UMask") == ["0077"]
    assert settings_of("KillMode") == ["mixed"]
