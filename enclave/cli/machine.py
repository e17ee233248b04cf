"""What the machine gives: what operators type before the first start, and after a change of the machine."""

import sys
from pathlib import Path

import click

from enclave.errors import SetupError
from enclave.sandbox.doctor import Standing, examine


@click.command()
@click.option("--root", type=click.Path(path_type=Path), help="Folder of a workbench, to look at its folders too.")
def doctor(root: Path | None) -> None:
    """Look at this machine, and say what is to be mended; nothing is changed."""
    mend = False
    for finding in examine(root):
        click.echo(f"{finding.standing:<12} {finding.what}: {finding.words}")
        mend = mend or finding.standing is Standing.MEND
    if mend:
        sys.exit(SetupError.exit_code)
