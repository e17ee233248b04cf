"""How the launcher asks the gateway for the key of a home. The gateway derives it at each asking; nobody stores it.

    {"account": "analyst.one", "project": "advice-17-17-2016"}

is answered by the byte `K` and the 32 bytes of the key, or by `E` and `{"code": ..., "message": ...}`. The socket lies
in a folder that the gateway and root alone may enter, and each side asks the kernel who is at the other end.
"""

import json
import socket
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from enclave.errors import RequestError, SetupError
from enclave.sandbox.peers import peer_uid
from enclave.sandbox.protocol import ServerKey

KEY_BYTES = 32
GRANTED, REFUSED = b"K", b"E"
PATIENCE_S = 5.0
"""The launcher does one thing at a time: a gateway that does not answer holds it no longer than this."""

_LONGEST_REFUSAL = 4096


class HomeKeys:
    """Asks the gateway, which holds the unlocked vault."""

    def __init__(self, path: Path, gateway_uid: int) -> None:
        """Know where the gateway listens, and which user it is."""
        self._path, self._gateway_uid = path, gateway_uid

    def __call__(self, key: ServerKey) -> bytearray:
        """Return the key of a home, for the caller to wipe. RequestError with the gateway's own code and sentence."""
        try:
            with closing(socket.socket(socket.AF_UNIX)) as connection:
                connection.settimeout(PATIENCE_S)
                connection.connect(str(self._path))
                if peer_uid(connection) != self._gateway_uid:
                    raise _silent("somebody else than the gateway answers for it")
                connection.sendall(json.dumps(asdict(key)).encode() + b"\n")
                return _answer(connection)
        except OSError as error:
            raise _silent("the gateway, which holds the keys, does not answer") from error


def wipe(secret: bytearray) -> None:
    """Overwrite a key that is not needed any more."""
    secret[:] = bytes(len(secret))


def _answer(connection: socket.socket) -> bytearray:
    kind = connection.recv(1)
    if kind == REFUSED:
        _refuse(connection)
    found = bytearray(KEY_BYTES)
    have = 0
    while kind == GRANTED and have < KEY_BYTES and (more := connection.recv_into(memoryview(found)[have:])):
        have += more
    if have < KEY_BYTES:
        wipe(found)
        raise _silent("the gateway, which holds the keys, broke off")
    return found


def _refuse(connection: socket.socket) -> NoReturn:
    with connection.makefile("rb") as stream:
        line = stream.readline(_LONGEST_REFUSAL)
    try:
        said = json.loads(line)
        raise RequestError(str(said["code"]), str(said["message"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _silent("the gateway refused it without a reason") from error


def _silent(why: str) -> SetupError:
    return SetupError(
        "HOME_KEY", f"the key of this home is not to be had ({why}); try again in a moment, then call the operator"
    )
