"""What somebody outside can try on published releases."""

import sys
from pathlib import Path

import click

from enclave.cli.options import FOLDER, KEY
from enclave.wiring.commands import outside


@click.command()
@KEY
@click.argument("folders", type=FOLDER, nargs=-1, required=True, metavar="RELEASE...")
def attack(key: Path, folders: tuple[Path, ...]) -> None:
    """Attack releases together, with nothing but what they print."""
    finding = outside.attack(folders, key)
    for line in finding.lines():
        click.echo(line)
    if not finding.passed:
        sys.exit(1)
