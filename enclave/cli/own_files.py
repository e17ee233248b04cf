"""`enclave own-files`: what stewards bring to a project for its members."""

from pathlib import Path

import click

from enclave.cli.options import ACCOUNT, FILE, ROOT, account_of, house_of
from enclave.wiring.own_files import OwnFiles

PROJECT = click.option("--project", required=True, help="The project whose members may read them.")


@click.group("own-files")
def own_files() -> None:
    """Bring scripts, notebooks and public tables to a project; its members read them in their notebooks."""


@own_files.command("bring")
@ROOT
@ACCOUNT
@PROJECT
@click.argument("files", type=FILE, nargs=-1, required=True)
def bring(*, root: Path, account: str | None, project: str, files: tuple[Path, ...]) -> None:
    """Look at FILES and bring them in, all or none. A file of the same name is replaced."""
    with house_of(root) as house:
        for name in OwnFiles(house, project).bring(account_of(house, account), files):
            click.echo(name)


@own_files.command("list")
@ROOT
@PROJECT
def listed(*, root: Path, project: str) -> None:
    """List what was brought to a project."""
    with house_of(root) as house:
        for path in OwnFiles(house, project).listed():
            click.echo(path.name)


@own_files.command("remove")
@ROOT
@ACCOUNT
@PROJECT
@click.argument("names", nargs=-1, required=True)
def remove(*, root: Path, account: str | None, project: str, names: tuple[str, ...]) -> None:
    """Take files away again."""
    with house_of(root) as house:
        OwnFiles(house, project).remove(account_of(house, account), names)
