"""gocryptfs: shows the encrypted folder of a home in the clear. One process each, which outlives the launcher.

Its key reaches it by a pipe, so that it stands in no argument, environment or file. What it would print goes nowhere.
"""

import os
import resource
import subprocess
from pathlib import Path

from enclave.errors import SetupError
from enclave.sandbox.home_keys import wipe
from enclave.sandbox.processes import Process

PROGRAM = "/usr/bin/gocryptfs"
READY_S = 10.0
COST = "10"
"""Of scrypt, as low as it goes: the key is random, and guessing it is hopeless at any price."""


OPTIONS = ("-allow_other", "-nosuid", "-nodev", "-noexec", "-fsname=home", "-kernel_cache")
"""Server and kernels are others than who mounts. What was read stays in memory: nobody changes it by another way."""


def make(cipher: Path, secret: bytearray) -> None:
    """Make an encrypted folder that opens with this key."""
    if _ended(secret, "-init", f"-scryptn={COST}", str(cipher)) != 0:
        raise _failed()


def show(cipher: Path, clear: Path, secret: bytearray) -> Process:
    """Mount the clear view of an encrypted folder at `<place>/<number>/clear`; return the process that serves it.

    What is started goes into the background by itself when it serves, and not before: it looks at its own mount first,
    and whoever is there earlier can block it for good. SetupError HOME_DAMAGED where it does not open with this key.
    """
    ended = _ended(secret, *OPTIONS, str(cipher), str(clear))
    if ended != 0:  # 12 where the key is another one; many others where what is read first was changed
        raise _damaged()
    found = running(clear.parents[1]).get(int(clear.parent.name))
    if found is None:
        raise _failed()
    return found


def running(place: Path) -> dict[int, Process]:
    """Return the processes that serve homes below `place`, by the number of the home. Nobody but root can be one."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid != 0:
                continue
            words = (folder / "cmdline").read_bytes().split(b"\0")[:-1]
            clear = Path(os.fsdecode(words[-1])) if words and words[0] == PROGRAM.encode() else None
            if clear is not None and clear.parent.parent == place:
                found[int(clear.parent.name)] = Process.of(int(folder.name))
        except OSError:  # ended meanwhile
            continue
    return found


def _ended(secret: bytearray, *words: str) -> int:
    """Run gocryptfs with the key in a pipe, in a session of its own; return its exit code."""
    line = bytearray(2 * len(secret))
    for place, byte in enumerate(secret):
        line[2 * place : 2 * place + 2] = b"%02x" % byte
    reading, writing = os.pipe()
    try:
        try:
            os.write(writing, line)
        finally:
            wipe(line)
            os.close(writing)
        return subprocess.run(  # noqa: S603  fixed words and paths of our own
            [PROGRAM, "-q", "-nosyslog", f"-passfile=/dev/fd/{reading}", *words],
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(reading,),
            start_new_session=True,
            umask=0o077,
            preexec_fn=_leave_no_core,
            check=False,
            timeout=READY_S,
        ).returncode
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed() from error
    finally:
        os.close(reading)


def _leave_no_core() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _damaged() -> SetupError:
    return SetupError(
        "HOME_DAMAGED",
        "your home does not open with its key: its file was exchanged or damaged; call the operator, who puts back its "
        "last backup",
    )


def _failed() -> SetupError:
    return SetupError(
        "HOME_FAILED", "your home cannot be opened on this machine; call the operator, who asks `enclave doctor`"
    )
