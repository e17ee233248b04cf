"""`enclave`: what stewards, CBSS staff, analysts, checkers, operators and auditors type. Its help is documentation.

Exit codes: 0 done; 2 wrong usage; 10 policy; 11 request; 12 permission; 13 delivery; 14 set-up; 20 integrity; 30 bug.
"""

import functools
import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from enclave import __version__
from enclave.errors import EnclaveError, PermissionDenied
from enclave.policy.reading.words import LANGUAGES, Language
from enclave.wiring import commands, key_holder, operator_client
from enclave.wiring.house import House, open_house
from enclave.wiring.key_holder import Given
from enclave.wiring.protect_tables.quiet import quiet_solver
from enclave.wiring.protect_tables.run import protect_problem
from enclave.wiring.workbench.run import run_workbench
from enclave.wiring.workbench.settings import DEFAULT

ROOT = click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of the house.")
ACCOUNT = click.option("--as", "account", help="Account to act as; only in houses for made-up data.")
YEAR = click.option("--year", type=int, required=True, help="Year of the standing advice, such as 2016.")
POLICY = click.argument("policy_id", metavar="POLICY")
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
ANY_FILE = click.Path(path_type=Path, dir_okay=False)


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
def _house(root: Path, given: Given | None = None) -> Iterator[House]:
    """Open a house; for a command that is given something to open the vault with, unlocked or not at all."""
    opener = None if given is None else given.opener(root)
    with open_house(root, opener, getpass.getuser()) as house:
        if given is not None:
            house.vault.require_unlocked()
        yield house


def _account(house: House, account: str | None) -> str:
    """Return who is at the keyboard: the log-in of the system, or in a made-up house whom one plays."""
    if account is None:
        return getpass.getuser()
    if not house.settings.synthetic:
        raise PermissionDenied("AS_NOT_ALLOWED", "--as is for made-up data only; log in as yourself")
    return account


