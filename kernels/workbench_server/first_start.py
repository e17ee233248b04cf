"""Furnishing a home: the start page and the tutorials, where they are not there yet."""

import shutil
from pathlib import Path
from typing import Final

START: Final = "Start.md"


def furnish(home: Path, start: Path, tutorials: Path) -> None:
    """Copy the start page and the tutorial notebooks into a home; what stands there already stays as it is."""
    wanted = {home / START: start, **{home / "tutorials" / path.name: path for path in tutorials.glob("*.ipynb")}}
    for target, source in wanted.items():
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
