"""What a machine gives, and what is said where it gives less: on made-up files of /proc and made-up folders."""

import os
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.sandbox import doctor, home_needs
from enclave.sandbox.cgroups import Cgroups
from enclave.sandbox.doctor import Finding, Standing, examine


def machine(root: Path, **files: str) -> Path:
    """Make files of /proc; `__` in a name stands for a slash."""
    usual = {
        "sys__kernel__yama__ptrace_scope": "1\n",
        "swaps": "Filename Type Size Used Priority\n",
        "sys__kernel__core_pattern": "core\n",
        "sys__kernel__kptr_restrict": "1\n",
    }
    for name, text in (usual | files).items():
        path = root / "proc" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "proc"


def found(proc: Path, root: Path | None = None) -> dict[str, Finding]:
    return {one.what: one for one in examine(root, proc)}


def test_a_machine_as_it_should_be(tmp_path: Path) -> None:
    told = found(machine(tmp_path))
    for what in ("Linux", "Yama", "swap", "core dumps", "addresses of the kernel"):
        assert told[what].standing is Standing.WELL, told[what]


@pytest.mark.parametrize(
    ("file", "text", "what", "words"),
    [
        ("sys__kernel__yama__ptrace_scope", "0\n", "Yama", "set kernel.yama.ptrace_scope=1"),
        ("swaps", "Filename\n/dev/sda2 partition 1 0 -2\n", "swap", "switch it off or encrypt it"),
        ("sys__kernel__kptr_restrict", "0\n", "addresses of the kernel", "set kernel.kptr_restrict=1"),
    ],
)
def test_what_is_to_be_mended_is_said_with_what_to_do(
    tmp_path: Path, file: str, text: str, what: str, words: str
) -> None:
    finding = found(machine(tmp_path, **{file: text}))[what]
    assert finding.standing is Standing.MEND
    assert words in finding.words


def test_a_kernel_that_is_too_old_is_named() -> None:
    assert doctor._kernel("4.19.0-1-amd64").standing is Standing.MEND
    assert doctor._kernel("6.1.0").standing is Standing.WELL


def test_limits_that_are_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    finding = doctor._groups(Cgroups(tmp_path))
    assert finding.standing is Standing.MEND
    assert "no memory, cpu" in finding.words


def test_an_open_folder_of_a_workbench_is_named(tmp_path: Path) -> None:
    for name in ("house", "medium"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "medium").chmod(0o755)
    told = found(machine(tmp_path), tmp_path)
    assert told["house/"].standing is Standing.WELL
    assert told["medium/"].standing is Standing.MEND
    assert f"chmod go= '{tmp_path / 'medium'}'" in told["medium/"].words
    assert told["log/"].standing is Standing.UNSEEN


def test_a_sandbox_is_tried(tmp_path: Path) -> None:
    assert found(machine(tmp_path))["sandboxes"].standing in {Standing.WELL, Standing.MEND}


@pytest.mark.skipif(os.geteuid() != 0, reason="cannot test here: only root encrypts homes")
def test_what_encrypted_homes_lack_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {one.what: one for one in doctor._homes(tmp_path)}
    assert "modprobe fuse" in told["/dev/fuse"].words
    assert "modprobe loop" in told["/dev/loop-control"].words
    monkeypatch.setattr(home_needs, "PROGRAMS", str(tmp_path))
    told = {one.what: one for one in doctor._homes(tmp_path)}
    assert "install the package gocryptfs" in told["gocryptfs"].words
    with pytest.raises(SetupError, match=r"NO_HOMES: .*mkfs.ext4 is missing; install the package e2fsprogs"):
        home_needs.require()


def test_a_disk_that_is_nearly_full_is_named() -> None:
    assert doctor._room(Path("homes"), doctor.LEAST_ROOM - 1).standing is Standing.MEND
    assert doctor._room(Path("homes"), doctor.LEAST_ROOM).standing is Standing.WELL
