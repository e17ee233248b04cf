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
APART = ("tests/property/", "tests/attack/test_sequences.py")
"""Long tests that share nothing: each may run anywhere."""
LONG: tuple[str, ...] = (
    "tests/crash/test_destruction_kill.py",
    "tests/sandbox/test_battery.py",
    "tests/unit/lib/",
    "tests/property/",
    "tests/functional/test_workbench_start.py",
    "tests/functional/test_notebooks.py",
    "tests/functional/test_whole_path.py",
    "tests/functional/test_pages_in_a_browser.py",
    "tests/crash/",
)
"""What begins next, in this order. The first ones need no house, which is made meanwhile for the workbench. With four
processes the fifth group stays behind the workbench in its process: a short one, of `unit/lib`.
"""


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
    """Let what takes longest begin, the running workbench first: others need the house that is made for it."""
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    """The place of a test in the order of beginning: short groups come last and fill the gaps at the end."""
    if nodeid.startswith(RUNNING_WORKBENCH):
        return 0
    return next((place for place, start in enumerate(LONG, start=1) if nodeid.startswith(start)), len(LONG) + 1)
