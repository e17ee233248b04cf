"""`enclave`: what stewards, CBSS staff, analysts, checkers, operators and auditors type. Its help is documentation.

Exit codes: 0 done; 2 wrong usage; 10 policy; 11 request; 12 permission; 13 delivery; 14 set-up; 20 integrity; 30 bug.
"""

import sys
from importlib import import_module

import click

from enclave import __version__
from enclave.errors import EnclaveError

MODULES = {
    "attack": "outside",
    "demo": "work",
    "derive": "work",
    "destroy": "destruction",
    "doctor": "machine",
    "fsck": "proofs",
    "intake": "work",
    "log": "proofs",
    "operator": "operators",
    "own-files": "own_files",
    "policy": "policies",
    "prepare": "work",
    "produce": "work",
    "protect": "work",
    "release": "requests",
    "request": "requests",
    "review": "requests",
    "synth": "work",
    "verify": "proofs",
    "workbench": "workbench",
}
"""In which module each command stands. A command loads its own and no other: all of them take seconds to load."""


class Commands(click.Group):
    """The commands by their names, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return all names."""
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command; None where there is none of this name."""
        if cmd_name not in MODULES:
            return None
        module = import_module(f"{__name__}.{MODULES[cmd_name]}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found


@click.group(cls=Commands, context_settings={"max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Secure enclave workbench: deliveries in, coded and encrypted; checked statistics out."""


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
