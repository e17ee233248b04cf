"""Asks the operator socket of a running gateway: unlock, lock, status."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enclave import errors
from enclave.errors import EnclaveError, PermissionDenied, SetupError
from enclave.vault.protection import Opener
from enclave.wiring.keys.door import DoorStatus

OPERATOR_SOCKET = "operator.sock"
"""The name of the socket, beside the one of pages and interface."""
LONGEST_LINE = 2**16
_LONGEST_PATH = 107
_ANSWER_WAIT_S = 120.0
_KINDS = {
    kind.exit_code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EnclaveError)
}


def socket_of(root: Path) -> Path:
    """Return where the gateway of the house at `root` has its operator socket."""
    return (root.parent / "run" / "gateway").resolve() / OPERATOR_SOCKET


def unlock(path: Path, opener: Opener) -> DoorStatus:
    """Unlock the vault of the gateway behind this socket."""
    return _door(path, {"do": "unlock", "kind": opener.kind.value, "texts": list(opener.texts)})


def lock(path: Path) -> DoorStatus:
    """Lock it."""
    return _door(path, {"do": "lock"})


def status(path: Path) -> DoorStatus | None:
    """Ask how it stands; None where no gateway runs."""
    try:
        return _door(path, {"do": "status"})
    except SetupError as error:
        if error.code == "GATEWAY_NOT_RUNNING":
            return None
        raise


def projects(path: Path) -> list[str]:
    """Ask the running gateway whether its project files hold; one line for each."""
    return [str(line) for line in _ask(path, {"do": "projects"})["projects"]]


def require_short(path: Path) -> None:
    """Refuse a path that does not fit into a socket's address."""
    if len(str(path).encode()) > _LONGEST_PATH:
        raise SetupError("SOCKET_PATH", f"'{path}' is too long for a socket; link `run` to a shorter folder")


def _door(path: Path, question: Mapping[str, Any]) -> DoorStatus:
    return DoorStatus.from_description(_ask(path, question)["status"])


def _ask(path: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    require_short(path)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_WAIT_S)
        try:
            connection.connect(str(path))
        except PermissionError as error:
            raise PermissionDenied("OPERATOR_ONLY", "only root and the owner of the house keep its vault") from error
        except OSError as error:
            raise SetupError(
                "GATEWAY_NOT_RUNNING",
                f"no gateway answers at '{path}', so there is nothing to unlock or lock: start the workbench first. "
                "Commands that need the vault are given what opens it one by one",
            ) from error
        answer = _exchange(connection, json.dumps(question).encode() + b"\n")
    if "error" in answer:
        said = answer["error"]
        raise _KINDS.get(said["exit"], EnclaveError)(said["code"], said["message"])
    return answer


def _exchange(connection: socket.socket, line: bytes) -> dict[str, Any]:
    try:
        connection.sendall(line)
        with connection.makefile("rb") as stream:
            answer: dict[str, Any] = json.loads(stream.readline(LONGEST_LINE))
    except (OSError, ValueError) as error:
        message = "the gateway did not answer; see `enclave operator status` and its log"
        raise SetupError("GATEWAY_SILENT", message) from error
    return answer
