"""The process that is killed: does one operation on a root folder, in a fork of a process that has imported everything.

Started by rig.py. Protocol, one JSON line each way: an order {op, root, traced} is answered by {pid} when traced, then
waits for a line "go"; and always by {signal, exit, said}. `said` is what the operation returned.
"""

import ctypes
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from enclave.errors import EnclaveError
from enclave.gateway.request import RequestState
from tests.lib.gateway_house import House, new_house, open_house

BEGIN, END = "/crash-rig-begins", "/crash-rig-ends"
_PR_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)


def main() -> None:
    warm_up(Path(sys.argv[1]))
    for line in sys.stdin:
        order = json.loads(line)
        say(run(OPERATIONS[order["op"]], Path(order["root"]), traced=order["traced"]))


def warm_up(root: Path) -> None:
    """Import and cache all that the operations touch, so that every fork makes the same system calls."""
    house = new_house(root)
    house.gateway.release(house.approved().id, "otto")
    house.gateway.recover()
    house.fsck()
    house.close()


def run(operation: Callable[[Path], Any], root: Path, *, traced: bool) -> dict[str, Any]:
    """Fork; let the child do the operation, when told to; return how it ended."""
    ours, gate = socket.socketpair()
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        ours.close()
        child(operation, root, gate, write_end, traced=traced)
    gate.close()
    os.close(write_end)
    if traced:
        ours.recv(1)  # a child that was still closing files when strace came had one call more in its count
        say({"pid": pid})
        sys.stdin.readline()
        ours.send(b"g")
    ours.close()
    with os.fdopen(read_end, "rb") as results:
        said = results.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"signal": -min(status, 0), "exit": max(status, 0), "said": json.loads(said) if said else None}


def child(operation: Callable[[Path], Any], root: Path, gate: socket.socket, write_end: int, *, traced: bool) -> None:
    """Do the operation, say its result, and leave without any clean-up that a crash would not do either."""
    code = 1
    try:
        if traced:
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
            gate.send(b"r")  # neither this nor the next is a call that the rig counts
            gate.recv(1)
        said = operation(root)
        code = 0
    except (EnclaveError, OSError) as error:
        said = {"error": str(error)}
        code = 3
    except BaseException:  # noqa: BLE001  the rig shows it
        said = {"error": traceback.format_exc()}
    os.write(write_end, json.dumps(said).encode())
    os._exit(code)


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def mark(path: str) -> None:
    """Leave a trace of where the faults begin and end."""
    with suppress(FileNotFoundError):
        os.open(path, os.O_RDONLY)


def prepare(root: Path) -> None:
    """Make a house with one release and one approved request."""
    house = new_house(root)
    house.gateway.release(house.approved({"a": 10, "b": 20}).id, "otto")
    house.approved()
    house.close()


def release(root: Path) -> str | None:
    """Commit and publish the approved request. The path under test."""
    house = open_house(root)
    mark(BEGIN)
    released = house.gateway.release(approved(house), "otto").release
    house.close()
    mark(END)
    return released


def naive(root: Path) -> str:
    """Publish first, record afterwards: the straw man that shows what the rig can see."""
    house = open_house(root)
    request = approved(house)
    with house.book.view() as view:
        found = view.request(request)
    mark(BEGIN)
    package = house.packages.read(found.binding.tables)
    house.outboxes.publish(found.stage, f"{request}-by-{os.getpid()}", package.files)
    released = house.gateway.release(request, "otto").release
    house.close()
    mark(END)
    return str(released)


def recover(root: Path) -> list[str]:
    """Start again: open the book and finish what was decided."""
    mark(BEGIN)
    house = open_house(root)
    finished = house.gateway.recover()
    house.close()
    mark(END)
    return list(finished)


def settle(root: Path) -> dict[str, Any]:
    """Return where the request stands and what fsck finds; then, if it still waits, release it and look again."""
    house = open_house(root)
    found = {"state": last_state(house), "problems": house.fsck()}
    if found["state"] == "approved":
        house.gateway.release(approved(house), "otto")
    found |= {"at_last": last_state(house), "problems_at_last": house.fsck()}
    house.close()
    return found


def last_state(house: House) -> str:
    with house.book.view() as view:
        return view.requests()[-1].state.value


def approved(house: House) -> str:
    with house.book.view() as view:
        return view.requests(RequestState.APPROVED)[-1].id


OPERATIONS: dict[str, Callable[[Path], Any]] = {
    "prepare": prepare,
    "release": release,
    "naive": naive,
    "recover": recover,
    "settle": settle,
}

if __name__ == "__main__":
    main()
