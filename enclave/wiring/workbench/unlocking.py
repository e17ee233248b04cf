"""Unlocks the vault of a gateway that has just started, where the key file lies ready: on made-up data only.

Elsewhere the vault stays locked until the key holder comes (`enclave operator unlock`).
"""

import socket
from collections.abc import Callable

from enclave.errors import EnclaveError
from enclave.wiring.keys import operator_client
from enclave.wiring.keys.key_holder import key_file
from enclave.wiring.settings import Settings
from enclave.wiring.workbench.layout import MASTER_KEY, Layout

GATEWAY = "gateway"


class Unlocking:
    """Tries once for each gateway process, so that a vault which somebody locks stays locked."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._layout, self._say = layout, say
        self._done: int | None = None

    def look(self, pids: dict[str, int]) -> None:
        """Unlock if there is a gateway that was not yet unlocked, and it listens."""
        pid = pids.get(GATEWAY)
        if pid is None or pid == self._done or not self._listens():
            return
        self._done = pid
        medium = self._layout.medium / MASTER_KEY
        if not medium.exists():
            self._say("the vault is locked, and all projects are closed; key holder: enclave operator unlock")
            return
        try:
            settings = Settings.read(self._layout.house)
            operator_client.unlock(operator_client.socket_of(self._layout.house), key_file(medium, settings))
        except EnclaveError as error:
            self._say(f"the vault stays locked: {error}")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(operator_client.socket_of(self._layout.house))) == 0
