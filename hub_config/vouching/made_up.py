"""Made-up users: passwords that the workbench drew itself, for trying it out."""

from pathlib import Path

from traitlets import Unicode

from enclave.wiring.workbench import passwords
from hub_config.authenticator import PasswordLogIn


class MadeUpUsers(PasswordLogIn):
    """Passwords from the accounts file."""

    accounts = Unicode(help="Hashes of the made-up users' passwords.").tag(config=True)

    def is_right(self, account: str, password: str) -> bool:
        """Look into the accounts file."""
        return passwords.is_right(Path(self.accounts), account, password)
