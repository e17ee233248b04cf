"""Nobody can change a release unseen: every edit is found by the stand-alone verifier, run without the enclave.

One verifier process (`python -I`, the shipped file alone) is asked about thousands of edited folders; some edits are
also given to its command line, to see the exit code that people see.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enclave.ledger.manifest import MANIFEST, SIGNATURE
from enclave.ledger.signing import SigningKey
from tests.lib.releases import by_sex, content, release_files, written

PROGRAM = Path("enclave/ledger/verify_release.py").resolve()

SERVER = """
import json, runpy, sys
from pathlib import Path
verify = runpy.run_path(sys.argv[1])["verify"]
key = Path(sys.argv[2]).read_bytes()
for line in sys.stdin:
    print(json.dumps(verify(json.loads(line), key)), flush=True)
assert not any(name.split(".")[0] == "enclave" for name in sys.modules)
"""


class Verifier:
    """The stand-alone verifier in a process of its own."""

    def __init__(self, key_file: Path) -> None:
        command = [sys.executable, "-I", "-c", SERVER, str(PROGRAM), str(key_file)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def problems(self, folder: Path) -> list[str]:
        """Return what it finds in this folder."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(str(folder)) + "\n")
        self.process.stdin.flush()
        found: list[str] = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> None:
        """End the process; it must have needed nothing of the enclave."""
        self.process.communicate()
        assert self.process.returncode == 0


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.create(tmp_path_factory.mktemp("keys") / "release.key")


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory, key: SigningKey) -> Path:
    path = tmp_path_factory.mktemp("public") / "release.pem"
    path.write_bytes(key.public_pem)
    return path


@pytest.fixture(scope="module")
def verifier(key_file: Path) -> Iterator[Verifier]:
    running = Verifier(key_file)
    yield running
    running.close()


@pytest.fixture(scope="module")
def files(key: SigningKey) -> dict[str, bytes]:
    return release_files(key, content())


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    """Return a release folder that can be edited, as a recipient's copy can."""
    return written(tmp_path / "r1", files)


def exit_code(folder: Path, key_file: Path) -> int:
    """Return what a recipient's command line gets."""
    command = [sys.executable, "-I", str(PROGRAM), str(folder), "--key", str(key_file)]
    return subprocess.run(command, capture_output=True, check=False, cwd=folder.parent).returncode


def flips(data: bytes, places: list[int], seed: int) -> Iterator[bytes]:
    """Yield the data with one bit of one byte changed, a seeded bit for each place."""
    chance = random.Random(seed)
    for place in places:
        yield data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def test_an_untouched_release_verifies(folder: Path, verifier: Verifier, key_file: Path) -> None:
    assert verifier.problems(folder) == []
    assert exit_code(folder, key_file) == 0


@pytest.mark.parametrize("path", [MANIFEST, SIGNATURE])
def test_every_flipped_byte_of_manifest_and_signature(
    tmp_path: Path, verifier: Verifier, key: SigningKey, path: str
) -> None:
    folder = written(tmp_path / "small", release_files(key, content(tables=[by_sex()])))
    assert verifier.problems(folder) == []
    data = (folder / path).read_bytes()
    for number, changed in enumerate(flips(data, list(range(len(data))), seed=1)):
        (folder / path).write_bytes(changed)
        assert verifier.problems(folder), f"byte {number} of {path}"


def test_flipped_bytes_of_every_other_file(folder: Path, verifier: Verifier, files: dict[str, bytes]) -> None:
    for path in sorted(set(files) - {MANIFEST, SIGNATURE}):
        data = files[path]
        places = sorted({0, len(data) - 1, *random.Random(2).sample(range(len(data)), min(40, len(data)))})
        for number, changed in zip(places, flips(data, places, seed=3), strict=True):
            (folder / path).write_bytes(changed)
            assert any(path in problem for problem in verifier.problems(folder)), f"byte {number} of {path}"
        (folder / path).write_bytes(data)


