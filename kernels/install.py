"""Installs client library and kernelspec into the environment that runs this script.

    .venv-analyst/bin/python kernels/install.py

It works on a copy: building leaves nothing in the source, and needs no network. With a folder as its argument it
installs below that folder instead.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
PARTS = ("pyproject.toml", "workbench", "kernelspec")


def install(prefix: Path | None = None) -> None:
    """Install with pip, without dependencies: those come from the lock."""
    with TemporaryDirectory(prefix="kernels-") as folder:
        for name in PARTS:
            source, target = HERE / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, target)
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-build-isolation", "--no-index"]
        # Elsewhere, what the environment itself has must stay: pip would take it out before it installs.
        command += ["--ignore-installed", f"--prefix={prefix}"] if prefix else ["--force-reinstall"]
        subprocess.run([*command, folder], check=True)  # noqa: S603  our own interpreter and words


if __name__ == "__main__":
    install(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
