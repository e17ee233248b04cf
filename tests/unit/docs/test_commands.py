"""The command line: every command is where the list says, and loads nothing of the others."""

import subprocess
import sys

import click
import pytest

from enclave.cli import MODULES, cli

HEAVY = ("pandas", "distributed", "matplotlib")
"""What taking in, counting and reports need: more than a second to load."""


@pytest.mark.parametrize("name", MODULES)
def test_every_command_is_where_the_list_says(name: str) -> None:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    assert found.name == name
    assert found.get_short_help_str()


def test_there_is_no_other_command() -> None:
    assert cli.list_commands(click.Context(cli)) == sorted(MODULES)
    assert cli.get_command(click.Context(cli), "nothing") is None


@pytest.mark.parametrize("line", ["--version", "operator status --help", "log verify --help", "destroy --help"])
def test_what_looks_at_a_house_loads_nothing_that_makes_tables(line: str) -> None:
    code = f"import sys; from enclave.cli import cli; cli({line.split()!r}, standalone_mode=False); "
    asked = f"{code}print(sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stderr
    assert said == "[]\n"
