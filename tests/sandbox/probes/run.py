"""Runs every probe of one side, each in a process of its own, and prints one JSON line for each.

The first argument is a JSON object with what the host has put up as targets.
"""

import json
import os
import signal
import sys

from probes import devices, files, kernel, mounts, network, processes, shared, sockets  # noqa: F401  they put themselves on the list
from probes.base import PROBES, SECONDS, TOLD, CannotTest


def main():
    """Run every probe of this side, each in a child of its own."""
    TOLD.update(json.loads(sys.argv[1]))
    for group, name, sides, function in PROBES:
        if TOLD["side"] in sides and TOLD.get("only", "") in ("", name):
            print(json.dumps([group, name, *one(function)]), flush=True)


def one(function):
    """Run a probe; return what came of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(SECONDS)
        try:
            said = ["OPEN" if function() else "closed", ""]
        except CannotTest as reason:
            said = ["cannot test here", str(reason)]
        except BaseException as error:
            said = ["BROKEN", repr(error)]
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(said) if said else ["BROKEN", f"ended with {status}"]


if __name__ == "__main__":
    main()
