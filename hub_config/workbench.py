"""What the hub is told: the settings in force and the folders of the workbench it belongs to."""

import os
from pathlib import Path

from enclave.wiring.workbench.layout import Layout
from enclave.wiring.workbench.settings import WorkbenchSettings, read_settings


def layout() -> Layout:
    """Return the folders of this workbench, whose root the supervisor passes."""
    return Layout(Path(os.environ["ENCLAVE_WORKBENCH"]))


def settings() -> WorkbenchSettings:
    """Return the settings in force."""
    return read_settings(layout().settings)
