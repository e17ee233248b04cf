"""LDAP: an account is looked up in a directory server, and its own password is tried there. Always over TLS."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from traitlets import Instance

from enclave.errors import SetupError
from enclave.wiring.workbench.log_in_settings import LdapSettings
from enclave.wiring.workbench.secret_file import read_secret
from hub_config.authenticator import PasswordLogIn

WRONG_PASSWORD = 49


class LdapLogIn(PasswordLogIn):
    """Password as a directory server judges it. Groups of that server count for nothing here."""

    told = Instance(LdapSettings, help="Which server, and how an account is looked up.").tag(config=True)

    def is_right(self, account: str, password: str) -> bool:
        """Look the account up, then log in as what was found."""
        try:
            name = self._look_up(account)
            return name is not None and self._logs_in(name, password)
        except LDAPException as error:
            raise self._away("cannot be asked now, or does not show a certificate that is trusted") from error

    def _look_up(self, account: str) -> str | None:
        """Return the one entry whose account is spelt exactly so; LDAP itself takes other capitals and blanks too."""
        told = self.told
        with self._connected(told.search_as, read_secret(Path(told.password_file), os.geteuid())) as server:
            if not server.bind():
                raise self._away(f"does not let '{told.search_as}' log in")
            wanted = f"({told.account_attribute}={escape_filter_chars(account)})"
            server.search(told.search_below, wanted, attributes=[told.account_attribute], size_limit=2)
            found = [(entry.entry_dn, entry[told.account_attribute].values) for entry in server.entries]
        match found:
            case [(str() as name, [spelt])] if spelt == account:
                return name
        return None

    def _logs_in(self, name: str, password: str) -> bool:
        with self._connected(name, password) as server:
            if server.bind():
                return True
            if server.result["result"] != WRONG_PASSWORD:
                raise self._away("answers neither yes nor no to a password")
            return False

    @contextmanager
    def _connected(self, name: str, password: str) -> Iterator[Any]:
        """Give a connection under TLS, over which nothing was said yet. No referral carries the password elsewhere."""
        told = self.told
        trust = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=told.trusted, sni=told.server)
        inside = told.encryption == "tls"
        server = ldap3.Server(
            told.server, told.port, use_ssl=inside, tls=trust, get_info=ldap3.NONE, connect_timeout=told.seconds
        )
        connection = ldap3.Connection(
            server, name, password, auto_referrals=False, receive_timeout=told.seconds, read_only=True
        )
        try:
            connection.open()
            if not inside and not connection.start_tls(read_server_info=False):
                raise self._away("does not begin TLS")
            yield connection
        finally:
            connection.unbind()

    def _away(self, what: str) -> SetupError:
        return SetupError("NOBODY_TO_ASK", f"the directory server '{self.told.server}' {what}; ask who runs it")
