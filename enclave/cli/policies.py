"""`enclave policy`: look at policies."""

from pathlib import Path

import click

from enclave.cli.options import FILE
from enclave.policy.reading.words import LANGUAGES, Language
from enclave.wiring.commands import policies


@click.group()
def policy() -> None:
    """Look at policies."""


@policy.command("check")
@click.argument("files", type=FILE, nargs=-1)
def policy_check(files: tuple[Path, ...]) -> None:
    """Check policy files against the house, the code lists and the sources; all that are shipped if none is named."""
    for line in policies.check(files):
        click.echo(line)


@policy.command("show")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the page.")
@click.argument("file", type=FILE)
def policy_show(file: Path, language: Language) -> None:
    """Print a policy for people who read law: every statement beside its paragraph."""
    for line in policies.show_page(file, language):
        click.echo(line)


@policy.command("diff")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
def policy_diff(old: Path, new: Path) -> None:
    """Say in sentences what changes from one policy to another: WIDER, NARROWER or CHANGED."""
    for line in policies.compare(old, new):
        click.echo(line)
