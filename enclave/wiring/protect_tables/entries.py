"""Typed looks into a strictly read YAML file; what does not fit is refused with file, line and path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from enclave.errors import RequestError
from enclave.policy.strict_yaml import Document, Path

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of one mapping, which stands at `path` of the document."""

    document: Document
    data: Mapping[str, object]
    path: Path

    def error(self, name: str, sentence: str) -> RequestError:
        """Return an error about an entry, or about the mapping where the entry is missing."""
        at = (*self.path, name)
        where = self.document.place(at if at in self.document.lines else self.path)
        return RequestError("PROBLEM_ENTRY", f"{where}: {sentence}")

    def only(self, *known: str) -> None:
        """Refuse entries by any other name."""
        for name in self.data:
            if name not in known:
                raise self.error(name, f"'{name}' is not known here; known are {', '.join(known)}")

    def has(self, name: str) -> bool:
        """Whether something was written there."""
        return self.data.get(name) is not None

    def names(self) -> tuple[str, ...]:
        """Return the names of the entries."""
        return tuple(self.data)

    def text(self, name: str) -> str | None:
        """Return a text, None where there is none."""
        found = self.data.get(name)
        if found is not None and (not isinstance(found, str) or not found.strip()):
            raise self.error(name, f"'{name}' must be a text; put quotes around it if it is one")
        return found

    def needed(self, name: str) -> str:
        """Return a text that must be there."""
        found = self.text(name)
        if found is None:
            raise self.error(name, f"'{name}' is missing; add it")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; empty where there is none."""
        found = self.data.get(name, ())
        if not isinstance(found, tuple) or not all(isinstance(item, str) and item for item in found):
            raise self.error(name, f"'{name}' must be a list of texts, such as [one.csv, two.csv]")
        return found

    def whole(self, name: str) -> int | None:
        """Return a whole number of at least 0, None where there is none."""
        found = self.data.get(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, int) or found < 0):
            raise self.error(name, f"'{name}' must be a whole number of at least 0")
        return found

    def fraction(self, name: str) -> Fraction | None:
        """Return a number exactly as it is written, None where there is none."""
        found = self.data.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.error(name, f"'{name}' must be a number")
        return Fraction(str(found))

    def seconds(self, name: str) -> float | None:
        """Return a number of seconds of at least 0, None where there is none."""
        found = self.fraction(name)
        if found is not None and found < 0:
            raise self.error(name, f"'{name}' cannot be negative")
        return None if found is None else float(found)

    def choice(self, name: str, kinds: type[Choice], default: Choice) -> Choice:
        """Return one of the words that there are."""
        found = self.text(name)
        if found is None:
            return default
        if found not in list(kinds):
            raise self.error(name, f"'{name}' is one of {', '.join(kinds)}")
        return kinds(found)

    def inside(self, name: str) -> "Entries":
        """Return the entries of a mapping inside this one."""
        found = self.data.get(name)
        if not isinstance(found, Mapping):
            raise self.error(name, f"'{name}' must hold keys and values")
        return Entries(self.document, found, (*self.path, name))

    def each(self, name: str) -> Iterator["Entries"]:
        """Return the entries of each mapping in a list."""
        found = self.data.get(name)
        if not isinstance(found, tuple):
            raise self.error(name, f"'{name}' must be a list")
        for number, item in enumerate(found):
            at = (*self.path, name, number)
            if not isinstance(item, Mapping):
                where = self.document.place(at)
                raise RequestError("PROBLEM_ENTRY", f"{where}: each of '{name}' must hold keys and values")
            yield Entries(self.document, item, at)
