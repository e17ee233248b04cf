"""A real house on made-up data behind the real interface, on a socket for each person who opens a notebook."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from enclave.gateway.request import Request
from enclave.sandbox import callers
from enclave.sandbox.callers import Caller
from enclave.synthetic.deliveries import write_deliveries
from enclave.synthetic.presets import Preset
from enclave.web.callers import CallerSockets
from enclave.web.services import Services
from enclave.wiring.demo import MEDIUM, POLICY, SEED, approve_and_release, opener_of
from enclave.wiring.house import House, made_up_people, make_house, open_house
from enclave.wiring.keys.key_holder import by_new_key_file
from enclave.wiring.ports import now
from enclave.wiring.production import prepare_year, take_in_all
from tests.lib.web_app import services_of

YEAR = 2016
PROJECT = f"{POLICY}-{YEAR}"
ACCOUNTS = ("staff.one", "analyst.one", "nobody.one")


@dataclass(frozen=True)
class NotebookHouse:
    """An open house that listens in `folder` to the kernels of `ACCOUNTS`."""

    house: House
    folder: Path

    def socket(self, account: str) -> Path:
        """Return the socket of a person's kernels."""
        return self.folder / account / callers.SOCKET

    def approve_and_release(self, request: Request) -> Path:
        """Play the two checkers and the operator; return the folder of the release."""
        return approve_and_release(self.house, request, say=_quiet)


@contextmanager
def prepared_house(folder: Path, policies: Path) -> Iterator[NotebookHouse]:
    """Make a house with the smallest made-up year, prepared and ready to produce; serve it until the test is over."""
    make_house(folder / "house", synthetic=True, protect=by_new_key_file(folder / MEDIUM), policies=policies)
    with open_house(folder / "house", opener_of(folder)) as house:
        people = made_up_people(PROJECT, now().date() + timedelta(days=365))
        house.register.enrol(people, "steward.one")
        world = house.reference.made_up_world()
        write_deliveries(Preset.TINY, folder / "deliveries", year=YEAR, seed=SEED, references=world, progress=_quiet)
        take_in_all(house, folder / "deliveries", "steward.one", say=_quiet)
        prepare_year(house, house.reference.policy(POLICY), YEAR, "staff.one", say=_quiet)
        with _served(services_of(house), folder / "callers") as sockets:
            yield NotebookHouse(house, sockets)


@contextmanager
def _served(services: Services, folder: Path) -> Iterator[Path]:
    """Listen on the sockets, and do jobs, in threads of their own."""
    loop, ended, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    for account in ACCOUNTS:
        (folder / account).mkdir(parents=True)
    callers.write(folder, [Caller(account, os.getuid(), os.getuid(), account, PROJECT) for account in ACCOUNTS])

    async def run() -> None:
        sockets = CallerSockets(services, folder)
        sockets.look()
        ready.set()
        await ended.wait()
        sockets.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    ready.wait(10)
    services.jobs.start()
    try:
        yield folder
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def _quiet(_: str) -> None:
    """Hear progress, and say nothing."""
