"""What is tried from inside a sandbox. It is run there, by the system's Python, with nothing of ours around it.

Each probe is a small function: it returns True where something is OPEN that should be closed, False where it is closed,
and raises CannotTest with the reason where this machine lacks what would be probed. A probe opens; it never writes to
anything of the host. Each one runs in a process of its own, with little time.
"""
