"""Files of the host, and files that should not run."""

import contextlib
import os
import subprocess
import sys

from probes.base import KERNEL, TOLD, CannotTest, not_refused, opens, probe

for _name, _key in (
    ("a file of the host, by its path", "canary"),
    ("the house", "house"),
    ("the launcher's state", "state"),
    ("the home of another person in the project", "other_home"),
    ("the own home, past the sandbox's own mount", "own_home"),
    ("the images of homes", "images"),
    ("the image of the own home", "own_image"),
    ("where homes are mounted", "mounts_of_homes"),
    ("the encrypted folder of the own home", "own_cipher"),
    ("the logs", "logs"),
    ("the gateway's socket of another person", "other_caller"),
    ("the socket by which another server orders kernels", "other_orders"),
    ("the folder between another server and kernel", "between"),
):

    @probe("files", _name)
    def _(key=_key):
        return os.path.lexists(TOLD[key])


for _path in (
    "/root",
    "/var",
    "/srv",
    "/boot",
    "/mnt",
    "/media",
    "/sys",
    "/work",
    "/etc/shadow",
    "/etc/ssh",
    "/run/systemd",
):

    @probe("files", f"the host's {_path}")
    def _(path=_path):
        return os.path.lexists(path)


@probe("files", "writing anywhere but home, memory and the sockets between")
def _():
    allowed = {"/tmp", "/dev/shm", "/home/work", "/run/channels"}
    allowed |= {"/run/connections", "/run/server"} if TOLD["side"] == "server" else set()
    for folder, names, _ in os.walk("/"):
        names[:] = [name for name in names if not os.path.join(folder, name).startswith("/proc")]
        if os.access(folder, os.W_OK) and not any(folder == one or folder.startswith(one + "/") for one in allowed):
            return True
    return False


@probe("files", "what the own home is encrypted with, seen in the clear view")
def _():
    return any(os.path.lexists(f"/home/work/{name}") for name in ("gocryptfs.conf", "gocryptfs.diriv", "cipher"))


@probe("files", "a home of anybody, or a loop device, in the list of mounts")
def _():
    with open("/proc/self/mountinfo") as lines:
        found = [line for line in lines if "fuse" in line or "/dev/loop" in line or ".home" in line]
    return any(" /home/work " not in line or "/dev/loop" in line or ".home" in line for line in found)


@probe("files", "a file of the programs opened for writing")
def _():
    return any(opens(path, os.O_WRONLY) for path in ("/usr/bin/env", "/opt/analyst/pyvenv.cfg", "/etc/passwd"))


@probe("files", "the files that tell kernels where to listen, opened for writing", KERNEL)
def _():
    return os.access("/run/connections", os.W_OK)


@probe("files", "out of the root by .. and by /proc/1/root")
def _():
    return any(
        os.path.lexists(f"{path}{TOLD['canary']}") for path in ("/..", "/../..", "/proc/1/root", "/proc/self/root/..")
    )


@probe("files", "a folder opened by its handle")
def _():
    return not_refused(303, -100, 0, 0, 0, 0) or not_refused(304, -1, 0, 0)


for _folder in ("/home/work", "/tmp", "/dev/shm"):

    @probe("files", f"running a program brought to {_folder}")
    def _(folder=_folder):
        path = f"{folder}/probe-program"
        with open(path, "w") as file:
            file.write("#!/bin/sh\nexit 0\n")
        os.chmod(path, 0o700)
        try:
            return subprocess.run([path], check=False).returncode == 0
        except OSError:
            return False
        finally:
            os.unlink(path)


@probe("files", "a file that runs as its owner (chmod 4755)")
def _():
    path = "/home/work/probe-suid"
    open(path, "w").close()
    try:
        os.chmod(path, 0o4755)
    except OSError:
        return False
    finally:
        os.unlink(path)
    return True


@probe("files", "a mount where programs may run as their owner")
def _():
    return any("nosuid" not in line.split()[3] for line in open("/proc/self/mounts"))


@probe("files", "a program of the system that runs as root")
def _():
    found = ["/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount"]
    there = [path for path in found if os.path.exists(path)]
    if not there:
        raise CannotTest("no such program on this machine")
    ended = subprocess.run(
        [sys.executable, "-c", "import os; os.setresuid(-1, 0, -1)"], check=False, capture_output=True
    )
    return ended.returncode == 0


@probe("files", "files of the host handed on at the start")
def _():
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                if not target.startswith(("/proc", "pipe:", "/dev")):
                    return True
    return False


@probe("files", "the log, opened again by /proc")
def _():
    return opens("/proc/1/fd/1", os.O_WRONLY) and "log" in os.readlink("/proc/1/fd/1")
