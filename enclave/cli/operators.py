"""`enclave operator` and `enclave workbench`: set a house up, keep it, and start the workbench."""

from datetime import datetime
from pathlib import Path

import click

from enclave.cli.options import ACCOUNT, ANY_FILE, DAY, FILE, ROOT, account_of, house_of, opens_the_vault
from enclave.gateway.retention import Extension
from enclave.wiring.commands import operating
from enclave.wiring.keys import key_holder, operator_client
from enclave.wiring.keys.key_holder import Given


@click.group()
def operator() -> None:
    """Set a house up and keep it."""


@operator.command("init")
@ROOT
@click.option("--synthetic", is_flag=True, help="The house is for made-up data only.")
@click.option("--key-file", type=ANY_FILE, help="Protect the master key by a key file, made here on another medium.")
@click.option("--shares", type=(int, int), help="Protect it by shares: how many are needed, how many are made.")
@click.option("--shares-to", type=click.Path(path_type=Path), help="Folder to write the shares to, one file each.")
@click.option("--passphrase-fd", type=int, help="File descriptor to read the passphrase from.")
def operator_init(
    *,
    root: Path,
    synthetic: bool,
    key_file: Path | None,
    shares: tuple[int, int] | None,
    shares_to: Path | None,
    passphrase_fd: int | None,
) -> None:
    """Make a house: folders, keys, vault, book. Asks for a passphrase unless told how to protect the master key."""
    protect = key_holder.protection_from(key_file, shares, shares_to, passphrase_fd)
    operating.make(root, synthetic=synthetic, protect=protect)
    click.echo(f"made {root}; now enrol people with `enclave operator enrol`")
    if key_file is not None:
        click.echo(f"{key_file} opens it: keep it on a medium elsewhere, and a copy in a safe")
    if shares_to is not None:
        click.echo(f"the shares in {shares_to} open it: give each to its holder, and leave none there")


@operator.command("unlock")
@ROOT
@opens_the_vault
def operator_unlock(root: Path, given: Given) -> None:
    """Unlock the vault of the running gateway: open the projects of the house."""
    operator_client.unlock(operator_client.socket_of(root), given.needed_opener(root))
    click.echo("unlocked")


@operator.command("lock")
@ROOT
def operator_lock(root: Path) -> None:
    """Lock the vault of the running gateway: close the projects of the house."""
    operator_client.lock(operator_client.socket_of(root))
    click.echo("locked")


@operator.command("status")
@ROOT
def operator_status(root: Path) -> None:
    """Tell how the vault stands, how the master key is protected, and when projects close."""
    for line in operating.door(root):
        click.echo(line)


@operator.command("enrol")
@ROOT
@ACCOUNT
@click.argument("people", type=FILE)
def operator_enrol(root: Path, account: str | None, people: Path) -> None:
    """Enrol the persons of a YAML file: id, accounts, roles, projects, conflicts, trained_until."""
    with house_of(root) as house:
        click.echo(operating.enrol(house, account_of(house, account), people))


@operator.command("extend")
@ROOT
@ACCOUNT
@click.option("--project", required=True, help="Project whose data may be kept longer.")
@click.option("--decision", "ruling", required=True, help="Number of the decision, such as 18/042.")
@click.option("--dated", type=DAY, required=True, help="Day of the decision.")
@click.option("--by", "authority", required=True, help="Who decided: a short name, such as security-committee.")
@click.option("--until", type=DAY, required=True, help="New day on which the project closes.")
def operator_extend(
    *, root: Path, account: str | None, project: str, ruling: str, dated: datetime, authority: str, until: datetime
) -> None:
    """Record a decision that a project's data may be kept longer; one that came too late is refused."""
    with house_of(root) as house:
        extension = Extension(ruling, dated.date(), authority, until.date())
        click.echo(operating.extend(house, account_of(house, account), project, extension))
