"""One tiny house for all tests of the pages in a process; each test that changes something opens a copy of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lib.web_app import Asker, services_of
from tests.lib.web_house import web_house


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Asks the application of a house that no test changes but for its log."""
    with web_house(tmp_path_factory.mktemp("read")) as house:
        yield Asker(services_of(house))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[], Asker]]:
    """Makes an application on a house of its own."""
    with ExitStack() as stack:

        def make() -> Asker:
            return Asker(services_of(stack.enter_context(web_house(tmp_path / "own"))))

        yield make
