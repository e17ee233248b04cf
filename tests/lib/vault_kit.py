"""Vaults for tests, and a way to stop a process or fail the disk at the n-th change on disk."""

import errno
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from enclave.vault.keys import KeyUseHook
from enclave.vault.master_file import MasterKeyFile
from enclave.vault.protection import ByKeyFile, Kind, Opener
from enclave.vault.store import Vault

CHANGES = ("open", "write", "pwrite", "ftruncate", "fsync", "close", "replace", "unlink", "mkdir", "rmdir")
"""The calls of `os` by which the vault changes the disk (and `open`, by which it begins to)."""


OPENER = Opener(Kind.KEY_FILE, ("enclave-key-file-1 " + "5e" * 32 + "\n",))
PROTECTION = ByKeyFile(bytes(16))


def locked_master(path: Path) -> MasterKeyFile:
    return MasterKeyFile(path, "made-up", random_bytes=secrets.token_bytes)


def created_master(path: Path) -> MasterKeyFile:
    """Make the file of a master key; it is unlocked."""
    master = locked_master(path)
    master.create(PROTECTION, OPENER)
    return master


def unlocked_master(path: Path) -> MasterKeyFile:
    master = locked_master(path)
    master.unlock(OPENER)
    return master


def master_path(base: Path) -> Path:
    return base / "holder" / "master.key"


def make_vault(base: Path, on_key_use: KeyUseHook | None = None) -> Vault:
    """Make a vault in `base/vault` with its master key in `base/holder`, and open it."""
    (base / "holder").mkdir(parents=True, mode=0o700)
    Vault.create(base / "vault", created_master(master_path(base)))
    return open_vault(base, on_key_use)


def open_vault(base: Path, on_key_use: KeyUseHook | None = None) -> Vault:
    return Vault(base / "vault", unlocked_master(master_path(base)), on_key_use=on_key_use)


def persons(rows: int, seed: int = 1) -> dict[str, NDArray[Any]]:
    draw = np.random.default_rng(seed)
    return {
        "person": draw.integers(1, 2**53, rows),
        "sex": draw.integers(0, 2, rows).astype(np.int8),
        "region": draw.integers(0, 3, rows).astype(np.int8),
    }


def block_file(base: Path, project: str, dataset: str, partition: str) -> Path:
    """Return the only block of a partition."""
    (found,) = (base / "vault" / "data" / project / dataset).glob(f"{partition}.*.block")
    return found


def same(left: Mapping[str, NDArray[Any]], right: Mapping[str, NDArray[Any]]) -> bool:
    return list(left) == list(right) and all(
        left[name].dtype == right[name].dtype and left[name].tobytes() == right[name].tobytes() for name in left
    )


def killed_at(point: int, action: Callable[[], object]) -> bool:
    """Run the action in a forked process that is killed at its n-th change (a write: half done); False if it ended."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException), _at_change(point, _die):
            action()
            os._exit(0)
        os._exit(3)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the action failed without being killed"
    return False


@contextmanager
def failing_disk(point: int) -> Iterator[list[str]]:
    """Let the n-th change fail with EIO; the list that is given back holds its name once it happened."""
    happened: list[str] = []

    def fail(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> None:
        happened.append(name)
        if name == "close":
            call(*arguments)
        raise OSError(errno.EIO, "made up")

    with _at_change(point, fail):
        yield happened


def _die(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> None:
    if name == "write":
        handle, content = arguments
        call(handle, bytes(content)[: len(content) // 2])
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _at_change(point: int, happening: Callable[[Callable[..., Any], str, tuple[Any, ...]], None]) -> Iterator[None]:
    count = 0

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == point:
                happening(call, name, arguments)
            return call(*arguments, **named)

        return step

    with ExitStack() as patches:
        for name in CHANGES:
            patches.enter_context(patch.object(os, name, counted(name, getattr(os, name))))
        yield
