"""Who stands behind which socket of the gateway: a file that the launcher writes and the gateway reads.

Each (account, project) whose server runs has a folder of its own below `run/callers`. The gateway listens in it, and
nobody but the kernels of this account and project can see it. A caller is known by the socket *and* by the user at its
other end.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.whole_file import write_whole

LIST = "callers.json"
SOCKET = "gateway.sock"


@dataclass(frozen=True, slots=True)
class Caller:
    """The kernels of an account in a project: `folder` holds their socket, `uid` is the user they run as.

    `server_uid` is the user of their notebook server.
    """

    folder: str
    uid: int
    server_uid: int
    account: str
    project: str


def write(folder: Path, callers: Iterable[Caller]) -> None:
    """Say which callers there are, below `run/callers`."""
    write_whole(folder / LIST, json.dumps([asdict(one) for one in callers]), mode=0o644)


def read(folder: Path) -> list[Caller]:
    """Return the callers; none where no launcher has written yet. SetupError where the file is damaged."""
    try:
        found = json.loads((folder / LIST).read_text(encoding="utf-8"))
        return [
            Caller(str(one["folder"]), int(one["uid"]), int(one["server_uid"]), one["account"], one["project"])
            for one in found
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError("CALLERS", f"'{folder / LIST}' is damaged; start the launcher, which writes it") from error
