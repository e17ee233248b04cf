"""What this room needs of a store. The vault has it; tests may bring a small one of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from enclave.linkage.numbers import Ints


class Coder(Protocol):
    """Gives numbers their codes in one domain."""

    def code(self, numbers: Ints) -> Ints:
        """Return the code of each number; the same number has the same code for ever."""


class Store(Protocol):
    """An encrypted store of projects: data sets of partitions, and sealed documents."""

    def write(
        self,
        project: str,
        dataset: str,
        partition: str,
        columns: Mapping[str, NDArray[Any]],
        *,
        meta: Mapping[str, str],
        replace: bool = False,
    ) -> None:
        """Keep a partition, whole or not at all; one that exists only with `replace`."""

    def read(
        self, project: str, dataset: str, partition: str, columns: Sequence[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return columns (None: all) of a partition."""

    def meta(self, project: str, dataset: str, partition: str) -> dict[str, str]:
        """Return the facts that were written with a partition."""

    def partitions(self, project: str, dataset: str) -> tuple[str, ...]:
        """Return the names of the partitions of a data set; none if there is no such data set."""

    def seal(self, project: str, name: str, data: bytes) -> None:
        """Keep a document, in the place of an earlier one of that name."""

    def unseal(self, project: str, name: str) -> bytes:
        """Return a document."""

    def coder(self, project: str, domain: str) -> Coder:
        """Return the coder of a domain of a project."""
