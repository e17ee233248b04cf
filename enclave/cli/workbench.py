"""Start the workbench."""

from pathlib import Path

import click

from enclave.cli.options import FILE
from enclave.wiring.workbench.run import run_workbench
from enclave.wiring.workbench.settings import DEFAULT


@click.command()
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of the workbench.")
@click.option("--settings", type=FILE, default=DEFAULT, help="Settings; hub_config/workbench.yaml if not given.")
def workbench(root: Path, settings: Path) -> None:
    """Start the workbench: hub, gateway, notebook servers, and the front that people reach with a browser."""
    run_workbench(root, settings, say=click.echo)
