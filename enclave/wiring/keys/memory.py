"""Keeps what a process has in memory out of core dumps, and away from other processes of the same user."""

import ctypes
import os
import resource

from enclave.errors import SetupError

_PR_SET_DUMPABLE = 4


def forbid_dumps() -> None:
    """Forbid core dumps and tracing by the same user, for the rest of this process's life; root can still do both.

    The limit holds for processes that it starts, too. Pages can still be swapped out: encrypt the swap, or have none.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise SetupError("DUMPS", f"this system does not let a process forbid dumps of its memory ({reason})")
