"""What key holders have in their hands: new protection for a new house, and what opens it later.

Secrets come from a file, from a question on the terminal, or from an open file descriptor: never from an argument or
from the environment, where every user of the machine or every child of the process could read them.
"""

import getpass
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import SetupError
from enclave.vault import files, shamir
from enclave.vault.master import KEY_BYTES, Key
from enclave.vault.master_file import MasterKeyFile
from enclave.vault.protection import (
    SALT_BYTES,
    ByKeyFile,
    ByPassphrase,
    ByShares,
    Kind,
    Opener,
    Protection,
    new_key_file,
    require_good,
)
from enclave.vault.shares import make_shares
from enclave.wiring.keys.memory import forbid_dumps
from enclave.wiring.settings import Settings

Protect = Callable[[Settings], tuple[Protection, Opener]]
"""Makes the protection of a new house, and returns it with what opens it."""

_LONGEST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class Given:
    """What a command was given to open the vault with: paths and a descriptor, no secret."""

    key_file: Path | None = None
    share_files: tuple[Path, ...] = ()
    passphrase_fd: int | None = None

    def opener(self, root: Path) -> Opener | None:
        """Return what opens the house: as given, or asked for at the terminal; None where there is neither."""
        ways = [self.key_file is not None, bool(self.share_files), self.passphrase_fd is not None]
        if sum(ways) > 1:
            raise SetupError("ONE_WAY", "a vault is opened in one way; give a key file, shares or a passphrase")
        settings = Settings.read(root)
        forbid_dumps()
        if self.key_file is not None:
            return key_file(self.key_file, settings)
        if self.share_files:
            return share_files(self.share_files, settings)
        if self.passphrase_fd is not None:
            return Opener(Kind.PASSPHRASE, (read_passphrase(self.passphrase_fd),))
        return ask_for(master_key(settings).protection)

    def needed_opener(self, root: Path) -> Opener:
        """Return what opens the house; SetupError where nothing was given and nobody can be asked."""
        found = self.opener(root)
        if found is None:
            protection = master_key(Settings.read(root)).protection
            raise SetupError("UNLOCK_WITH", f"this house is opened with {protection.words}: give {protection.option}")
        return found


def master_key(settings: Settings) -> MasterKeyFile:
    """Return the file of a house's master key, locked."""
    return MasterKeyFile(settings.master_key, settings.house, random_bytes=secrets.token_bytes)


def protection_from(
    key_file: Path | None, shares: tuple[int, int] | None, shares_to: Path | None, passphrase_fd: int | None
) -> Protect:
    """Return the one way that was chosen for a new house; without any, ask for a passphrase at the terminal."""
    if sum([key_file is not None, shares is not None, passphrase_fd is not None]) > 1 or (
        (shares is None) != (shares_to is None)
    ):
        raise SetupError("ONE_WAY", "choose one way: a key file, a passphrase, or --shares together with --shares-to")
    if key_file is not None:
        return by_new_key_file(key_file)
    if shares is not None and shares_to is not None:
        return by_new_shares(*shares, shares_to)
    return by_passphrase(ask_for_new_passphrase() if passphrase_fd is None else read_passphrase(passphrase_fd))


def by_passphrase(passphrase: str) -> Protect:
    """Protect by this passphrase."""
    require_good(passphrase)
    return lambda _: (ByPassphrase(_salt()), Opener(Kind.PASSPHRASE, (passphrase,)))


def by_new_key_file(path: Path) -> Protect:
    """Protect by a key file that is made at `path`, which lies outside the house unless its data are made up."""

    def protect(settings: Settings) -> tuple[Protection, Opener]:
        _require_elsewhere(path, settings)
        line = new_key_file(secrets.token_bytes)
        _keep(path, line)
        return ByKeyFile(_salt()), Opener(Kind.KEY_FILE, (line,))

    return protect


