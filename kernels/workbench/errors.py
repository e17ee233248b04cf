"""Errors of the client library: a stable code and a sentence that says what to do.

```
WorkbenchError
|- UnreachableError     no gateway, no answer
|- RefusedError         you may not do this (401, 403)
|- LockedError          the house is locked (423)
'- InputError           what was asked for does not fit the project (400, 404, 409, and the checks made here)
```
"""


class WorkbenchError(Exception):
    """A code and a sentence. A notebook shows them alone, without the way through the library."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def _render_traceback_(self) -> list[str]:
        """Tell IPython what to print instead of a traceback."""
        return [str(self)]


class UnreachableError(WorkbenchError):
    """The gateway cannot be reached, or its answer cannot be read."""


class RefusedError(WorkbenchError):
    """You may not do this."""


class LockedError(WorkbenchError):
    """The house is locked until the key holder opens it."""


class InputError(WorkbenchError):
    """What was asked for does not fit the project."""
