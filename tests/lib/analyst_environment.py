"""The analysts' environment with the client library of this source, installed as set-up installs it, beside it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-analyst" / "bin" / "python"


def need_analyst_environment() -> None:
    """Skip where set-up has not made the environment."""
    if not PYTHON.exists():
        pytest.skip("there is no .venv-analyst; run `make setup`")


def installed(prefix: Path) -> dict[str, str]:
    """Install the client library below `prefix`; return the environment in which it is found first, with no home."""
    subprocess.run([PYTHON, ROOT / "kernels" / "install.py", prefix], check=True, capture_output=True)
    (packages,) = prefix.glob("lib/python3*/site-packages")
    return {
        "PATH": f"{PYTHON.parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(packages),
        "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
    }
