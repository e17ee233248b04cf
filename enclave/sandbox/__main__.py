"""`python -m enclave.sandbox SETTINGS`: run the launcher. With `--stop-all` behind it: stop every server and end.

A launcher that is asked to end (SIGTERM) leaves its servers running; the next one takes them over. Without root they
end with it.
"""

import logging
import os
import signal
import sys
from pathlib import Path

from enclave.errors import EnclaveError
from enclave.sandbox import listener
from enclave.sandbox.homes import go_where_homes_are, place_of
from enclave.sandbox.servers import Servers
from enclave.sandbox.settings import Settings


def main(arguments: list[str]) -> None:
    """Run until SIGTERM, or with `--stop-all` until nothing runs, while servers still end their kernels."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    settings = Settings.read(Path(arguments[0]))
    os.umask(0o077)
    if settings.as_root:
        os.setgroups([])
        go_where_homes_are(place_of(settings))
    servers = Servers(settings)
    hub = listener.bind(settings.socket, settings.hub_uid, as_root=settings.as_root)
    if arguments[1:] == ["--stop-all"]:
        servers.begin_to_stop_all()
        listener.serve(hub, settings.hub_uid, servers, goes_on=servers.some_run)
        return
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    logging.getLogger("launcher").info("ready for the hub's orders")
    listener.serve(hub, settings.hub_uid, servers, goes_on=lambda: not ended)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except EnclaveError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
