"""Attack and verify releases, verify the audit log, and check that everything agrees."""

from pathlib import Path

import click

from enclave.cli.options import ACCOUNT, FILE, KEY, ROOT, account_of, house_of, opens_the_vault
from enclave.wiring.commands import proofs
from enclave.wiring.keys.key_holder import Given


@click.command()
@KEY
@click.argument("what", type=click.Path(path_type=Path, exists=True), metavar="RELEASE")
def verify(key: Path, what: Path) -> None:
    """Verify a release (signature, hashes, completeness, additivity), or a certificate of destruction."""
    if what.is_file():
        click.echo(f"{proofs.verify_certificate(what, key)}; verified")
    else:
        proofs.verify(what, key)
        click.echo(f"{what.name}: verified")


@click.group()
def log() -> None:
    """Look at the audit log."""


@log.command("verify")
@ROOT
@click.option("--anchor", type=FILE, help="A head of the log that was kept outside the house.")
def log_verify(root: Path, anchor: Path | None) -> None:
    """Verify the whole audit log; with an anchor, also that nothing was cut off."""
    with house_of(root) as house:
        proofs.verify_log(house, anchor)
    click.echo("audit log: verified")


@log.command("dump")
@ROOT
@ACCOUNT
@click.argument("out", type=click.Path(path_type=Path))
def log_dump(root: Path, account: str | None, out: Path) -> None:
    """Write the audit log to a file that verify_log.py reads."""
    with house_of(root) as house:
        click.echo(proofs.dump_log(house, account_of(house, account), out))


@click.command()
@ROOT
@opens_the_vault
def fsck(root: Path, given: Given) -> None:
    """Check that outbox, log, state, certificates and store agree. Finishes what a crash left open."""
    with house_of(root, given) as house:
        proofs.check_everything(house)
    click.echo("outbox, log, state, certificates and store agree")
