"""What somebody outside can try on published releases."""

from collections.abc import Sequence
from pathlib import Path

from enclave.wiring.outsider import Finding, attack_folders


def attack(folders: Sequence[Path], key: Path) -> Finding:
    """Attack releases with nothing but what they print."""
    return attack_folders(folders, key.read_bytes())
