"""What the commands have in common: their options, and how they open a house."""

import functools
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from enclave.errors import PermissionDenied
from enclave.wiring.house import House, open_house
from enclave.wiring.keys.key_holder import Given

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
ANY_FILE = click.Path(path_type=Path, dir_okay=False)
DAY = click.DateTime(formats=["%Y-%m-%d"])
ROOT = click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of the house.")
ACCOUNT = click.option("--as", "account", help="Account to act as; only in houses for made-up data.")
YEAR = click.option("--year", type=int, required=True, help="Year of the standing advice, such as 2016.")
POLICY = click.argument("policy_id", metavar="POLICY")
PURPOSE = click.option("--purpose", required=True, help="What for; the checkers read it.")
KEY = click.option("--key", type=FILE, required=True, help="Public key of the house (release.pub.pem).")


def say(line: str) -> None:
    """Show progress; standard output is for results."""
    click.echo(line, err=True)


def opens_the_vault(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options by which key holders open the vault; it hears of them as `given`."""

    @click.option("--key-file", type=ANY_FILE, help="Key file that opens the vault, on the key holder's medium.")
    @click.option("--share-file", type=ANY_FILE, multiple=True, help="File with a share; once for each share.")
    @click.option("--passphrase-fd", type=int, help="File descriptor to read the passphrase from.")
    @functools.wraps(command)
    def with_options(
        *, key_file: Path | None, share_file: tuple[Path, ...], passphrase_fd: int | None, **others: Any
    ) -> None:
        command(**others, given=Given(key_file, share_file, passphrase_fd))

    return with_options


@contextmanager
def house_of(root: Path, given: Given | None = None) -> Iterator[House]:
    """Open a house; for a command that is given something to open the vault with, unlocked or not at all."""
    opener = None if given is None else given.opener(root)
    with open_house(root, opener, getpass.getuser()) as house:
        if given is not None:
            house.vault.require_unlocked()
        yield house


def account_of(house: House, account: str | None) -> str:
    """Return who is at the keyboard: the log-in of the system, or in a made-up house whom one plays."""
    if account is None:
        return getpass.getuser()
    if not house.settings.synthetic:
        raise PermissionDenied("AS_NOT_ALLOWED", "--as is for made-up data only; log in as yourself")
    return account
