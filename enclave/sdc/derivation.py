"""The declared form of a stage-2 result: one expression over one stage-1 table, read from a file and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from enclave.errors import RequestError
from enclave.sdc.words import Words

MOST_DECIMALS = 6
"""Most decimals of a share."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")


class Kind(StrEnum):
    """What is done with the selected cells."""

    SUM = "sum"
    SHARE = "share"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Derivation:
    """One declared expression over one stage-1 table; RequestError when its parts do not fit its kind.

    `select` holds (dimension, codes to add up), `denominator` (dimension, code that the denominator takes instead),
    `lag` counts periods of the table, `decimals` are those of a share in percent.
    """

    id: str
    title: Words
    kind: Kind
    table: str
    select: tuple[tuple[str, tuple[str, ...]], ...] = ()
    denominator: tuple[tuple[str, str], ...] = ()
    lag: int = 0
    decimals: int = 0

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise RequestError("DERIVATION_ID", f"'{self.id}' cannot be an id: lower case letters, digits, '_' and '-'")
        if self.kind is Kind.SUM and not self.select:
            raise self._error("a sum needs 'select': the categories to add up")
        if (self.kind is Kind.SHARE) != bool(self.denominator):
            raise self._error("a share, and only a share, needs 'denominator'")
        if (self.kind is Kind.CHANGE) != (self.lag != 0) or self.lag < 0:
            raise self._error("a change, and only a change, needs 'lag': 1 or more periods")
        if not 0 <= self.decimals <= (MOST_DECIMALS if self.kind is Kind.SHARE else 0):
            raise self._error(f"only a share has 'decimals': 0 to {MOST_DECIMALS}")
        for names in ([name for name, _ in self.select], [name for name, _ in self.denominator]):
            if len(set(names)) != len(names):
                raise self._error("a dimension stands twice; name each once")
        for dimension, codes in self.select:
            if not codes:
                raise self._error(f"'select' names no category of '{dimension}'")

    def _error(self, sentence: str) -> RequestError:
        return RequestError("DERIVATION_SHAPE", f"derivation '{self.id}': {sentence}")

    @classmethod
    def from_mapping(cls, raw: object, where: str) -> "Derivation":
        """Read one entry of a derivations file; `where` (file, entry) opens every RequestError."""
        fields = _known_fields(raw, where)
        kind = _text(fields, "kind", where)
        if kind not in set(Kind):
            raise RequestError("DERIVATION_KIND", f"{where}: 'kind' must be one of {', '.join(Kind)}")
        return cls(
            id=_text(fields, "id", where),
            title=Words.from_mapping(fields.get("title"), f"{where}, title"),
            kind=Kind(kind),
            table=_text(fields, "table", where),
            select=tuple((name, _codes(codes, where)) for name, codes in _pairs(fields, "select", where)),
            denominator=tuple((name, _code(code, where)) for name, code in _pairs(fields, "denominator", where)),
            lag=_whole(fields, "lag", where),
            decimals=_whole(fields, "decimals", where),
        )


_FIELDS = frozenset({"id", "title", "kind", "table", "select", "denominator", "lag", "decimals"})


def _known_fields(raw: object, where: str) -> Mapping[str, object]:
    if not isinstance(raw, Mapping):
        raise RequestError("DERIVATION_ENTRY", f"{where}: write one entry with the keys {', '.join(sorted(_FIELDS))}")
    unknown = sorted(str(key) for key in raw if key not in _FIELDS)
    if unknown:
        raise RequestError("DERIVATION_UNKNOWN_KEY", f"{where}: unknown key '{unknown[0]}'; known: {sorted(_FIELDS)}")
    return raw


def _text(fields: Mapping[str, object], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError("DERIVATION_TEXT", f"{where}: '{name}' must be a text; put it in quotes")
    return value


def _whole(fields: Mapping[str, object], name: str, where: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestError("DERIVATION_NUMBER", f"{where}: '{name}' must be a whole number")
    return value


def _pairs(fields: Mapping[str, object], name: str, where: str) -> list[tuple[str, object]]:
    value = fields.get(name, {})
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise RequestError("DERIVATION_PAIRS", f"{where}: '{name}' must name dimensions with their categories")
    return list(value.items())


def _codes(raw: object, where: str) -> tuple[str, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise RequestError("DERIVATION_CODES", f"{where}: 'select' takes a list of codes for each dimension")
    return tuple(_code(code, where) for code in raw)


def _code(raw: object, where: str) -> str:
    if not isinstance(raw, str):
        raise RequestError("DERIVATION_CODES", f'{where}: write codes as texts in quotes, such as "11"')
    return raw
