"""Which tests run in one process: those of a file, and all that share the running workbench.

What a file or the workbench needs is then made once, and not once for each process.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

RUNNING_WORKBENCH = tuple(
    f"tests/functional/test_{name}.py"
    for name in ("workbench", "workbench_browser", "workbench_kills", "pages_through_hub", "canaries")
)
"""Files whose tests work in the workbench of `tests/functional/conftest.py`."""
APART = ("tests/property/", "tests/attack/test_sequences.py", "tests/functional/test_workbench_start.py")
"""Long tests that share nothing: each may run anywhere."""


class TogetherOrApart(LoadScopeScheduling):
    """Hands tests to processes by these groups; the marks of xdist's own groups are lost with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in RUNNING_WORKBENCH:
            return "workbench"
        return nodeid if nodeid.startswith(APART) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Hand tests out by these groups where `--dist loadfile` asks for files kept together."""
    return TogetherOrApart(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the running workbench begin: it has the most to do, and others need the house that is made for it."""
    items.sort(key=lambda item: not item.nodeid.startswith(RUNNING_WORKBENCH))
