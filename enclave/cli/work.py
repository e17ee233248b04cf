"""From made-up or delivered files to results before the checkers: what CBSS staff and analysts type."""

import sys
from pathlib import Path

import click

from enclave.cli.options import (
    ACCOUNT,
    FILE,
    FOLDER,
    POLICY,
    PURPOSE,
    ROOT,
    YEAR,
    account_of,
    house_of,
    opens_the_vault,
    say,
)
from enclave.wiring.commands import work
from enclave.wiring.keys.key_holder import Given
from enclave.wiring.protect_tables.quiet import quiet_solver
from enclave.wiring.protect_tables.run import protect_problem


@click.command()
@click.option("--preset", type=click.Choice(work.PRESETS), required=True, help="Size of the made-up world.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Empty folder for the deliveries.")
@click.option("--year", type=int, help="Year of the advice; the preset's own if left out.")
@click.option("--seed", type=int, default=17, show_default=True, help="Same seed, same bytes.")
def synth(preset: str, out: Path, year: int | None, seed: int) -> None:
    """Write made-up deliveries, stamped SYNTHETIC."""
    work.synth(preset, out, year, seed, say=say)
    click.echo(str(out))


@click.command()
@ROOT
@ACCOUNT
@click.option("--correction", is_flag=True, help="The files replace what was delivered before.")
@click.argument("folders", type=FOLDER, nargs=-1, required=True)
@opens_the_vault
def intake(*, root: Path, account: str | None, correction: bool, folders: tuple[Path, ...], given: Given) -> None:
    """Take delivery folders in, each file once. Prints counts per reason, for stewards."""
    with house_of(root, given) as house:
        for text in work.take_in(house, account_of(house, account), folders, correction=correction, say=say):
            click.echo(text)


@click.command()
@ROOT
@ACCOUNT
@YEAR
@POLICY
@opens_the_vault
def prepare(*, root: Path, account: str | None, year: int, policy_id: str, given: Given) -> None:
    """Link, code and store the data of a year."""
    with house_of(root, given) as house:
        click.echo(work.prepare(house, account_of(house, account), policy_id, year, say=say))


@click.command()
@ROOT
@ACCOUNT
@YEAR
@PURPOSE
@POLICY
@opens_the_vault
def produce(*, root: Path, account: str | None, year: int, purpose: str, policy_id: str, given: Given) -> None:
    """Make the tables of a year, protect and prove them, and hand them to the checkers (stage 1)."""
    with house_of(root, given) as house:
        for line in work.produce(house, account_of(house, account), policy_id, year, purpose, say=say):
            click.echo(line)


@click.command()
@ROOT
@ACCOUNT
@YEAR
@PURPOSE
@click.option("--results", type=FILE, required=True, help="YAML file with the declared expressions.")
@POLICY
@opens_the_vault
def derive(
    *, root: Path, account: str | None, year: int, purpose: str, results: Path, policy_id: str, given: Given
) -> None:
    """Work results out from the tables released inside, and hand them to the checkers (stage 2)."""
    with house_of(root, given) as house:
        click.echo(
            work.derive(house, account_of(house, account), policy_id, year, results=results, purpose=purpose, say=say)
        )


@click.command()
@click.option("--preset", type=click.Choice(work.PRESETS), default="tiny", show_default=True)
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Empty folder for everything.")
@click.option("--years", type=int, default=2, show_default=True, help="How many years, from 2016 on.")
def demo(preset: str, root: Path, years: int) -> None:
    """Do the whole job on made-up data, unattended, with two made-up checkers."""
    for line in work.demo(preset, root, years, say=say):
        click.echo(line)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the result; not there yet.")
@click.argument("problem", type=FILE, metavar="PROBLEM.yaml")
def protect(problem: Path, out: Path) -> None:
    """Protect tables that were made elsewhere.

    PROBLEM.yaml names the tables, their code lists, rules and need. The result stands in the release format, unsigned,
    with TIME_PERIOD and UNIT `_Z` (not stated); a report stands beside it. Exit code 0 only if an attack on what was
    written, together with earlier results named there, finds nothing; 1 if it does, and then no result is left.
    """
    with quiet_solver():
        report = protect_problem(problem, out, say)
    click.echo(report.json().rstrip())
    if not report.attack.passed:
        sys.exit(1)
