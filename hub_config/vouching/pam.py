"""PAM: the machine's own way of asking for passwords, such as SSSD, Kerberos or RADIUS."""

import pamela
from traitlets import Unicode

from enclave.errors import SetupError
from hub_config.authenticator import PasswordLogIn

NOBODY_TO_ASK = frozenset({3, 4, 9, 26, 28})
"""PAM's numbers for: service error, system error, authentication server away, abort, unknown module."""


class PamLogIn(PasswordLogIn):
    """Password and account as a PAM service judges them. JupyterHub's own class would log what people type as names."""

    service = Unicode(help="The service, a file in /etc/pam.d.").tag(config=True)

    def is_right(self, account: str, password: str) -> bool:
        """Ask PAM for both; no session is opened and no credential fetched, since nothing runs as that user."""
        try:
            pamela.authenticate(account, password, service=self.service, resetcred=0, check=True)
        except pamela.PAMError as error:
            if error.errno in NOBODY_TO_ASK:
                message = f"PAM's service '{self.service}' cannot be asked now; look into its file and its servers"
                raise SetupError("NOBODY_TO_ASK", message) from error
            return False
        return True
