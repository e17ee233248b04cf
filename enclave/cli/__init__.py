"""`enclave`: what stewards, CBSS staff, analysts, checkers, operators and auditors type. Its help is documentation.

Exit codes: 0 done; 2 wrong usage; 10 policy; 11 request; 12 permission; 13 delivery; 14 set-up; 20 integrity; 30 bug.
"""

import sys

import click

from enclave import __version__
from enclave.cli import destruction, machine, operators, own_files, policies, proofs, requests, work
from enclave.errors import EnclaveError


@click.group(context_settings={"max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Secure enclave workbench: deliveries in, coded and encrypted; checked statistics out."""


for command in (
    *(operators.operator, operators.workbench, machine.doctor, policies.policy),
    own_files.own_files,
    destruction.destroy,
    *(work.synth, work.intake, work.prepare, work.produce, work.derive, work.demo, work.protect),
    *(requests.request, requests.review, requests.release),
    *(proofs.attack, proofs.verify, proofs.log, proofs.fsck),
):
    cli.add_command(command)


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
