"""Which tests run in one process: those of a file, and all that share the running workbench.

What a file or the workbench needs is then made once, and not once for each process.
"""

import pytest

WORKBENCH = "workbench"


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the group of each test, for `--dist loadgroup`."""
    for item in items:
        shares = WORKBENCH in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group(WORKBENCH if shares else item.nodeid.partition("::")[0]))
