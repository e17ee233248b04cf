"""`enclave destroy`: two persons destroy a project, and the key holder brings a new key."""

from pathlib import Path

import click

from enclave.cli.options import ACCOUNT, ANY_FILE, ROOT, account_of, house_of, opens_the_vault
from enclave.wiring.destruction import command
from enclave.wiring.keys import key_holder
from enclave.wiring.keys.key_holder import Given, Protect


@click.command()
@ROOT
@ACCOUNT
@click.option("--project", required=True, help="Project to destroy, such as advice-17-17-2016.")
@click.option("--dry-run", is_flag=True, help="List what would go and what would stay; change nothing.")
@opens_the_vault
@click.option("--new-key-file", type=ANY_FILE, help="New key file, made here; the old one opens nothing any more.")
@click.option("--new-shares", type=(int, int), help="New shares instead: how many are needed, how many are made.")
@click.option("--new-shares-to", type=click.Path(path_type=Path), help="Folder to write the new shares to.")
@click.option("--new-passphrase-fd", type=int, help="File descriptor to read a new passphrase from.")
def destroy(
    *,
    root: Path,
    account: str | None,
    project: str,
    dry_run: bool,
    given: Given,
    new_key_file: Path | None,
    new_shares: tuple[int, int] | None,
    new_shares_to: Path | None,
    new_passphrase_fd: int | None,
) -> None:
    """Destroy a project for ever: its keys, data, coding tables, homes; what was released and the log stay.

    Two persons decide, a steward and another steward or an operator, each by this command within a week. With the
    second one the key holder brings the key of the house and a new one: the remaining keys are put under it. Given
    again after an interruption, it is finished. At its end stands a signed certificate.
    """
    with house_of(root) as house:
        acting = account_of(house, account)
        if dry_run:
            for line in command.dry_run(house, acting, project):
                click.echo(line)
            return
        if not command.decide(house, acting, project):
            click.echo(f"you have decided it; {project} is destroyed once a second person decides it within a week")
            return
    renew = _renew(new_key_file, new_shares, new_shares_to, new_passphrase_fd)
    certificate = command.carry_out(root, given, new_key_file, renew, project)
    click.echo(f"{project} is destroyed; certificate: {certificate}")
    click.echo("the house opens with the new key alone; destroy every copy of the old one")


def _renew(
    new_key_file: Path | None, shares: tuple[int, int] | None, shares_to: Path | None, passphrase_fd: int | None
) -> Protect | None:
    if new_key_file is None and shares is None and passphrase_fd is None:
        return None
    return key_holder.protection_from(new_key_file, shares, shares_to, passphrase_fd)
