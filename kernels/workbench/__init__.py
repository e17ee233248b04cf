"""The workbench in a notebook.

```python
import workbench

project = workbench.open()      # the project of this notebook server
project                         # what it is for, and what you may do
project.codebook                # variables, codes, labels
project.table("t1")             # a table: raw for CBSS staff, as released for analysts
```

Modules import each other by relative names, since the package is called `workbench` in notebooks and stands in
`kernels` in the source.
"""

import os

from .cluster import cluster
from .errors import InputError, LockedError, RefusedError, UnreachableError, WorkbenchError
from .gateway import Gateway
from .project import Project, Result
from .requests import Request, Requests
from .table import Table
from .words import check_language

__all__ = [
    "InputError",
    "LockedError",
    "Project",
    "RefusedError",
    "Request",
    "Requests",
    "Result",
    "Table",
    "UnreachableError",
    "WorkbenchError",
    "cluster",
    "open",
]

PROJECT = "ENCLAVE_PROJECT"
"""Variable that holds the project of this notebook."""


def open(project: str | None = None, *, language: str | None = None) -> Project:  # noqa: A001  reads well: workbench.open()
    """Open the project of this notebook; the gateway opens no other from here, whatever is named.

    `language` (nl, fr, en) is that of labels and titles; without it, your own as the hub knows it.
    """
    gateway = Gateway.from_environment()
    wanted = project or os.environ.get(PROJECT)
    if not wanted:
        raise InputError(
            "NO_PROJECT", "this notebook has no project; open one from the hub's page and use the notebook there"
        )
    chosen = language or gateway.get("me").get("language") or "en"
    return Project(gateway, gateway.get("projects", wanted), check_language(chosen))
