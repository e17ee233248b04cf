"""A real directory server for tests: OpenLDAP's slapd on loopback, its data in a folder of the test."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclave.wiring.workbench import certificate
from tests.lib.ports import free_ports

PEOPLE, SEARCHER = "ou=people,dc=example,dc=org", "cn=search,dc=example,dc=org"
SEARCHERS_PASSWORD = "may search, and nothing else"
PASSWORDS = {
    "analyst.one": "of the analyst",
    "Analyst.Two": "with capitals",
    "visitor.one": "of somebody who is not enrolled",
    "star*": "of somebody with a star",
}
OTHER_ADDRESS = "127.0.0.2"
"""It listens there as well, and its certificate is not for it."""
TWICE = "twice.one"
"""An account that two entries have."""
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/server.crt
TLSCertificateKeyFile {folder}/server.key
security ssf=128
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by anonymous auth by * none
database mdb
maxsize 10485760
suffix "dc=example,dc=org"
directory {folder}/data
"""
_TOP = f"""
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {SEARCHER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: search
userPassword: {SEARCHERS_PASSWORD}
"""
_PERSON = """
dn: cn={name},{people}
objectClass: inetOrgPerson
cn: {name}
sn: {name}
uid: {account}
userPassword: {password}
"""


@dataclass(frozen=True, slots=True)
class Slapd:
    """A running server: its ports for TLS from the first byte and for StartTLS, and its certificate."""

    process: "subprocess.Popen[bytes]"
    tls_port: int
    start_tls_port: int
    certificate: Path


@contextmanager
def slapd(folder: Path) -> Iterator[Slapd]:
    """Start one; skips where the machine has none."""
    program, adder = (shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("slapd", "slapadd"))
    if program is None or adder is None:
        pytest.skip("there is no slapd on this machine; `.ci/setup.sh tests` installs it")
    config = folder / "slapd.conf"
    made, key = certificate.make("127.0.0.1", datetime.now(UTC))
    (folder / "server.crt").write_bytes(made)
    (folder / "server.key").write_bytes(key)
    (folder / "data").mkdir()
    config.write_text(_CONFIG.format(folder=folder, searcher=SEARCHER), encoding="utf-8")
    subprocess.run([adder, "-f", str(config)], input=_entries().encode(), check=True, capture_output=True)
    tls, start_tls = free_ports(2)
    urls = f"ldaps://127.0.0.1:{tls}/ ldaps://{OTHER_ADDRESS}:{tls}/ ldap://127.0.0.1:{start_tls}/"
    limited = ["prlimit", "--nofile=256", program, "-h", urls, "-f", str(config), "-d", "0"]
    process = subprocess.Popen(limited, stderr=subprocess.DEVNULL)
    try:
        _wait(process, tls)
        yield Slapd(process, tls, start_tls, folder / "server.crt")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _entries() -> str:
    people = [(account, account, password) for account, password in PASSWORDS.items()]
    people += [(f"{TWICE} {number}", TWICE, "the same") for number in (1, 2)]
    return _TOP + "".join(
        _PERSON.format(name=name, people=PEOPLE, account=account, password=password)
        for name, account, password in people
    )


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + 30
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "slapd ended at once"
        assert time.monotonic() < until, "slapd does not listen"
        time.sleep(0.02)
