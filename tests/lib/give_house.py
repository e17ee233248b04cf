"""`python -m tests.lib.give_house HOUSE`: make a copied house the gateway's own, as a house made at first start is."""

import os
import sys
from pathlib import Path

from enclave.wiring.workbench.settings import DEFAULT, read_settings
from enclave.wiring.workbench.system_users import system_users

if __name__ == "__main__":
    settings = read_settings(DEFAULT)
    gateway = system_users(settings.system_users, settings.server_users).gateway
    for path in (Path(sys.argv[1]), *Path(sys.argv[1]).rglob("*")):
        os.chown(path, gateway.uid, gateway.gid, follow_symlinks=False)
