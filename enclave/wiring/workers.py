"""A `map` over a few processes for the connected parts of a problem, with word of how far it is."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from enclave.errors import SetupError
from enclave.sdc.judgement import Run

PROCESSES = 2
_PR_SET_PDEATHSIG = 1
TELLINGS = 10
"""How often, about, progress is told for one series of parts."""


@contextmanager
def workers(say: Callable[[str], None] = lambda _: None) -> Iterator[Run]:
    """Give a `map` over processes that keeps the order of results and tells `say` how far it is.

    SetupError WORKER_LOST when a process ends early.
    """
    with ProcessPoolExecutor(
        PROCESSES, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
    ) as pool:

        def run(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            parts = list(items)
            every = max(1, len(parts) // TELLINGS)
            try:
                for number, result in enumerate(pool.map(function, parts), start=1):
                    if number % every == 0:
                        say(f"  {number} of {len(parts)} connected parts")
                    yield result
            except BrokenProcessPool as error:
                message = (
                    "a worker process ended before its work was done, perhaps for lack of memory; start this step again"
                )
                raise SetupError("WORKER_LOST", message) from error

        yield run


def _begin(parent: int) -> None:
    """Close a worker's standard output, and let it end with its parent.

    The solver greets on standard output, which is for results. A parent that is killed tells its workers nothing.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could be asked for
        os._exit(1)