def by_new_shares(needed: int, made: int, folder: Path) -> Protect:
    """Protect by shares, one file each in `folder`; each holder takes one file away, and none may stay."""
    if not shamir.possible(needed, made):
        raise SetupError("SHARES", "at least two shares are needed, and at least as many are made, 255 at most")

    def protect(settings: Settings) -> tuple[Protection, Opener]:
        _require_elsewhere(folder, settings)
        shares = make_shares(Key(secrets.token_bytes(KEY_BYTES)), settings.house, needed, made, secrets.token_bytes)
        for share in shares:
            _keep(folder / f"share-{share.number}.txt", share.text + "\n")
        return ByShares(_salt(), needed, made), Opener(Kind.SHARES, tuple(share.text for share in shares[:needed]))

    return protect


def key_file(path: Path, settings: Settings) -> Opener:
    """Read a key file, which only we may read; SetupError where it is missing, open to others, or in the house."""
    _require_elsewhere(path, settings)
    return Opener(Kind.KEY_FILE, (_read(path),))


def share_files(paths: Sequence[Path], settings: Settings) -> Opener:
    """Read shares, one in each file."""
    for path in paths:
        _require_elsewhere(path, settings)
    return Opener(Kind.SHARES, tuple(_read(path).strip() for path in paths))


def read_passphrase(descriptor: int) -> str:
    """Read a passphrase from an open file descriptor: its first line."""
    try:
        with os.fdopen(descriptor, encoding="utf-8") as stream:
            return stream.readline(_LONGEST_SECRET).rstrip("\n")
    except (OSError, ValueError) as error:
        raise SetupError(
            "PASSPHRASE_FD", f"no passphrase can be read from file descriptor {descriptor}; open one for this command"
        ) from error


def ask_for(protection: Protection) -> Opener | None:
    """Ask at the terminal for what opens the house; None where there is nobody to ask, or only a file can open it."""
    if not has_terminal() or isinstance(protection, ByKeyFile):
        return None
    if isinstance(protection, ByPassphrase):
        return Opener(Kind.PASSPHRASE, (getpass.getpass("Passphrase of the vault: "),))
    count = range(1, protection.needed + 1)
    return Opener(Kind.SHARES, tuple(getpass.getpass(f"Share {number} of {len(count)}: ") for number in count))


def ask_for_new_passphrase() -> str:
    """Ask twice for the passphrase of a new house."""
    if not has_terminal():
        raise SetupError(
            "NO_TERMINAL",
            "there is no terminal to ask for a passphrase; choose --key-file, --shares or --passphrase-fd",
        )
    passphrase = getpass.getpass("New passphrase of the vault: ")
    if getpass.getpass("Once more: ") != passphrase:
        raise SetupError("PASSPHRASE_TWICE", "the two are not the same; begin again")
    return passphrase


def has_terminal() -> bool:
    """Whether somebody can be asked without the answer showing."""
    return sys.stdin.isatty()


def _salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def _require_elsewhere(path: Path, settings: Settings) -> None:
    """Refuse what lies in the folder of the house: whoever takes the folder would have it. Made-up data may be."""
    if not settings.synthetic and path.resolve().is_relative_to(settings.root.resolve()):
        raise SetupError(
            "KEY_IN_THE_HOUSE",
            f"'{path}' lies in the folder of the house that it opens; keep it on another medium, such as a USB stick",
        )


def _keep(path: Path, line: str) -> None:
    """Write a new secret file, for us alone; never over another one."""
    if path.exists() or path.is_symlink():
        raise SetupError("KEY_FILE_EXISTS", f"'{path}' exists already and may open another house; choose another name")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomically(path, [line.encode()])
    files.require_private(path)


def _read(path: Path) -> str:
    if not path.exists():
        raise SetupError("MEDIUM_MISSING", f"there is no '{path}'; put the medium in, or name where it is")
    files.require_private(path)
    with files.disk(path), path.open("rb") as stream:
        return stream.read(_LONGEST_SECRET).decode(errors="replace")