@click.group(context_settings={"max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Secure enclave workbench: deliveries in, coded and encrypted; checked statistics out."""


@cli.group()
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
    commands.make(root, synthetic=synthetic, protect=protect)
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
    """Tell whether the vault is unlocked, since when, and how the master key is protected."""
    for line in commands.door(root):
        click.echo(line)


@operator.command("enrol")
@ROOT
@ACCOUNT
@click.argument("people", type=FILE)
def operator_enrol(root: Path, account: str | None, people: Path) -> None:
    """Enrol the persons of a YAML file: id, accounts, roles, projects, conflicts, trained_until."""
    with _house(root) as house:
        click.echo(commands.enrol(house, _account(house, account), people))


@cli.command()
@click.option("--preset", type=click.Choice(commands.PRESETS), required=True, help="Size of the made-up world.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Empty folder for the deliveries.")
@click.option("--year", type=int, help="Year of the advice; the preset's own if left out.")
@click.option("--seed", type=int, default=17, show_default=True, help="Same seed, same bytes.")
def synth(preset: str, out: Path, year: int | None, seed: int) -> None:
    """Write made-up deliveries, stamped SYNTHETIC."""
    commands.synth(preset, out, year, seed, say=say)
    click.echo(str(out))


@cli.group()
def policy() -> None:
    """Look at policies."""


@policy.command("check")
@click.argument("files", type=FILE, nargs=-1)
def policy_check(files: tuple[Path, ...]) -> None:
    """Check policy files against the house, the code lists and the sources; all that are shipped if none is named."""
    for line in commands.check_policies(files):
        click.echo(line)


@policy.command("show")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the page.")
@click.argument("file", type=FILE)
def policy_show(file: Path, language: Language) -> None:
    """Print a policy for people who read law: every statement beside its paragraph."""
    for line in commands.show_policy(file, language):
        click.echo(line)


@policy.command("diff")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
def policy_diff(old: Path, new: Path) -> None:
    """Say in sentences what changes from one policy to another: WIDER, NARROWER or CHANGED."""
    for line in commands.diff_policies(old, new):
        click.echo(line)


@cli.command()
@ROOT
@ACCOUNT
@click.option("--correction", is_flag=True, help="The files replace what was delivered before.")
@click.argument("folders", type=FOLDER, nargs=-1, required=True)
@opens_the_vault
def intake(*, root: Path, account: str | None, correction: bool, folders: tuple[Path, ...], given: Given) -> None:
    """Take delivery folders in, each file once. Prints counts per reason, for stewards."""
    with _house(root, given) as house:
        for text in commands.take_in(house, _account(house, account), folders, correction=correction, say=say):
            click.echo(text)


@cli.command()
@ROOT
@ACCOUNT
@YEAR
@POLICY
@opens_the_vault
def prepare(*, root: Path, account: str | None, year: int, policy_id: str, given: Given) -> None:
    """Link, code and store the data of a year."""
    with _house(root, given) as house:
        click.echo(commands.prepare(house, _account(house, account), policy_id, year, say=say))


PURPOSE = click.option("--purpose", required=True, help="What for; the checkers read it.")


@cli.command()
@ROOT
@ACCOUNT
@YEAR
@PURPOSE
@POLICY
@opens_the_vault
def produce(*, root: Path, account: str | None, year: int, purpose: str, policy_id: str, given: Given) -> None:
    """Make the tables of a year, protect and prove them, and hand them to the checkers (stage 1)."""
    with _house(root, given) as house:
        for line in commands.produce(house, _account(house, account), policy_id, year, purpose, say=say):
            click.echo(line)


@cli.command()
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
    with _house(root, given) as house:
        click.echo(
            commands.derive(house, _account(house, account), policy_id, year, results=results, purpose=purpose, say=say)
        )


@cli.group()
def request() -> None:
    """Follow requests."""


@request.command("list")
@ROOT
@ACCOUNT
def request_list(root: Path, account: str | None) -> None:
    """List the requests that you may see."""
    with _house(root) as house:
        for line in commands.requests(house, _account(house, account)):
            click.echo(line)


@request.command("show")
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
def request_show(root: Path, account: str | None, request_id: str) -> None:
    """Show where a request stands."""
    with _house(root) as house:
        for line in commands.status(house, _account(house, account), request_id):
            click.echo(line)


@request.command("submit")
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
def request_submit(root: Path, account: str | None, request_id: str) -> None:
    """Hand a returned request to the checkers again."""
    with _house(root) as house:
        click.echo(house.gateway.submit(request_id, _account(house, account)).state.value)


@request.command("withdraw")
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
def request_withdraw(root: Path, account: str | None, request_id: str) -> None:
    """Take a request back for good."""
    with _house(root) as house:
        click.echo(house.gateway.withdraw(request_id, _account(house, account)).state.value)


@cli.group()
def review() -> None:
    """Check requests: two persons, neither from the author's project."""


@review.command("show")
@ROOT
@ACCOUNT
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to unpack into.")
@click.argument("request_id", metavar="REQUEST")
@opens_the_vault
def review_show(*, root: Path, account: str | None, out: Path, request_id: str, given: Given) -> None:
    """Unpack a request's tables as they will be published."""
    with _house(root, given) as house:
        click.echo(commands.unpack(house, _account(house, account), request_id, out))


@review.command("vote")
@ROOT
@ACCOUNT
@click.option("--comment", default="", help="Needed unless you approve.")
@click.argument("request_id", metavar="REQUEST")
@click.argument("decision", type=click.Choice(commands.DECISIONS))
def review_vote(root: Path, account: str | None, comment: str, request_id: str, decision: str) -> None:
    """Cast your vote."""
    with _house(root) as house:
        click.echo(commands.vote(house, _account(house, account), request_id, decision, comment))


@review.command("return")
@ROOT
@ACCOUNT
@click.option("--comment", required=True, help="What has to change.")
@click.argument("request_id", metavar="REQUEST")
def review_return(root: Path, account: str | None, comment: str, request_id: str) -> None:
    """Give a request back to its author."""
    with _house(root) as house:
        click.echo(house.gateway.return_(request_id, _account(house, account), comment).state.value)


@cli.command()
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
@opens_the_vault
def release(root: Path, account: str | None, request_id: str, given: Given) -> None:
    """Release what two checkers approved: attack once more, sign, publish."""
    with _house(root, given) as house:
        click.echo(commands.release(house, _account(house, account), request_id))


KEY = click.option("--key", type=FILE, required=True, help="Public key of the house (release.pub.pem).")


@cli.command()
@KEY
@click.argument("folders", type=FOLDER, nargs=-1, required=True, metavar="RELEASE...")
def attack(key: Path, folders: tuple[Path, ...]) -> None:
    """Attack releases together, with nothing but what they print."""
    finding = commands.attack(folders, key)
    for line in finding.lines():
        click.echo(line)
    if not finding.passed:
        sys.exit(1)


@cli.command()
@KEY
@click.argument("folder", type=FOLDER, metavar="RELEASE")
def verify(key: Path, folder: Path) -> None:
    """Verify a release: signature, hashes, completeness, additivity."""
    commands.verify(folder, key)
    click.echo(f"{folder.name}: verified")


@cli.command()
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


@cli.group()
def log() -> None:
    """Look at the audit log."""


@log.command("verify")
@ROOT
@click.option("--anchor", type=FILE, help="A head of the log that was kept outside the house.")
def log_verify(root: Path, anchor: Path | None) -> None:
    """Verify the whole audit log; with an anchor, also that nothing was cut off."""
    with _house(root) as house:
        commands.verify_log(house, anchor)
    click.echo("audit log: verified")


@log.command("dump")
@ROOT
@ACCOUNT
@click.argument("out", type=click.Path(path_type=Path))
def log_dump(root: Path, account: str | None, out: Path) -> None:
    """Write the audit log to a file that verify_log.py reads."""
    with _house(root) as house:
        click.echo(commands.dump_log(house, _account(house, account), out))


@cli.command()
@ROOT
@opens_the_vault
def fsck(root: Path, given: Given) -> None:
    """Check that outbox, log, state and store agree. Finishes what a crash left open."""
    with _house(root, given) as house:
        commands.check_everything(house)
    click.echo("outbox, log, state and store agree")


@cli.command()
@click.option("--preset", type=click.Choice(commands.PRESETS), default="tiny", show_default=True)
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Empty folder for everything.")
@click.option("--years", type=int, default=2, show_default=True, help="How many years, from 2016 on.")
def demo(preset: str, root: Path, years: int) -> None:
    """Do the whole job on made-up data, unattended, with two made-up checkers."""
    for line in commands.demo(preset, root, years, say=say):
        click.echo(line)


@cli.command()
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of the workbench.")
@click.option("--settings", type=FILE, default=DEFAULT, help="Settings; hub_config/workbench.yaml if not given.")
def workbench(root: Path, settings: Path) -> None:
    """Start the workbench: hub, gateway, notebook servers, and the front that people reach with a browser."""
    run_workbench(root, settings, say=click.echo)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors of ours are shown as sentences, with their exit code."""
    try:
        cli(arguments, standalone_mode=False)
    except EnclaveError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
