"""Log-ins by PAM in a process of its own under pam_wrapper: `python -m tests.lib.pam_log_in WRAPPER FOLDER`.

In comes JSON, one log-in a line: whose hub it is (a folder is made for each), the PAM service, the form. Out goes, for
each, what that hub is told, or the code of the refusal.
"""

import ctypes.util
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from hub_config.refusals import Refusal
from tests.lib.log_in_kit import house_traits, sent


def main() -> None:
    """Answer each line. PAM's library is found by name, past what was loaded before: so the wrapper gets that name."""
    wrapper, folder = sys.argv[1], Path(sys.argv[2])
    found = ctypes.util.find_library
    ctypes.util.find_library = lambda name: wrapper if name == "pam" else found(name)
    from hub_config.vouching.pam import PamLogIn  # noqa: PLC0415  it loads PAM's library

    @cache
    def users(hub: str, service: str) -> PamLogIn:
        (folder / hub).mkdir()
        return PamLogIn(service=service, **house_traits(folder / hub))

    def answer(hub: str, service: str, form: dict[str, str]) -> Any:
        try:
            return sent(users(hub, service), form)
        except Refusal as refusal:
            return refusal.code

    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))))  # noqa: T201  this is the answer


if __name__ == "__main__":
    main()