def test_every_truncated_lengthened_or_emptied_file(folder: Path, verifier: Verifier, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        for changed in (data[:-1], data[: len(data) // 2], b"", data + b"\n", data + data, b"\xef\xbb\xbf" + data):
            (folder / path).write_bytes(changed)
            assert verifier.problems(folder), path
        (folder / path).write_bytes(data)
    assert verifier.problems(folder) == []


def test_every_removed_or_renamed_file(folder: Path, verifier: Verifier, files: dict[str, bytes]) -> None:
    for path in files:
        for new in (f"{path}.bak", path.upper(), f"more/{Path(path).name}"):
            (folder / new).parent.mkdir(exist_ok=True)
            (folder / path).rename(folder / new)
            assert verifier.problems(folder), (path, new)
            (folder / new).rename(folder / path)
        (folder / path).rename(folder.parent / "taken")
        assert verifier.problems(folder), path
        (folder.parent / "taken").rename(folder / path)
    assert verifier.problems(folder) == []


def test_every_pair_of_swapped_files(folder: Path, verifier: Verifier, files: dict[str, bytes]) -> None:
    names = sorted(files)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            (folder / first).write_bytes(files[second])
            (folder / second).write_bytes(files[first])
            assert verifier.problems(folder), (first, second)
            (folder / first).write_bytes(files[first])
            (folder / second).write_bytes(files[second])


@pytest.mark.parametrize(
    "name",
    [
        "extra.csv",
        "tables/t9.csv",
        ".hidden",
        "tables/.t1.csv.swp",
        "é.txt",
        "a b",
        "manifest.json.bak",
        "tables/t1.csv ",
    ],
)
def test_an_added_file(folder: Path, verifier: Verifier, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert verifier.problems(folder)


def linked_file(folder: Path) -> None:
    """Put a link to the same bytes in the place of a table."""
    (folder / "tables/t1.csv").rename(folder.parent / "t1.csv")
    (folder / "tables/t1.csv").symlink_to(folder.parent / "t1.csv")


def linked_folder(folder: Path) -> None:
    """Put a link to the same tables in the place of their folder."""
    (folder / "tables").rename(folder.parent / "tables")
    (folder / "tables").symlink_to(folder.parent / "tables")


def dangling_link(folder: Path) -> None:
    """Add a link that leads nowhere."""
    (folder / "x").symlink_to("nowhere")


def endless_link(folder: Path) -> None:
    """Add a link that leads back to the release."""
    (folder / "x").symlink_to(folder)


def device_link(folder: Path) -> None:
    """Put a link to an endless device in the place of a file."""
    (folder / "README.txt").unlink()
    (folder / "README.txt").symlink_to("/dev/zero")


def pipe(folder: Path) -> None:
    """Put a pipe, which would block a reader, in the place of a file."""
    (folder / "README.txt").unlink()
    os.mkfifo(folder / "README.txt")


def folder_for_file(folder: Path) -> None:
    """Put an empty folder in the place of a file."""
    (folder / "README.txt").unlink()
    (folder / "README.txt").mkdir()


def huge_file(folder: Path) -> None:
    """Put a terabyte of nothing in the place of a file."""
    with (folder / "README.txt").open("wb") as file:
        file.truncate(2**40)


def many_files(folder: Path) -> None:
    """Add more files than a release can hold."""
    for number in range(2100):
        (folder / f"x{number}").touch()


@pytest.mark.parametrize(
    "edit",
    [
        linked_file,
        linked_folder,
        dangling_link,
        endless_link,
        device_link,
        pipe,
        folder_for_file,
        huge_file,
        many_files,
    ],
)
def test_a_hostile_folder_is_refused_without_harm(
    folder: Path, verifier: Verifier, key_file: Path, edit: Callable[[Path], None]
) -> None:
    edit(folder)
    assert verifier.problems(folder)
    assert exit_code(folder, key_file) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"stage":"inside"', b'"stage":"outside"'),
        (b'"stage":"inside"', b'"stage":"outside","stage":"inside"'),
        (b'"stage":"inside"', b'"stage":"inside" '),
        (b'"hidden":10', b'"hidden":0'),
        (b'"value":5', b'"value":9'),
        (b'"stamp":"SYNTHETIC"', b'"stamp":null'),
        (b'"files":{', b'"files":{"../../etc/passwd":"00",'),
        (b"aaaaaaaaaaaaaaaa", b"cccccccccccccccc"),
    ],
)
def test_an_edited_manifest(folder: Path, verifier: Verifier, key_file: Path, old: bytes, new: bytes) -> None:
    data = (folder / MANIFEST).read_bytes()
    assert data.count(old) == 1
    (folder / MANIFEST).write_bytes(data.replace(old, new))
    assert verifier.problems(folder)
    assert exit_code(folder, key_file) == 1


def test_a_release_signed_by_somebody_else(folder: Path, verifier: Verifier, key_file: Path, tmp_path: Path) -> None:
    stranger = SigningKey.create(tmp_path / "stranger.key")
    for path, data in release_files(stranger, content()).items():
        (folder / path).write_bytes(data)
    assert verifier.problems(folder)
    assert exit_code(folder, key_file) == 1


def test_the_signature_of_another_release(folder: Path, verifier: Verifier, key: SigningKey) -> None:
    other = release_files(key, content(), "r2")
    (folder / SIGNATURE).write_bytes(other[SIGNATURE])
    assert verifier.problems(folder)
    (folder / MANIFEST).write_bytes(other[MANIFEST])
    assert verifier.problems(folder) == []  # manifest and signature belong together, and the files are the same


def test_the_manifest_of_another_release(folder: Path, verifier: Verifier, key: SigningKey) -> None:
    other = release_files(key, content(tables=[by_sex()]))
    for path in (MANIFEST, SIGNATURE):
        (folder / path).write_bytes(other[path])
    assert any("is not in the manifest" in problem for problem in verifier.problems(folder))


def test_an_empty_folder(folder: Path, verifier: Verifier, key_file: Path) -> None:
    shutil.rmtree(folder)
    assert verifier.problems(folder)
    folder.mkdir()
    assert verifier.problems(folder)
    assert exit_code(folder, key_file) == 1
