"""Houses for tests: made-up data, opened by a key file beside the house."""

from pathlib import Path

from enclave.vault.protection import Opener
from enclave.wiring.house import make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file, key_file
from enclave.wiring.settings import Settings


def key_path(root: Path) -> Path:
    """Return where the key file of the house at `root` lies: beside the house."""
    return root.parent / "medium" / f"{root.name}.key"


def made_house(root: Path) -> Opener:
    """Make a house for made-up data, and return what opens it."""
    make_house(root, synthetic=True, protect=by_new_key_file(key_path(root)))
    return opener_of(root)


def opener_of(root: Path) -> Opener:
    return key_file(key_path(root), Settings.read(root))


def log_lines(root: Path) -> list[str]:
    """Return the audit log, as text."""
    with open_house(root) as house, house.book.connection(reading=True) as connection:
        return [line.decode() for line, _ in house.book.audit.lines(connection)]
