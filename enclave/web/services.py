"""What every handler works with: the desk, the catalogue, the jobs and the identity of one open house."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from enclave.web.identity import Identity
from enclave.wiring.desk.catalogue import Catalogue
from enclave.wiring.desk.desk import Desk
from enclave.wiring.desk.jobs import Jobs
from enclave.wiring.house import House
from enclave.wiring.project_files import ProjectFiles

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """One open house with what stands around it; `prefix` begins and ends with a slash."""

    house: House
    desk: Desk
    catalogue: Catalogue
    jobs: Jobs
    identity: Identity
    secret: bytes
    prefix: str
    projects: ProjectFiles
    isolated: bool
    """Whether notebooks run in sandboxes; where they do not, every page says so."""

    @property
    def locked(self) -> bool:
        """Whether the vault is locked, and with it every project."""
        return self.house.locked

    def state_lines(self) -> list[str]:
        """Tell how projects stand, one line each: first their terms, then their files."""
        return [*self.house.retention.lines(), *self.projects.lines()]

    @classmethod
    def of(cls, house: House, identity: Identity, secret: bytes, prefix: str, *, isolated: bool = True) -> "Services":
        """Set everything up around an open house."""
        desk = Desk(house)
        return cls(
            house, desk, Catalogue(house, desk), Jobs(house), identity, secret, prefix, ProjectFiles(house), isolated
        )


async def aside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that reads or writes, away from the loop that serves everybody."""
    return await asyncio.to_thread(function, *args, **kwargs)
