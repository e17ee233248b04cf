"""A real vault for each test."""

from pathlib import Path

import pytest

from enclave.vault.store import Vault
from tests.lib import vault_kit


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_kit.make_vault(tmp_path / "house")
