"""Follow requests, check them, and release what two checkers approved."""

from pathlib import Path

import click

from enclave.cli.options import ACCOUNT, ROOT, account_of, house_of, opens_the_vault
from enclave.wiring.commands import checking
from enclave.wiring.keys.key_holder import Given


@click.group()
def request() -> None:
    """Follow requests."""


@request.command("list")
@ROOT
@ACCOUNT
def request_list(root: Path, account: str | None) -> None:
    """List the requests that you may see."""
    with house_of(root) as house:
        for line in checking.requests(house, account_of(house, account)):
            click.echo(line)


@request.command("show")
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
def request_show(root: Path, account: str | None, request_id: str) -> None:
    """Show where a request stands."""
    with house_of(root) as house:
        for line in checking.status(house, account_of(house, account), request_id):
            click.echo(line)


@request.command("submit")
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
def request_submit(root: Path, account: str | None, request_id: str) -> None:
    """Hand a returned request to the checkers again."""
    with house_of(root) as house:
        click.echo(house.gateway.submit(request_id, account_of(house, account)).state.value)


@request.command("withdraw")
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
def request_withdraw(root: Path, account: str | None, request_id: str) -> None:
    """Take a request back for good."""
    with house_of(root) as house:
        click.echo(house.gateway.withdraw(request_id, account_of(house, account)).state.value)


@click.group()
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
    with house_of(root, given) as house:
        click.echo(checking.unpack(house, account_of(house, account), request_id, out))


@review.command("vote")
@ROOT
@ACCOUNT
@click.option("--comment", default="", help="Needed unless you approve.")
@click.argument("request_id", metavar="REQUEST")
@click.argument("decision", type=click.Choice(checking.DECISIONS))
def review_vote(root: Path, account: str | None, comment: str, request_id: str, decision: str) -> None:
    """Cast your vote."""
    with house_of(root) as house:
        click.echo(checking.vote(house, account_of(house, account), request_id, decision, comment))


@review.command("return")
@ROOT
@ACCOUNT
@click.option("--comment", required=True, help="What has to change.")
@click.argument("request_id", metavar="REQUEST")
def review_return(root: Path, account: str | None, comment: str, request_id: str) -> None:
    """Give a request back to its author."""
    with house_of(root) as house:
        click.echo(house.gateway.return_(request_id, account_of(house, account), comment).state.value)


@click.command()
@ROOT
@ACCOUNT
@click.argument("request_id", metavar="REQUEST")
@opens_the_vault
def release(root: Path, account: str | None, request_id: str, given: Given) -> None:
    """Release what two checkers approved: attack once more, sign, publish."""
    with house_of(root, given) as house:
        click.echo(checking.release(house, account_of(house, account), request_id))
