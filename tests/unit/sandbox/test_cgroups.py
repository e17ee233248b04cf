"""Groups of processes: both versions on made-up trees, and the real ones where the machine lets us make them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from enclave.sandbox.cgroups import CONTROLLERS, Cgroups, Resources

MOST = Resources(memory=64 * 2**20, processes=20, cpu_percent=150)


def second_version(root: Path, controllers: str = "cpu io memory pids") -> Path:
    (root / "cgroup.controllers").write_text(controllers)
    (root / "cgroup.subtree_control").touch()
    return root


def first_version(root: Path, *controllers: str) -> Path:
    for name in controllers:
        (root / name).mkdir()
    return root


def test_version_two_has_one_folder_with_all_limits(tmp_path: Path) -> None:
    groups = Cgroups(second_version(tmp_path))
    folder = tmp_path / "enclave" / "70001"
    folder.mkdir()
    (folder / "memory.swap.max").touch()
    assert groups.missing == ()
    assert groups.make("70001", MOST) == (folder / "cgroup.procs",)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "memory.max": str(64 * 2**20),
        "memory.swap.max": "0",
        "pids.max": "20",
        "cpu.max": "150000 100000",
    }
    for place in (tmp_path, tmp_path / "enclave"):
        assert (place / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def test_version_two_says_which_controllers_the_machine_lacks(tmp_path: Path) -> None:
    groups = Cgroups(second_version(tmp_path, "pids hugetlb"))
    assert groups.missing == ("memory", "cpu")
    groups.make("70001", MOST)
    assert {path.name for path in (tmp_path / "enclave" / "70001").iterdir()} == {"pids.max"}


def test_version_two_that_hands_nothing_down_makes_no_groups(tmp_path: Path) -> None:
    (second_version(tmp_path) / "enclave" / "cgroup.subtree_control").mkdir(parents=True)  # writing it fails
    assert Cgroups(tmp_path).missing == CONTROLLERS
    assert Cgroups(tmp_path).make("70001", MOST) == ()


def test_version_one_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    groups = Cgroups(first_version(tmp_path, *CONTROLLERS))
    assert groups.missing == ()
    joined = groups.make("70001", MOST)
    assert joined == tuple(tmp_path / name / "enclave" / "70001" / "cgroup.procs" for name in sorted(CONTROLLERS))
    assert (tmp_path / "memory/enclave/70001/memory.limit_in_bytes").read_text() == str(64 * 2**20)
    assert not (tmp_path / "memory/enclave/70001/memory.memsw.limit_in_bytes").exists(), "not counted on this machine"
    assert (tmp_path / "pids/enclave/70001/pids.max").read_text() == "20"
    assert (tmp_path / "cpu/enclave/70001/cpu.cfs_quota_us").read_text() == "150000"


def test_what_is_not_there_is_missing_and_does_not_hinder(tmp_path: Path) -> None:
    assert Cgroups(tmp_path / "nowhere").missing == CONTROLLERS
    assert Cgroups(tmp_path / "nowhere").make("70001", MOST) == ()
    groups = Cgroups(first_version(tmp_path, "pids"))
    assert groups.missing == ("memory", "cpu")
    assert groups.make("70001", MOST) == (tmp_path / "pids" / "enclave" / "70001" / "cgroup.procs",)


def test_a_group_is_gone_with_its_sandbox(tmp_path: Path) -> None:
    groups = Cgroups(first_version(tmp_path, "pids"))
    (tmp_path / "pids" / "enclave" / "70001").mkdir()
    groups.remove("70001")
    assert not (tmp_path / "pids" / "enclave" / "70001").exists()
    groups.remove("70001")


def test_real_limits_hold(tmp_path: Path) -> None:
    if os.geteuid() != 0 or "pids" not in Cgroups().usable or "memory" not in Cgroups().usable:
        pytest.skip(f"cannot test here: no rights to make groups, or no {Cgroups().missing} on this machine")
    groups, name = Cgroups(), f"test-{os.getpid()}"
    joined = groups.make(name, MOST)
    code = "import sys\nfor path in sys.argv[2:]: open(path, 'w').write('0')\nexec(sys.argv[1])"
    forks = "import os\ntry:\n for _ in range(30): os.fork() or os._exit(0)\nexcept BlockingIOError: print('no more')"
    forks = forks.replace("os._exit(0)", "(__import__('time').sleep(1), os._exit(0))")
    try:
        for bomb, holds in ((forks, "no more"), ("bytearray(256 * 2**20)", "")):
            ended = subprocess.run(
                [sys.executable, "-c", code, bomb, *map(str, joined)], capture_output=True, text=True, check=False
            )
            assert ended.stdout.strip() == holds
            assert holds or ended.returncode == -9
    finally:
        groups.remove(name)
    assert not any(path.parent.exists() for path in joined)
